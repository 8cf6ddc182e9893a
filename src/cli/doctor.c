/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct check {
	const char *name, *what;
	void (*run)(struct doctor *d);
};

static const struct check host_checks[] = {
#define CHECK(name, what, fn) {name, what, fn},
#define CHECK_TUNNEL(name, what, fn)
#include "cli/doctor.def"
#undef CHECK
};

static const struct check tunnel_checks[] = {
#define CHECK(name, what, fn)
#define CHECK_TUNNEL(name, what, fn) {name, what, fn},
#include "cli/doctor.def"
#undef CHECK
};

static void run_check(struct doctor *d, const struct check *c)
{
	size_t before = d->found;
	const char *dev = d->patient ? d->patient->row->ifname : "";

	d->check = c->name;
	if (d->progress)
		fprintf(stderr, "\r\033[K%s%s%s ", dev, *dev ? ": " : "", c->what);
	c->run(d);
	if (d->found > before)
		return;
	json_array_append_new(d->passed,
			      d->patient ? json_pack("{s:s, s:s}", "check", c->name, "device", dev)
					 : json_pack("{s:s}", "check", c->name));
	if (d->details && !d->json)
		printf("%s%sfine: %s\n", dev, *dev ? ": " : "", c->what);
}

static void run_tunnel(struct doctor *d, const struct tunnel_row *row)
{
	struct patient p = {.row = row};

	doctor_listen(d); /* what was heard before is about others */
	d->patient = &p;
	for (size_t i = 0; i < countof(tunnel_checks); i++)
		run_check(d, &tunnel_checks[i]);
	d->patient = NULL;
}

static void run_all(struct doctor *d)
{
	for (size_t i = 0; i < countof(host_checks); i++)
		run_check(d, &host_checks[i]);
	for (size_t i = 0; i < d->n; i++)
		run_tunnel(d, &d->rows[i]);
	if (d->progress)
		fputs("\r\033[K", stderr);
}

static void sum_up(const struct doctor *d)
{
	json_t *o;
	char *text;

	if (!d->json) {
		printf("%zu tunnels, %zu checks, %zu findings\n", d->n,
		       countof(host_checks) + d->n * countof(tunnel_checks), d->found);
		return;
	}
	o = json_pack("{s:I, s:O, s:O}", "tunnels", (json_int_t)d->n, "findings", d->findings,
		      "passed", d->passed);
	text = json_dumps(o, JSON_INDENT(4));
	puts(text ? text : "{}");
	free(text);
	json_decref(o);
}

static int cannot(const char *what, int err)
{
	fprintf(stderr, "doctor: cannot %s: %s\n", what, strerror(err));
	return DOCTOR_NOT_RUN;
}

/* The tunnels to look at: all, or one. 0 or -errno with e filled. */
static int find_tunnels(struct doctor *d, const char *name, struct tunnel_row **rows, struct err *e)
{
	int rc;

	if (!name) {
		rc = row_list(rows, &d->n, e);
		d->rows = *rows;
		return rc == -ENOTCONN ? 0 : rc;
	}
	*rows = calloc(1, sizeof(**rows));
	if (!*rows)
		return err_set(e, ENOMEM, "%s", "");
	rc = row_get(name, NULL, *rows, e);
	d->rows = *rows;
	d->n = 1;
	return rc;
}

/* Without listening the doctor goes on: it hears less. */
static void listen_too(struct doctor *d)
{
	struct err e = {0};

	if (d->n && trace_open(&d->trace, &e))
		fprintf(stderr, "doctor: what comes in is not listened to: %s\n",
			e.text[0] ? e.text : strerror(e.code));
}

/* What the checks need. Without probes only the machine is looked at, which tells why. */
static void prepare(struct doctor *d)
{
	if (probe_open(&d->probe))
		d->n = 0;
	listen_too(d);
	d->nft = nft_ruleset();
	d->findings = json_array();
	d->passed = json_array();
}

static int examine(struct doctor *d)
{
	int err = rtnl_open(&d->rtnl);

	if (err)
		return cannot("ask the kernel", -err);
	prepare(d);
	run_all(d);
	sum_up(d);
	json_decref(d->nft);
	json_decref(d->findings);
	json_decref(d->passed);
	trace_close(&d->trace);
	rtnl_close(&d->rtnl);
	probe_close(&d->probe);
	return d->found ? DOCTOR_FOUND : DOCTOR_FINE;
}

static int usage(void)
{
	fputs("Usage: tunl [ -j ] doctor [ NAME ] [ -d ] [ -j ]\n", stderr);
	return EXIT_SYNTAX;
}

int doctor_main(const struct cli *cli, int argc, char **argv)
{
	struct doctor d = {.json = cli->json, .details = cli->details, .trace.fd = -1};
	struct tunnel_row *rows = NULL;
	const char *name = NULL;
	struct err e = {0};
	int rc;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-j"))
			d.json = true;
		else if (!strcmp(argv[i], "-d"))
			d.details = true;
		else if (argv[i][0] == '-' || name)
			return usage();
		else
			name = argv[i];
	}
	d.progress = isatty(STDERR_FILENO) && !d.json;
	rc = find_tunnels(&d, name, &rows, &e);
	if (rc) {
		free(rows);
		fprintf(stderr, "%s\n", e.text);
		return cannot(name ? "look at that tunnel" : "ask tunld", -rc);
	}
	rc = examine(&d);
	free(rows);
	return rc;
}
