/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/roff.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/help.h"
#include "cli/opts.h"
#include "cli/verbs.h"
#include "model/reasons.h"

/*
 * Text as it is: no character of it means anything to roff, and a new sentence is a
 * new line.
 */
static void put(const char *text)
{
	bool open = false;

	for (const char *p = text; *p; p++) {
		if (p == text && (*p == '.' || *p == '\''))
			fputs("\\&", stdout);
		if (p > text && p[-1] == '.' && *p == ' ') {
			putchar('\n');
			continue;
		}
		switch (*p) {
		case '\\':
			fputs("\\e", stdout);
			break;
		case '-':
			fputs("\\-", stdout);
			break;
		case '`':
			open = !open;
			fputs(open ? "\\(oq" : "\\(cq", stdout);
			break;
		default:
			putchar(*p);
		}
	}
}

/* A sentence of a phrase. */
static void put_sentence(const char *text)
{
	putchar(toupper((unsigned char)*text));
	put(text + 1);
	puts(".");
}

static void list_begin(const char *width)
{
	printf(".Bl -tag -width %s\n", width);
}

static void list_end(void)
{
	puts(".El");
}

void roff_words(void)
{
	list_begin("Ds");
	for (const struct tunnel_option *o = option_next(NULL); o; o = option_next(o)) {
		if (!o->help || !(o->dialects & DIALECT_TUNL))
			continue;
		printf(".It Cm %s", o->word);
		for (const struct tunnel_option *s = option_next(o); s && !s->help;
		     s = option_next(s))
			printf(" | %s", s->word);
		if (o->metavar)
			printf(" Ar %s", o->metavar);
		putchar('\n');
		put(o->help);
		putchar('\n');
	}
	list_end();
}

void roff_options(void)
{
	const struct opt_row *o;

	list_begin("Ds");
	for (size_t i = 0; (o = opts_row(i)); i++) {
		if (!o->help)
			continue;
		if (o->letter)
			printf(".It Fl %c , %s", o->letter, o->word);
		else
			printf(".It Fl %s", o->word);
		if (o->arg)
			printf(" Ar %s", o->arg);
		putchar('\n');
		put(o->help);
		putchar('\n');
	}
	list_end();
}

void roff_verbs(void)
{
	list_begin("Ds");
	for (const struct verb *v = verb_next(NULL); v; v = verb_next(v)) {
		printf(".It Cm %s\n", v->word);
		put(v->summary);
		putchar('\n');
	}
	list_end();
}

/* What moves with a reason: the names are those of `ip -s -s link`. */
static void put_counters(u32 counters)
{
	static const char *const names[] = {
		"rx errors", "rx crc",	   "rx fifo",	    "rx frame", "rx length",  "rx dropped",
		"tx errors", "tx carrier", "tx collisions", "tx fifo",	"tx dropped", "tx aborted",
	};
	const char *comma = "Moves ";

	for (u32 i = 0; i < countof(names); i++)
		if (counters & 1u << i) {
			printf("%s%s", comma, names[i]);
			comma = ", ";
		}
	if (counters)
		puts(".");
}

void roff_reasons(void)
{
	list_begin("Ds");
	for (enum reason r = R_NONE + 1; r < R__MAX; r++) {
		const struct reason_info *i = reason_info(r);

		printf(".It Cm %s\n", i->word);
		put_sentence(i->text);
		fputs("Remedy: ", stdout);
		put(i->remedy);
		puts(".");
		put_counters(i->counters);
	}
	list_end();
}
