/* SPDX-License-Identifier: BSD-2-Clause */
/* `tunl check`: reads configurations as tunld does, and says what is wrong where. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/conf_cmd.h"
#include "lib/confdir.h"
#include "model/conf.h"

struct check {
	const struct cli *cli;
	struct conf conf;
	json_t *mistakes;
};

static void tell(void *ctx, const struct conf_where *at, const char *text)
{
	struct check *k = ctx;

	if (k->cli->json)
		json_array_append_new(k->mistakes,
				      json_pack("{s:s, s:i, s:i, s:s}", "file", at->file, "line",
						(int)at->line, "column", (int)at->column, "text",
						text));
	else
		fprintf(stderr, "%s:%u:%u: %s\n", at->file, at->line, at->column, text);
}

static int take_file(const char *path, const char *text, size_t len, void *arg)
{
	struct check *k = arg;
	const struct conf_source src = {path, text, len, tell, k};
	int rc = conf_read(&k->conf, &src);

	return rc == -ENOMEM ? rc : 0;
}

static int read_one(struct check *k, const char *path, struct err *e)
{
	char *text;
	size_t len;
	int rc = confdir_read(path, &text, &len, e);

	if (rc)
		return rc;
	rc = take_file(path, text, len, k);
	free(text);
	return rc;
}

static int read_all(struct check *k, int argc, char **argv, struct err *e)
{
	const char *dir = confdir_path();
	int rc = 0;

	if (argc < 1)
		return dir ? confdir_each(dir, "tunl", take_file, k, e) : 0;
	for (int i = 0; !rc && i < argc; i++)
		rc = read_one(k, argv[i], e);
	return rc;
}

static void conclude(const struct check *k)
{
	char *text;
	json_t *o;

	if (!k->cli->json) {
		if (!k->conf.errors)
			printf("%zu tunnels, no mistakes\n", k->conf.n);
		else if (k->conf.errors > CONF_ERROR_MAX)
			fputs("there are more mistakes\n", stderr);
		return;
	}
	o = json_pack("{s:I, s:O}", "tunnels", (json_int_t)k->conf.n, "mistakes", k->mistakes);
	text = json_dumps(o, k->cli->pretty ? JSON_INDENT(4) : JSON_COMPACT);
	puts(text ? text : "{}");
	free(text);
	json_decref(o);
}

int check_main(const struct cli *cli, int argc, char **argv)
{
	struct check k = {.cli = cli, .mistakes = json_array()};
	struct err e = {0};
	int rc;

	if (argc > 1 && argv[1][0] == '-' && argv[1][1]) {
		fputs("Usage: tunl [ -j ] check [ FILE | - ]...\n", stderr);
		json_decref(k.mistakes);
		return EXIT_SYNTAX;
	}
	rc = read_all(&k, argc - 1, argv + 1, &e);
	if (!rc)
		rc = conf_check(&k.conf, tell, &k);
	if (rc && rc != -EINVAL)
		fprintf(stderr, "check: %s\n", e.text[0] ? e.text : strerror(-rc));
	else
		conclude(&k);
	rc = rc || k.conf.errors ? EXIT_REFUSED : 0;
	json_decref(k.mistakes);
	conf_free(&k.conf);
	return rc;
}
