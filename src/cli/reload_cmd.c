/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `tunl reload`: tunld reads its configuration again and does what differs. It says what
 * that is at once, and does it by and by: the command waits until all was tried.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/conf_cmd.h"
#include "cli/ctl.h"

enum { POLL_MS = 50 };

struct reload {
	const struct cli *cli;
	bool dry;
	json_t *rows; /* as tunld told them */
	size_t mistakes;
};

static const char *text_of(const json_t *row, const char *key)
{
	return json_string_value(json_object_get(row, key));
}

static void print_row(const json_t *row)
{
	const char *was = text_of(row, "was"), *line = text_of(row, "config");

	if (text_of(row, "mistake")) {
		fprintf(stderr, "%s:%d:%d: %s\n", text_of(row, "file"),
			(int)json_integer_value(json_object_get(row, "line")),
			(int)json_integer_value(json_object_get(row, "column")),
			text_of(row, "mistake"));
		return;
	}
	if (was)
		printf("- %s\n", was);
	if (line)
		printf("+ %s\n", line);
}

static int take_row(void *ctx, json_t *row)
{
	struct reload *r = ctx;

	r->mistakes += text_of(row, "mistake") != NULL;
	if (!r->cli->json)
		print_row(row);
	return json_array_append(r->rows, row) ? -ENOMEM : 0;
}

static void progress(size_t left)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%12zu tunnels to do ", left);
}

/* Until everything was tried once; what could not be had. NULL: tunld is gone. */
static json_t *await_done(void)
{
	for (bool told = false;; told = true) {
		json_t *head = NULL, *rows = conf_ask(true, &head);
		size_t left =
			rows ? (size_t)json_integer_value(json_object_get(head, "pending")) : 0;

		json_decref(head);
		if (!rows || !left) {
			if (told && isatty(STDERR_FILENO))
				fprintf(stderr, "\r%40s\r", "");
			return rows;
		}
		json_decref(rows);
		progress(left);
		poll(NULL, 0, POLL_MS);
	}
}

static void print_failed(const json_t *failed)
{
	size_t i;
	json_t *row;

	json_array_foreach(failed, i, row)
		fprintf(stderr, "%s: %s\n", text_of(row, "name"), text_of(row, "why"));
}

static void print_json(const struct reload *r, json_t *failed)
{
	json_t *o = json_pack("{s:O, s:o}", "changes", r->rows, "failed",
			      failed ? json_incref(failed) : json_array());
	char *text = json_dumps(o, r->cli->pretty ? JSON_INDENT(4) : JSON_COMPACT);

	puts(text ? text : "{}");
	free(text);
	json_decref(o);
}

static int run(struct reload *r)
{
	const struct ctl_request req = {.verb = "reload",
					.config = r->dry ? "dry-run" : "now",
					.start = !r->dry,
					.row = take_row,
					.ctx = r};
	struct err e = {0};
	int rc = ctl_call(&req, &e), status = 0;
	json_t *failed = NULL;

	if (rc) {
		fprintf(stderr, "reload failed: %s\n",
			rc == -ENOTCONN ? "tunld does not run"
			: e.text[0]	? e.text
					: strerror(e.code));
		status = EXIT_REFUSED;
	} else if (!r->dry) {
		fflush(stdout);
		failed = await_done();
		status = json_array_size(failed) ? EXIT_REFUSED : 0;
	}
	if (r->cli->json)
		print_json(r, failed);
	else
		print_failed(failed);
	json_decref(failed);
	return status;
}

int reload_main(const struct cli *cli, int argc, char **argv)
{
	struct reload r = {.cli = cli};
	int status;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--dry-run")) {
			fputs("Usage: tunl [ -j ] reload [ --dry-run ]\n", stderr);
			return EXIT_SYNTAX;
		}
		r.dry = true;
	}
	r.rows = json_array();
	status = run(&r);
	json_decref(r.rows);
	return status;
}
