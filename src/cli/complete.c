/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/complete.h"

#include <stdio.h>
#include <string.h>

#include "cli/opts.h"
#include "cli/verbs.h"
#include "model/modes.h"
#include "model/options.h"

static void begin(const char *function)
{
	printf("%s() {\n\tcase $1 in\n", function);
}

static void end(void)
{
	puts("\t*) REPLY= ;;\n\tesac\n}\n");
}

/* One case: what it is, and the answer in single quotes. */
static void row(const char *word, const char *answer)
{
	printf("\t'%s') REPLY='", word);
	for (; *answer; answer++)
		if (*answer == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*answer);
	puts("' ;;");
}

static bool is_command(const struct verb *v)
{
	return !strchr(v->word, ' ');
}

static void beginnings(const char *word, const char *means)
{
	putchar('\t');
	for (size_t n = 1; word[n - 1]; n++)
		printf("%s%.*s", n > 1 ? "|" : "", (int)n, word);
	printf(") REPLY=%s ;;\n", means);
}

/* In the order of the command's own search. */
static void print_full(void)
{
	begin("_tunl_full");
	for (const struct verb *v = verb_next(NULL); v; v = verb_next(v))
		if (is_command(v) && !v->any_beginning)
			row(v->word, v->word);
	for (const struct verb *v = verb_next(NULL); v; v = verb_next(v)) {
		if (!v->any_beginning)
			continue;
		beginnings(v->word, v->word);
		if (!strcmp(v->word, "show")) {
			beginnings("lst", v->word);
			beginnings("list", v->word);
		}
	}
	end();
}

static void print_next(void)
{
	begin("_tunl_next");
	for (const struct verb *v = verb_next(NULL); v; v = verb_next(v))
		if (v->next)
			row(v->word, v->next);
	end();
}

static const char *option_values(const struct tunnel_option *o)
{
	return !strcmp(o->metavar, "MODE") ? "@modes" : verb_values(o->metavar);
}

static bool is_ours(const struct tunnel_option *o)
{
	return o->dialects & DIALECT_TUNL;
}

static void print_values(void)
{
	static const char *const others[] = {"--pcap", "--datapath", "prl-delete"};

	begin("_tunl_values");
	for (const struct tunnel_option *o = option_next(NULL); o; o = option_next(o))
		if (is_ours(o) && o->metavar)
			row(o->word, option_values(o) ? option_values(o) : "@any");
	for (u32 i = 0; i < countof(others); i++)
		row(others[i], verb_values(others[i]));
	end();
}

static void print_takes(void)
{
	const struct opt_row *o;

	begin("_tunl_takes");
	for (size_t i = 0; (o = opts_row(i)); i++) {
		const char *values = o->arg ? verb_values(o->arg) : NULL;

		if (!o->arg)
			continue;
		if (o->letter)
			printf("\t-%c|", o->letter);
		else
			fputc('\t', stdout);
		printf("-%s|--%s) REPLY='%s' ;;\n", o->word, o->word, values ? values : o->arg);
	}
	end();
}

static void print_about(void)
{
	begin("_tunl_about");
	for (const struct verb *v = verb_next(NULL); v; v = verb_next(v))
		row(v->word, v->summary);
	for (const struct tunnel_option *o = option_next(NULL); o; o = option_next(o))
		if (is_ours(o) && o->help)
			row(o->word, o->help);
	end();
}

static void print_globals(void)
{
	const struct opt_row *o;

	fputs("\t'globals') REPLY='", stdout);
	for (size_t i = 0; (o = opts_row(i)); i++)
		if (o->help && o->letter)
			printf("-%c -%s ", o->letter, o->word);
		else if (o->help)
			printf("-%s ", o->word);
	puts("' ;;");
}

static void print_list(void)
{
	begin("_tunl_list");
	fputs("\t'verbs') REPLY='", stdout);
	for (const struct verb *v = verb_next(NULL); v; v = verb_next(v))
		if (is_command(v))
			printf("%s ", v->word);
	fputs("' ;;\n\t'options') REPLY='", stdout);
	for (const struct tunnel_option *o = option_next(NULL); o; o = option_next(o))
		if (is_ours(o))
			printf("%s ", o->word);
	fputs("' ;;\n\t'modes') REPLY='", stdout);
	for (enum mode_id id = MODE_NONE + 1; mode_info(id); id++)
		printf("%s ", mode_info(id)->word);
	puts("' ;;");
	print_globals();
	end();
}

void complete_tables(void)
{
	print_full();
	print_next();
	print_values();
	print_takes();
	print_about();
	print_list();
}
