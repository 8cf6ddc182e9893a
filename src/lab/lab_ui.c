/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_ui.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <string.h>

#include "lab/explain.h"
#include "lib/types.h"

#define BOLD  "\033[1m"
#define TUBE  "\033[36m"
#define DIM   "\033[2m"
#define PLAIN "\033[0m"

void lab_ui_init(struct lab_ui *ui, bool quiet)
{
	FILE *null = quiet ? fopen("/dev/null", "w") : NULL;

	setlocale(LC_CTYPE, "");
	*ui = (struct lab_ui){
		.out = null ? null : stdout,
		.colour = !quiet && explain_wants_colour(stdout),
		.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8"),
	};
}

void lab_ui_fini(struct lab_ui *ui)
{
	if (ui->out != stdout)
		fclose(ui->out);
}

static const char *style(const struct lab_ui *ui, const char *seq)
{
	return ui->colour ? seq : "";
}

void lab_ui_heading(struct lab_ui *ui, const char *text)
{
	fprintf(ui->out, "\n%s%u. %s%s\n\n", style(ui, BOLD), ++ui->section, text,
		style(ui, PLAIN));
	fflush(ui->out);
}

void lab_ui_cmd(struct lab_ui *ui, const struct lab_words *w)
{
	fprintf(ui->out, "[#]");
	for (int i = 0; i < w->n; i++)
		fprintf(ui->out, " %s", w->v[i]);
	fputc('\n', ui->out);
	fflush(ui->out);
}

void lab_ui_output(struct lab_ui *ui, const char *line)
{
	if (*line)
		fprintf(ui->out, "    %s%s%s\n", style(ui, DIM), line, style(ui, PLAIN));
	fflush(ui->out);
}

void lab_ui_say(struct lab_ui *ui, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(ui->out, fmt, ap);
	va_end(ap);
	fputc('\n', ui->out);
	fflush(ui->out);
}

/* The box drawing of the pictures, and what stands for it where there is none. */
static const struct glyph {
	const char *utf8;
	char ascii;
	bool tube;
} glyphs[] = {
	{"─", '-', false}, {"│", '|', false}, {"┌", '+', false}, {"┐", '+', false},
	{"└", '+', false}, {"┘", '+', false}, {"├", '+', false}, {"┤", '+', false},
	{"═", '=', true},  {"║", '|', true},  {"╔", '+', true},	 {"╗", '+', true},
	{"╚", '+', true},  {"╝", '+', true},  {"╧", '=', true},	 {"╤", '=', true},
};

static const struct glyph *glyph_at(const char *s)
{
	for (size_t i = 0; i < countof(glyphs); i++)
		if (!strncmp(s, glyphs[i].utf8, strlen(glyphs[i].utf8)))
			return &glyphs[i];
	return NULL;
}

static void draw_line(const struct lab_ui *ui, const char *s)
{
	const struct glyph *g;
	bool in_tube = false, tube;

	fputs("  ", ui->out);
	while (*s) {
		g = glyph_at(s);
		tube = ui->colour && g && g->tube;
		if (tube != in_tube)
			fputs(tube ? TUBE : PLAIN, ui->out);
		in_tube = tube;
		if (g && ui->utf8)
			fputs(g->utf8, ui->out);
		else
			fputc(g ? g->ascii : *s, ui->out);
		s += g ? strlen(g->utf8) : 1;
	}
	fputc('\n', ui->out);
}

void lab_ui_picture(struct lab_ui *ui, const struct lab_topo *t, const struct lab_vars *v)
{
	char line[LAB_TEXT];

	fputc('\n', ui->out);
	for (size_t i = 0; t->picture[i]; i++)
		if (lab_text_fill(line, sizeof(line), t->picture[i], v))
			draw_line(ui, line);
	fputc('\n', ui->out);
	fflush(ui->out);
}
