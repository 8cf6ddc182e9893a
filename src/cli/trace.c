/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/trace.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/num.h"

struct trace {
	struct trace_source from;
	struct trace_filter filter;
	bool json;
	u32 count; /* 0: no end */
	u64 shown, lost;
	int signals;
};

static int usage(void)
{
	fputs("Usage: tunl [ -j ] trace [ [dev] NAME ] [ peer ADDR[/LEN] ] [ drop ] [ rx | tx ]\n"
	      "                        [ reason REASON ] [ -c COUNT ] [ -j ]\n",
	      stderr);
	return EXIT_SYNTAX;
}

static void print_lost(const struct trace *t, u32 lost)
{
	if (t->json)
		printf("{\"lost\":%u}\n", lost);
	else
		printf("(%u packets are missing here: there were too many to be told of)\n", lost);
}

static void print_json(struct trace *t, const struct trace_event *ev, const struct trace_packet *p)
{
	json_t *o = trace_json(&t->from, ev, p);
	char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17));

	puts(text ? text : "{}");
	free(text);
	json_decref(o);
}

static void take(struct trace *t, const struct trace_event *ev)
{
	struct trace_packet p;

	if (ev->lost)
		print_lost(t, ev->lost);
	t->lost += ev->lost;
	trace_read(ev, &p);
	if (!trace_wanted(&t->filter, &t->from, ev, &p))
		return;
	if (t->json)
		print_json(t, ev, &p);
	else
		trace_print(&t->from, ev, &p);
	t->shown++;
}

/* What is there; false: that was the end, by the count or because tunld is gone. */
static bool drain(struct trace *t, int *rc)
{
	struct trace_event ev;

	while ((*rc = trace_next(&t->from, &ev)) > 0) {
		take(t, &ev);
		if (t->count && t->shown >= t->count)
			return false;
	}
	fflush(stdout);
	return *rc == 0;
}

static int loop(struct trace *t)
{
	struct pollfd p[] = {{t->from.fd, POLLIN, 0}, {t->signals, POLLIN, 0}};
	int rc = 0;

	do {
		if (poll(p, countof(p), -1) < 0 && errno != EINTR)
			return -errno;
		if (p[1].revents)
			return 0;
	} while (drain(t, &rc));
	return rc < 0 ? rc : 0;
}

/* Interrupts come as something to read. */
static int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int refused(int rc, const struct err *e)
{
	fprintf(stderr, "trace failed: %s\n",
		rc == -ENOTCONN ? "tunld does not run: there is no tunnel" : strerror(-rc));
	if (e->text[0])
		fprintf(stderr, "%s\n", e->text);
	return EXIT_REFUSED;
}

static int run(struct trace *t)
{
	struct err e = {0};
	int rc = trace_open(&t->from, &e);

	if (rc)
		return refused(rc, &e);
	t->signals = catch_signals();
	fprintf(stderr, "tracing %zu tunnels; ^C ends it\n", t->from.n);
	rc = loop(t);
	fflush(stdout);
	if (rc == -EPIPE)
		fputs("the trace ends: tunld or the last tunnel is gone\n", stderr);
	fprintf(stderr, "%llu packets shown, %llu lost\n", (unsigned long long)t->shown,
		(unsigned long long)t->lost);
	trace_close(&t->from);
	close(t->signals);
	return rc ? EXIT_REFUSED : 0;
}

/* One word or option at i: how many it took, or -1. */
static int take_word(struct trace *t, int argc, char **argv, int i)
{
	if (!strcmp(argv[i], "-j") || !strcmp(argv[i], "-json")) {
		t->json = true;
		return 1;
	}
	if (!strcmp(argv[i], "-c"))
		return i + 1 < argc && num_dec(argv[i + 1], ~0U, &t->count) && t->count ? 2 : -1;
	return argv[i][0] == '-' ? -1 : trace_filter_word(&t->filter, argc, argv, i);
}

int trace_main(const struct cli *cli, int argc, char **argv)
{
	struct trace t = {.json = cli->json};

	for (int i = 1, n; i < argc; i += n) {
		n = take_word(&t, argc, argv, i);
		if (n == -ENODEV)
			return EXIT_REFUSED;
		if (n < 0)
			return usage();
	}
	return run(&t);
}
