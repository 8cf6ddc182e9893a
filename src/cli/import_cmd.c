/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/conf_cmd.h"
#include "cli/import.h"
#include "lib/addr.h"
#include "lib/confdir.h"
#include "lib/text.h"
#include "model/conf_impl.h"
#include "model/grammar.h"
#include "model/options.h"

struct import_tunnel *import_tunnel(struct import *im, const char *name, const char *netns)
{
	struct import_tunnel *t;

	list_for_each (n, &im->tunnels) {
		t = list_entry(n, struct import_tunnel, node);
		if (!strcmp(t->t.cfg.name, name) && !strcmp(t->t.netns, netns))
			return t;
	}
	if (!ifname_ok(name) || strlen(netns) >= sizeof(t->t.netns))
		return NULL;
	t = calloc(1, sizeof(*t));
	if (!t) {
		im->failed = true;
		return NULL;
	}
	tunnel_cfg_init(&t->t.cfg);
	text_copy(t->t.cfg.name, sizeof(t->t.cfg.name), name);
	text_copy(t->t.netns, sizeof(t->t.netns), netns);
	list_add(&im->tunnels, &t->node);
	return t;
}

static void add_line(struct import *im, struct import_line **lines, const char *text)
{
	struct import_line *l = calloc(1, sizeof(*l));

	if (l) {
		*l = (struct import_line){*lines, im->line, strdup(im->file), strdup(text)};
		*lines = l;
	}
	im->failed |= !l || !l->file || !l->text;
}

static void free_lines(struct import_line *l)
{
	while (l) {
		struct import_line *next = l->next;

		free(l->file);
		free(l->text);
		free(l);
		l = next;
	}
}

void import_note(struct import *im, struct import_tunnel *t)
{
	add_line(im, &t->lines, im->text);
}

void import_lose(struct import *im, const char *why)
{
	char text[IMPORT_LINE + 300];
	const char *line = im->text ? im->text : "";

	line += strspn(line, " \t");
	snprintf(text, sizeof(text), "%s: %s", why, line);
	add_line(im, &im->lost, text);
	im->nlost++;
}

void import_forget(struct import *im, struct import_tunnel *t)
{
	(void)im;
	list_del(&t->node);
	conf_tunnel_free(&t->t);
	free_lines(t->lines);
	free(t);
}

bool import_take(struct import_tunnel *t, struct err *e, const char *fmt, ...)
{
	struct conf_token token[IMPORT_WORDS];
	struct conf_words w = {.token = token, .e = e};
	char line[IMPORT_LINE], *words[IMPORT_WORDS];
	va_list ap;
	int n;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	n = text_split(line, words, IMPORT_WORDS);
	for (int i = 0; i < n; i++)
		token[i] = (struct conf_token){.text = words[i]};
	w.n = n > 0 ? (u32)n : 0;
	while (w.at < w.n) {
		int rc = conf_take(&w, &t->t);

		if (rc == 0)
			err_set(e, EINVAL, "\"%.100s\" is not understood", words[w.at]);
		if (rc <= 0)
			return false;
	}
	return w.n > 0;
}

bool import_option(struct import_tunnel *t, const char *word, const char *arg, struct err *e)
{
	static const struct grammar g = {.dialect = DIALECT_TEXT, .verb = VERB_SHOW};
	const struct tunnel_option *o = option_find(word, DIALECT_TEXT);
	struct reading r = {.g = &g, .cfg = &t->t.cfg, .e = e};

	if (!o || !o->metavar != !arg) {
		err_set(e, EINVAL, "\"%.100s\" is not understood", word);
		return false;
	}
	if (!strcmp(word, "remote") && import_take(t, e, "remote %s", arg))
		return true;
	*e = (struct err){0};
	return o->read(&r, word, arg) == 0;
}

