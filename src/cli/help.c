/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/help.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/verbs.h"
#include "lib/num.h"
#include "lib/text.h"

enum { WIDTH_MIN = 40, WIDTH_MAX = 100, WIDTH_DEFAULT = 80, WORDS_COLUMN = 30, NARROW = 64 };

int help_width(FILE *out)
{
	const char *env = getenv("COLUMNS");
	struct winsize size = {0};
	u32 n = 0;

	if (!(env && num_dec(env, 10000, &n)) && !ioctl(fileno(out), TIOCGWINSZ, &size))
		n = size.ws_col;
	if (!n)
		n = WIDTH_DEFAULT;
	return (int)min_of(max_of(n, (u32)WIDTH_MIN), (u32)WIDTH_MAX);
}

/* Text being folded: where the line is, how far lines are indented, how long they may be. */
struct fold {
	FILE *out;
	int at, indent, width;
};

static void fold_word(struct fold *f, const char *word, int len)
{
	if (f->at > f->indent && f->at + 1 + len > f->width) {
		fprintf(f->out, "\n%*s", f->indent, "");
		f->at = f->indent;
	} else if (f->at > f->indent) {
		fputc(' ', f->out);
		f->at++;
	}
	fprintf(f->out, "%.*s", len, word);
	f->at += len;
}

/* Up to the line's end. Returns what comes behind it, or NULL. */
static const char *fold_line(struct fold *f, const char *line)
{
	while (*line && *line != '\n') {
		int len = (int)strcspn(line, " \n");

		if (len)
			fold_word(f, line, len);
		line += len;
		line += *line == ' ';
	}
	fputc('\n', f->out);
	return *line ? line + 1 : NULL;
}

void help_option_words(const struct tunnel_option *o, char buf[static HELP_WORDS])
{
	struct text t;

	text_init(&t, buf, HELP_WORDS);
	text_add(&t, "%s", o->word);
	for (const struct tunnel_option *s = option_next(o); s && !s->help; s = option_next(s))
		text_add(&t, "|%s", s->word);
	if (o->metavar)
		text_add(&t, " %s", o->metavar);
}

/* Beside its words, or below them where the terminal is narrow. */
static void print_option(FILE *out, const struct tunnel_option *o, int width)
{
	struct fold f = {.out = out, .indent = WORDS_COLUMN, .width = width};
	char words[HELP_WORDS];

	help_option_words(o, words);
	if (width < NARROW)
		f.indent = 8;
	if (width < NARROW || strlen(words) + 3 > WORDS_COLUMN)
		fprintf(out, "  %s\n%*s", words, f.indent, "");
	else
		fprintf(out, "  %-*s", WORDS_COLUMN - 2, words);
	f.at = f.indent;
	fold_line(&f, o->help);
}

static void print_forms(FILE *out, const struct verb *v, const char *lead, int width)
{
	const char *form = v->synopsis;

	while (form) {
		struct fold f = {.out = out, .width = width};

		f.indent = fprintf(out, "%s", lead);
		f.indent += fprintf(out, "tunl %s", v->word) + 1;
		if (*form)
			fputc(' ', out);
		f.at = f.indent;
		if (f.indent > width / 2)
			f.indent = 12;
		form = fold_line(&f, form);
		lead = "       ";
	}
}

static bool is_below(const struct verb *v, const struct verb *of)
{
	size_t n = strlen(of->word);

	return !strncmp(v->word, of->word, n) && v->word[n] == ' ';
}

static void print_below(const struct verb *of, int width)
{
	for (const struct verb *v = verb_next(NULL); v; v = verb_next(v)) {
		struct fold f = {.out = stdout, .indent = 19, .at = 19, .width = width};

		if (!is_below(v, of))
			continue;
		printf("  tunl %-12s", v->word);
		fold_line(&f, v->summary);
	}
}

static void print_text(const struct verb *v, int width)
{
	const char *text = v->text;
	struct fold f = {.out = stdout, .width = width};

	fputc('\n', stdout);
	f.at = printf("tunl %s:", v->word);
	fold_line(&f, v->summary);
	while (text) {
		f.at = 0;
		text = fold_line(&f, text);
	}
}

static void print_verb(const struct verb *v, int width)
{
	print_forms(stdout, v, "Usage: ", width);
	print_text(v, width);
	if (v->next && !v->has_options)
		print_below(v, width);
	if (v->has_options)
		fputs("\nOPTIONS:\n", stdout);
	for (const struct tunnel_option *o = option_next(NULL); v->has_options && o;
	     o = option_next(o))
		if (o->help && o->dialects & DIALECT_TUNL)
			print_option(stdout, o, width);
}

void help_commands(FILE *out, int width)
{
	for (const struct verb *v = verb_next(NULL); v; v = verb_next(v))
		if (!v->any_beginning && !strchr(v->word, ' '))
			print_forms(out, v, "       ", width);
}

static int unknown(const char *words)
{
	const char *lead = "; do you mean ";
	const struct verb *v = NULL;

	fprintf(stderr, "There is no command \"%s\"", words);
	while ((v = verb_like(words, v))) {
		fprintf(stderr, "%s\"%s\"", lead, v->word);
		lead = " or ";
	}
	fprintf(stderr, "%s `tunl help` has all\n", lead[0] == ';' ? ":" : "?");
	return EXIT_SYNTAX;
}

int help_main(int argc, char **argv)
{
	const struct verb *v;
	char words[128];
	struct text t;

	text_init(&t, words, sizeof(words));
	for (int i = 0; i < argc; i++)
		text_add(&t, "%s%s", i ? " " : "", argv[i]);
	v = t.cut ? NULL : verb_find(words);
	if (!v)
		return unknown(words);
	print_verb(v, help_width(stdout));
	return 0;
}
