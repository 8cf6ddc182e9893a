/* SPDX-License-Identifier: BSD-2-Clause */
/* About the daemon itself: what it says of itself is shown as it is. */
#include "cli/daemon_cmd.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ctl.h"
#include "cli/ctl_start.h"

enum { STATUS_NOT_RUNNING = 3, POLL_MS = 20 };

static int print_json(void *ctx, json_t *row)
{
	const struct cli *cli = ctx;
	char *text = json_dumps(row, cli->pretty ? JSON_INDENT(4) : JSON_COMPACT);

	puts(text ? text : "{}");
	free(text);
	return 0;
}

/* A value for a person: lists with commas, objects as "word value". */
static void print_value(json_t *value)
{
	const char *key, *comma = "";
	char *text;
	size_t i;
	json_t *v;

	if (json_is_object(value)) {
		json_object_foreach(value, key, v)
		{
			printf("%s%s ", comma, key);
			print_value(v);
			comma = ", ";
		}
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, v)
		{
			fputs(comma, stdout);
			print_value(v);
			comma = ", ";
		}
	} else if (json_is_string(value)) {
		fputs(json_string_value(value), stdout);
	} else {
		text = json_dumps(value, JSON_ENCODE_ANY);
		fputs(text ? text : "", stdout);
		free(text);
	}
}

static int print_text(void *ctx, json_t *row)
{
	const char *key;
	json_t *value;

	(void)ctx;
	json_object_foreach(row, key, value)
	{
		printf("%s: ", key);
		print_value(value);
		putchar('\n');
	}
	return 0;
}

/* Ask, without starting a daemon for it. -ENOTCONN: none runs. */
static int daemon_call(const char *verb, int (*row)(void *, json_t *), void *ctx, struct err *e)
{
	const struct ctl_request req = {.verb = verb, .row = row, .ctx = ctx, .running = true};

	return ctl_call(&req, e);
}

static int failed(const char *verb, const struct err *e)
{
	if (e->code == ENOTCONN) {
		fputs("tunld does not run\n", stderr);
		return STATUS_NOT_RUNNING;
	}
	fprintf(stderr, "daemon %s failed: %s\n", verb, strerror(e->code));
	if (e->text[0])
		fprintf(stderr, "%s\n", e->text);
	return EXIT_REFUSED;
}

static int daemon_status(const struct cli *cli)
{
	struct err e = {0};
	int rc = daemon_call("status", cli->json ? print_json : print_text, (void *)cli, &e);

	if (!rc)
		return 0;
	if (rc == -ENOTCONN && cli->json) {
		puts("{\"running\":false}");
		return STATUS_NOT_RUNNING;
	}
	return failed("status", &e);
}

/* Until nobody listens any more. */
static int await_end(struct err *e)
{
	for (int ms = 0; ms < CTL_PATIENCE * 1000; ms += POLL_MS) {
		struct err now = {0};

		if (daemon_call("status", NULL, NULL, &now) == -ENOTCONN)
			return 0;
		poll(NULL, 0, POLL_MS);
	}
	return err_set(e, ETIMEDOUT, "tunld did not end within %d s", CTL_PATIENCE);
}

static int daemon_stop(const struct cli *cli)
{
	struct err e = {0};
	int rc = daemon_call("stop", NULL, NULL, &e);

	(void)cli;
	if (rc == -ENOTCONN)
		return 0;
	if (!rc)
		rc = await_end(&e);
	return rc ? failed("stop", &e) : 0;
}

/* It starts itself anew and adopts what it carried; a status waits until it has. */
static int daemon_restart(const struct cli *cli)
{
	const struct ctl_request req = {.verb = "status", .start = true};
	struct err e = {0};
	int rc = daemon_call("restart", NULL, NULL, &e);

	(void)cli;
	if (!rc || rc == -ENOTCONN)
		rc = ctl_call(&req, &e);
	return rc ? failed("restart", &e) : 0;
}

static const struct {
	const char *word;
	int (*main)(const struct cli *cli);
} verbs[] = {
	{"status", daemon_status},
	{"stop", daemon_stop},
	{"restart", daemon_restart},
};

int daemon_main(const struct cli *cli, int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "status";

	for (u32 i = 0; i < countof(verbs); i++)
		if (!strcmp(word, verbs[i].word) && argc <= 2)
			return verbs[i].main(cli);
	fputs("Usage: tunl [ -j ] daemon { status | stop | restart }\n", stderr);
	return EXIT_SYNTAX;
}
