/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_ui.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lab/explain.h"
#include "lib/types.h"

#define BOLD  "\033[1m"
#define TUBE  "\033[36m"
#define DIM   "\033[2m"
#define PLAIN "\033[0m"

enum { COLUMNS_LEAST = 30, COLUMNS_MOST = 90 };

/* What a terminal has; a file is as wide as one commonly is. */
static int find_columns(void)
{
	struct winsize w = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || !w.ws_col)
		return 80;
	return w.ws_col < COLUMNS_LEAST ? COLUMNS_LEAST : min_of((int)w.ws_col, COLUMNS_MOST);
}

void lab_ui_init(struct lab_ui *ui, bool quiet)
{
	FILE *null = quiet ? fopen("/dev/null", "w") : NULL;

	setlocale(LC_CTYPE, "");
	*ui = (struct lab_ui){
		.out = null ? null : stdout,
		.colour = !quiet && explain_wants_colour(stdout),
		.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8"),
		.columns = find_columns(),
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

/* Columns that n bytes of UTF-8 take. */
static int columns(const char *s, size_t n)
{
	int c = 0;

	for (size_t i = 0; i < n; i++)
		c += ((unsigned char)s[i] & 0xc0) != 0x80;
	return c;
}

/* The character at s, in ASCII where the terminal has no more. Returns its bytes. */
static size_t put_char(const struct lab_ui *ui, const char *s)
{
	size_t n = 1;

	while (((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	if (ui->utf8 || n == 1)
		fwrite(s, 1, n, ui->out);
	else
		fputc('-', ui->out);
	return n;
}

void lab_ui_wrap(struct lab_ui *ui, const char *text)
{
	int at = 0;

	while (*text) {
		size_t n = strcspn(text, " \n");
		int width = columns(text, n);

		if (at && at + 1 + width > ui->columns) {
			fputc('\n', ui->out);
			at = 0;
		}
		if (at && n)
			fputc(' ', ui->out);
		at += width + (at > 0);
		for (size_t i = 0; i < n;)
			i += put_char(ui, text + i);
		text += n;
		if (*text == '\n') {
			fputs("\n\n", ui->out);
			at = 0;
		}
		text += *text != '\0';
	}
	fputc('\n', ui->out);
	fflush(ui->out);
}

/* One device a line: what it is, its addresses, and where it leads. */
static void list_dev(struct lab_ui *ui, const struct lab_topo *t, const struct lab_dev *d)
{
	fprintf(ui->out, "    %s%s%s", style(ui, d->tunnel ? TUBE : BOLD), d->name,
		style(ui, PLAIN));
	for (int i = 0; i < d->n_addrs; i++)
		fprintf(ui->out, " %s", d->addr[i]);
	if (d->peer >= 0)
		fprintf(ui->out, " -- %s:%s", t->nets[t->devs[d->peer].net].role,
			t->devs[d->peer].name);
	fputc('\n', ui->out);
	if (d->tunnel)
		fprintf(ui->out, "      %s\n", d->tunnel);
}

static void list_all(struct lab_ui *ui, const struct lab_topo *t, const struct lab_vars *v)
{
	char name[32];

	for (int n = 0; n < t->n_nets; n++) {
		lab_ns_name(name, sizeof(name), v->id, t->nets[n].role);
		fprintf(ui->out, "  %s%s%s%s\n", style(ui, BOLD), name, style(ui, PLAIN),
			t->nets[n].forwards ? " (forwards)" : "");
		for (int d = 0; d < t->n_devs; d++)
			if (t->devs[d].net == n)
				list_dev(ui, t, &t->devs[d]);
	}
}

/* The next line of the picture, filled in; false: it is over. */
static bool picture_line(const char **p, char *buf, size_t len, const struct lab_vars *v)
{
	char raw[LAB_TEXT];
	size_t n = strcspn(*p, "\n");

	if (!**p)
		return false;
	snprintf(raw, sizeof(raw), "%.*s", (int)n, *p);
	*p += n + ((*p)[n] == '\n');
	return lab_text_fill(buf, len, raw, v);
}

static bool picture_fits(const struct lab_ui *ui, const char *p, const struct lab_vars *v)
{
	char line[LAB_TEXT];

	while (picture_line(&p, line, sizeof(line), v))
		if (columns(line, strlen(line)) + 2 > ui->columns)
			return false;
	return true;
}

void lab_ui_picture(struct lab_ui *ui, const struct lab_topo *t, const struct lab_vars *v)
{
	const char *p = t->picture;
	char line[LAB_TEXT];

	fputc('\n', ui->out);
	if (p && picture_fits(ui, p, v))
		while (picture_line(&p, line, sizeof(line), v))
			draw_line(ui, line);
	else
		list_all(ui, t, v);
	fputc('\n', ui->out);
	fflush(ui->out);
}
