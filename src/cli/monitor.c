/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One subscription is one connection. When tunld goes, another is waited for, and asked
 * likewise; a struct monitor lives as long as the command.
 */
#include "cli/monitor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli/ctl.h"
#include "lib/types.h"

enum { ROW_MAX = 65536, AGAIN_MS = 200 };

struct monitor {
	const char *scope; /* "here" or "all" */
	bool json, times;
	bool watched; /* some tunld was asked already */
	int signals;  /* interrupts, as something to read */
	char *row;
};

enum outcome { GO_ON, GONE, ENOUGH, REFUSED };

static int usage(void)
{
	fputs("Usage: tunl [ -j ] monitor [ all ] [ -j ] [ -t ]\n", stderr);
	return EXIT_SYNTAX;
}

static const char *string_of(json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	return s ? s : "";
}

static long long number_of(json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

/* Behind its name, which the line has said already. */
static const char *config_of(json_t *row)
{
	const char *config = string_of(row, "config"), *blank = strchr(config, ' ');

	return blank ? blank + 1 : config;
}

static void print_state(const char *event, json_t *row)
{
	printf(" %s: %s, %s, mtu %lld", event, config_of(row),
	       json_is_true(json_object_get(row, "up")) ? "up" : "down", number_of(row, "mtu"));
}

static void print_drops(json_t *row)
{
	printf(" drops: %s %lld: %s; %s", string_of(row, "reason"), number_of(row, "count"),
	       string_of(row, "text"), string_of(row, "remedy"));
}

static void print_event(json_t *row)
{
	const char *event = string_of(row, "event"), *remote = string_of(row, "remote");

	if (!strcmp(event, "pmtu"))
		printf(" pmtu: %lld to %s", number_of(row, "pmtu"), remote);
	else if (!strcmp(event, "silent"))
		printf(" silent: nothing of %s for %lld s", *remote ? remote : "its peers",
		       number_of(row, "seconds"));
	else if (!strcmp(event, "back"))
		printf(" back: %s is heard again", *remote ? remote : "a peer");
	else if (!strcmp(event, "drops"))
		print_drops(row);
	else if (!strcmp(event, "datapath"))
		printf(" datapath: %s: %s", string_of(row, "datapath"), string_of(row, "why"));
	else
		print_state(event, row);
}

static void print_time(double seconds)
{
	time_t whole = (time_t)seconds;
	char text[40];
	struct tm tm;

	localtime_r(&whole, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	printf("[%s.%06u] ", text, (unsigned)((seconds - (double)whole) * 1e6));
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* As `ip monitor`: what is gone has "Deleted" before it. */
static void print_text(const struct monitor *m, json_t *row)
{
	const char *event = string_of(row, "event");
	json_t *at = json_object_get(row, "time");

	if (m->times)
		print_time(at ? json_number_value(at) : now_s());
	if (!strcmp(event, "lost")) {
		printf("(%lld events are missing here: they were not read in time)",
		       number_of(row, "count"));
	} else if (!strncmp(event, "daemon ", 7)) {
		fputs(event, stdout);
	} else {
		if (!strcmp(event, "deleted"))
			fputs("Deleted ", stdout);
		printf("%lld: %s:", number_of(row, "ifindex"), string_of(row, "ifname"));
		print_event(row);
	}
	putchar('\n');
}

static void print_row(const struct monitor *m, json_t *row)
{
	if (m->json) {
		json_dumpf(row, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17));
		putchar('\n');
	} else {
		print_text(m, row);
	}
	fflush(stdout);
}

/* What happened to the daemon itself, which nobody else can tell. */
static void print_own(const struct monitor *m, const char *event)
{
	json_t *row = json_pack("{s:s, s:f}", "event", event, "time", now_s());

	if (row)
		print_row(m, row);
	json_decref(row);
}

static void begun(struct monitor *m)
{
	if (m->watched)
		print_own(m, "daemon restarted");
	else
		fputs("monitoring; ^C ends it\n", stderr);
	m->watched = true;
}

static enum outcome refused(json_t *row)
{
	const char *text = string_of(row, "text");
	int code = (int)number_of(row, "errno");

	fprintf(stderr, "monitor failed: %s\n", *text ? text : strerror(code));
	return REFUSED;
}

static enum outcome take(struct monitor *m, int fd)
{
	ssize_t n = recv(fd, m->row, ROW_MAX, MSG_DONTWAIT);
	enum outcome out = GO_ON;
	json_t *row;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return GO_ON;
	if (n <= 0)
		return GONE;
	row = json_loadb(m->row, (size_t)n, 0, NULL);
	if (json_is_true(json_object_get(row, "done")))
		out = refused(row);
	else if (!strcmp(string_of(row, "event"), "begin"))
		begun(m);
	else if (row)
		print_row(m, row);
	json_decref(row);
	return out;
}

/* Until there is something on fd (-1: nothing will be), for so long. */
static enum outcome pause_for(const struct monitor *m, int fd, int ms)
{
	struct pollfd p[] = {{m->signals, POLLIN, 0}, {fd, POLLIN, 0}, {STDOUT_FILENO, 0, 0}};

	if (poll(p, countof(p), ms) < 0)
		return errno == EINTR ? GO_ON : REFUSED;
	/* nobody reads what we tell */
	return p[0].revents || p[2].revents & POLLERR ? ENOUGH : GO_ON;
}

static enum outcome watch(struct monitor *m, int fd)
{
	enum outcome out = GO_ON;

	while (out == GO_ON) {
		out = pause_for(m, fd, -1);
		if (out == GO_ON)
			out = take(m, fd);
	}
	return out;
}

/* A connection with the question asked; -ENOTCONN: no tunld runs. */
static int subscribe(const struct monitor *m, struct err *e)
{
	const struct ctl_request req = {.verb = "monitor", .config = m->scope, .running = true};

	return ctl_open(&req, e);
}

static enum outcome run_once(struct monitor *m)
{
	struct err e = {0};
	int fd = subscribe(m, &e);
	enum outcome out;

	if (fd >= 0) {
		out = watch(m, fd);
		close(fd);
		if (out == GONE && m->watched)
			print_own(m, "daemon stopped");
		return out == GONE ? GO_ON : out;
	}
	if (fd != -ENOTCONN) {
		fprintf(stderr, "monitor failed: %s\n", e.text[0] ? e.text : strerror(-fd));
		return REFUSED;
	}
	return GO_ON;
}

static enum outcome run(struct monitor *m)
{
	enum outcome out;

	do {
		out = run_once(m);
		if (out == GO_ON)
			out = pause_for(m, -1, AGAIN_MS);
	} while (out == GO_ON);
	return out;
}

static int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int monitor_main(const struct cli *cli, int argc, char **argv)
{
	struct monitor m = {.scope = "here", .json = cli->json};
	enum outcome out;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-j") || !strcmp(argv[i], "-json"))
			m.json = true;
		else if (!strcmp(argv[i], "-t") || !strcmp(argv[i], "-timestamp"))
			m.times = true;
		else if (!strcmp(argv[i], "all"))
			m.scope = "all";
		else
			return usage();
	}
	m.row = malloc(ROW_MAX);
	m.signals = catch_signals();
	if (!m.row || m.signals < 0) {
		free(m.row);
		return EXIT_REFUSED;
	}
	out = run(&m);
	close(m.signals);
	free(m.row);
	return out == ENOUGH ? 0 : EXIT_REFUSED;
}