/* By its name, or by what stands in it. */
static void read_text(struct import *im, const char *path, const char *text, bool networks)
{
	const char *dot = strrchr(path, '.');
	bool network = dot && !strcmp(dot, ".network");

	if (network != networks)
		return;
	im->file = path;
	if (network)
		import_network(im, text);
	else if (dot && !strcmp(dot, ".netdev"))
		import_netdev(im, text);
	else if (!strncmp(text, "iface ", 6) || strstr(text, "\niface "))
		import_interfaces(im, text);
	else
		import_script(im, text);
}

/* .network files speak of devices that others make: they are read last. */
static int read_files(struct import *im, int argc, char **argv)
{
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < argc; i++) {
			struct err e = {0};
			char *text;
			size_t len;

			if (pass && !strcmp(argv[i], "-"))
				continue;
			if (confdir_read(argv[i], &text, &len, &e)) {
				fprintf(stderr, "import: %s\n", e.text);
				return EXIT_REFUSED;
			}
			read_text(im, argv[i], text, pass);
			free(text);
		}
	}
	return 0;
}

/* What was noted of devices that nothing makes a tunnel was in vain. */
static void lose_unmade(struct import *im)
{
	list_for_each_safe (n, &im->tunnels) {
		struct import_tunnel *t = list_entry(n, struct import_tunnel, node);

		if (t->made)
			continue;
		for (struct import_line *l = t->lines; l; l = l->next) {
			char why[64];

			snprintf(why, sizeof(why), "%s is no tunnel of these files", t->t.cfg.name);
			im->file = l->file;
			im->line = l->line;
			im->text = l->text;
			import_lose(im, why);
		}
		import_forget(im, t);
	}
}

static void settle(struct import *im)
{
	list_for_each_safe (n, &im->tunnels) {
		struct import_tunnel *t = list_entry(n, struct import_tunnel, node);
		struct err e = {0};

		if (grammar_settle(&t->t.cfg, &e) == 0)
			continue;
		im->file = t->lines ? t->lines->file : "";
		im->line = t->lines ? t->lines->line : 0;
		im->text = t->lines ? t->lines->text : "";
		import_lose(im, e.text);
		import_forget(im, t);
	}
}

static int by_place(const void *a, const void *b)
{
	const struct import_line *x = *(struct import_line *const *)a,
				 *y = *(struct import_line *const *)b;
	int files = strcmp(x->file, y->file);

	return files ? files : x->line < y->line ? -1 : x->line > y->line;
}

static void print_lost(const struct import *im)
{
	struct import_line **all = calloc(im->nlost + 1, sizeof(*all));
	size_t n = 0;

	for (struct import_line *l = im->lost; all && l; l = l->next)
		all[n++] = l;
	if (all)
		qsort(all, n, sizeof(*all), by_place);
	for (size_t i = 0; i < n; i++) {
		fprintf(stderr, "%s:%u: %s\n", all[i]->file, all[i]->line, all[i]->text);
		printf("# %s:%u: %s\n", all[i]->file, all[i]->line, all[i]->text);
	}
	free(all);
}

static void print_tunnels(const struct import *im)
{
	static char line[CONF_LINE];

	list_for_each (n, &im->tunnels) {
		conf_print(&list_entry(n, struct import_tunnel, node)->t, line, sizeof(line));
		puts(line);
	}
}

int import_main(const struct cli *cli, int argc, char **argv)
{
	struct import im = {.file = ""};
	int status;

	(void)cli;
	if (argc < 2 || (argv[1][0] == '-' && argv[1][1])) {
		fputs("Usage: tunl import FILE...\n"
		      "FILE: NAME.netdev, NAME.network, interfaces, or a script of `ip` commands\n",
		      stderr);
		return EXIT_SYNTAX;
	}
	list_init(&im.tunnels);
	status = read_files(&im, argc - 1, argv + 1);
	lose_unmade(&im);
	settle(&im);
	if (!status) {
		print_tunnels(&im);
		print_lost(&im);
		status = im.nlost || im.failed ? EXIT_REFUSED : 0;
	}
	if (im.failed)
		fputs("import: out of memory\n", stderr);
	list_for_each_safe (n, &im.tunnels)
		import_forget(&im, list_entry(n, struct import_tunnel, node));
	free_lines(im.lost);
	return status;
}
