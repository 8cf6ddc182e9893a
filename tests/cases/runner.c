/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a case, does its lines one by one with a backend, and compares what
 * comes out. A case's life is one struct run.
 */
#include "runner.h"

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "model/grammar.h"
#include "packet.h"
#include "run.h"

struct run *run;

int run_fail(struct run *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->bad, sizeof(r->bad), fmt, ap);
	va_end(ap);
	return -1;
}

int run_tunnel(struct run *r, const char *name)
{
	for (unsigned i = 0; i < r->ntunnels; i++)
		if (r->there[i] && !strcmp(r->tunnel[i].cfg.name, name))
			return (int)i;
	return run_fail(r, "no tunnel %s", name);
}

static int hand_over(struct run *r, unsigned i)
{
	int err = r->b->set(r->dp, i, &r->tunnel[i]);

	if (err == -EOPNOTSUPP && r->b->more) {
		r->why = "there is no command for such a change";
		return 1;
	}
	return err ? run_fail(r, "the backend does not take it: %s", strerror(-err)) : 0;
}

static int do_tunnel(struct run *r, char **w, unsigned n)
{
	char line[GRAMMAR_LINE] = "";
	struct tunnel_cfg cfg;
	struct case_tunnel *t;
	struct err e;
	unsigned i;

	for (unsigned k = 1; k < n; k++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s ", w[k]);
	if (grammar_line(line, &cfg, &e))
		return run_fail(r, "%s", e.text);
	cfg.link = cfg.dev[0] ? world_ifindex(&r->w, cfg.dev) : 0;
	for (i = 0; i < r->ntunnels; i++)
		if (r->there[i] && !strcmp(r->tunnel[i].cfg.name, cfg.name))
			break;
	t = &r->tunnel[i];
	if (i == r->ntunnels) {
		if (i == CASE_TUNNELS)
			return run_fail(r, "too many tunnels");
		*t = (struct case_tunnel){
			.ifindex = IFINDEX_TUNNELS + i, .mtu = RUN_MTU, .order = i + 1, .up = true};
		r->there[r->ntunnels++] = true;
		world_device(&r->w, cfg.name, t->ifindex, t->mtu);
	}
	t->cfg = cfg;
	return hand_over(r, i);
}

static int do_updown(struct run *r, char **w, unsigned n)
{
	int i = n == 2 ? run_tunnel(r, w[1]) : run_fail(r, "a name wanted");

	if (i < 0)
		return i;
	r->tunnel[i].up = w[0][0] == 'u';
	return hand_over(r, (unsigned)i);
}

static int do_delete(struct run *r, char **w, unsigned n)
{
	int i = n == 2 ? run_tunnel(r, w[1]) : run_fail(r, "a name wanted");

	if (i < 0)
		return i;
	r->b->del(r->dp, (unsigned)i);
	r->there[i] = false;
	return 0;
}

static int do_router(struct run *r, char **w, unsigned n)
{
	int i = n == 4 ? run_tunnel(r, w[1]) : run_fail(r, "router NAME default|nodefault ADDR");
	struct prl_entry e;

	if (i < 0)
		return i;
	e.is_default = !strcmp(w[2], "default");
	if (!addr4_parse(w[3], &e.addr) || r->b->router(r->dp, (unsigned)i, &e))
		return run_fail(r, "no such router");
	return 0;
}

static int do_wait(struct run *r, char **w, unsigned n)
{
	r->now_ms += n == 2 ? strtoul(w[1], NULL, 0) : 0;
	r->b->clock(r->dp, r->now_ms);
	return 0;
}

static int count_now(struct run *r, unsigned i, char **w, unsigned n)
{
	struct counts c = {.reasons = !r->b->links};

	if (r->b->stats)
		r->b->stats(r->dp, i, &c.st);
	if (r->b->links)
		r->b->links(r->dp, i, &c);
	else
		counts_of(&c);
	return counts_check(&c, i == CASE_TUNNELS, w, n, r->bad);
}

static int do_count(struct run *r, char **w, unsigned n)
{
	bool none = n > 1 && !strcmp(w[1], "none");
	int i = none ? CASE_TUNNELS : n > 1 ? run_tunnel(r, w[1]) : run_fail(r, "count NAME");
	int err;

	if (i < 0)
		return i;
	if (none && r->b->more)
		return 0; /* nobody tells it there */
	err = count_now(r, (unsigned)i, w + 2, n - 2);
	for (u32 ms = 0; err && r->b->more && ms < RUN_PATIENCE_MS; ms += RUN_TURN_MS) {
		r->b->more(r->dp, RUN_TURN_MS);
		err = count_now(r, (unsigned)i, w + 2, n - 2);
	}
	return err;
}

static int do_only(struct run *r, char **w, unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		if (!strcmp(w[i], r->b->name))
			return 0;
	r->why = "for another datapath";
	return 1;
}

static int do_words(struct run *r, char **w, unsigned n);

/* on BACKEND... : LINE; not BACKEND... : LINE */
static int do_on(struct run *r, char **w, unsigned n)
{
	bool is_named = false, is_not = !strcmp(w[0], "not");

	for (unsigned i = 1; i < n; i++) {
		if (!strcmp(w[i], ":") && i + 1 < n)
			return is_named != is_not ? do_words(r, w + i + 1, n - i - 1) : 0;
		is_named |= !strcmp(w[i], r->b->name);
	}
	return run_fail(r, "%s BACKEND... : LINE", w[0]);
}

static int do_flush(struct run *r, char **w, unsigned n)
{
	(void)w, (void)n;
	r->b->flush(r->dp);
	return 0;
}

static const struct {
	const char *word;
	int (*fn)(struct run *r, char **w, unsigned n);
} verbs[] = {
	{"tunnel", do_tunnel}, {"up", do_updown},   {"down", do_updown}, {"delete", do_delete},
	{"wait", do_wait},     {"flush", do_flush}, {"tun", run_packet}, {"wire", run_packet},
	{"icmp", run_packet},  {"log", run_mark},   {"hint", run_mark},	 {"count", do_count},
	{"only", do_only},     {"on", do_on},	    {"not", do_on},	 {"router", do_router},
};

static int do_world(struct run *r, char **w, unsigned n)
{
	const char *bad = world_line(&r->w, w, n);

	if (!bad && r->b->world)
		bad = r->b->world(r->dp, w, n);
	if (bad)
		return run_fail(r, "%s", bad);
	/* what an ICMP error taught the kernel is not announced to anybody */
	if (strcmp(w[0], "learn"))
		r->b->flush(r->dp);
	return 0;
}

static int do_words(struct run *r, char **w, unsigned n)
{
	if (world_has(w[0]))
		return do_world(r, w, n);
	for (size_t i = 0; i < countof(verbs); i++)
		if (!strcmp(verbs[i].word, w[0]))
			return verbs[i].fn(r, w, n);
	return run_fail(r, "no such line");
}

/* 0; 1: the case ends here; -1: it failed. */
int run_line(struct run *r, const char *text)
{
	char buf[4096], *w[PACKET_WORDS];
	unsigned n = 0;

	snprintf(buf, sizeof(buf), "%s", text);
	for (char *s = strtok(buf, " \t"); s && n < PACKET_WORDS; s = strtok(NULL, " \t"))
		w[n++] = s;
	return n ? do_words(r, w, n) : 0;
}

/* Divide the text into lines: comments off, continued ones joined. */
static void split(struct run *r)
{
	unsigned number = 0;
	char *s = r->text;

	while (*s && r->nlines < RUN_LINES) {
		char *end;

		r->line[r->nlines] = s;
		r->number[r->nlines++] = ++number;
		while ((end = strchrnul(s, '\n')) > s && end[-1] == '\\' && *end) {
			end[-1] = *end = ' ';
			number++;
		}
		s = *end ? end + 1 : end;
		*end = 0;
		*strchrnul(r->line[r->nlines - 1], '#') = 0;
	}
}

static int read_file(struct run *r, const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		return run_fail(r, "%s", strerror(errno));
	n = fread(r->text, 1, sizeof(r->text) - 1, f);
	r->text[n] = 0;
	fclose(f);
	split(r);
	return 0;
}

static int do_lines(struct run *r, unsigned *at)
{
	unsigned loop = 0, times = 0;

	for (*at = 0; *at < r->nlines; ++*at) {
		const char *line = r->line[*at];
		int err;

		if (sscanf(line, " repeat %u", &times) == 1) {
			loop = *at;
			continue;
		}
		if (times && !strncmp(line, "end", 3)) {
			if (--times)
				*at = loop;
			continue;
		}
		err = run_line(r, line);
		if (err)
			return err;
	}
	return 0;
}

int run_begin(struct run *r, const struct case_backend *b)
{
	run = r;
	memset(r, 0, sizeof(*r));
	r->b = b;
	world_init(&r->w);
	r->now_ms = RUN_START_MS;
	r->dp = b->open(&r->w, &r->why);
	if (!r->dp)
		return run_fail(r, "%s", r->why);
	r->why = NULL;
	b->clock(r->dp, r->now_ms);
	return 0;
}

void run_end(struct run *r)
{
	run_forget(r);
	if (r->dp)
		r->b->close(r->dp);
}

static int do_case(struct run *r, const char *path)
{
	unsigned at = 0;
	int err = read_file(r, path);

	if (err)
		return err;
	if (!r->dp)
		return 1;
	err = do_lines(r, &at);
	if (!err) {
		at = r->nlines - 1;
		err = run_nothing_left(r);
	}
	if (err < 0) {
		char text[sizeof(r->bad)];

		memcpy(text, r->bad, sizeof(text));
		run_fail(r, "line %u: %.480s", at < r->nlines ? r->number[at] : 0, text);
	}
	return err;
}

/* One case, with its line of TAP. */
static int run_case(const struct case_backend *b, int number, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	int err;

	run_begin(run, b);
	err = do_case(run, path);
	run_end(run);
	if (err < 0)
		printf("# %s: %s\nnot ok %d - %s: %s\n", name, run->bad, number, b->name, name);
	else
		printf("ok %d - %s: %s%s%s\n", number, b->name, name, err ? " # SKIP " : "",
		       err ? run->why : "");
	return err;
}

int cases_main(const struct case_backend *b, int argc, char **argv)
{
	unsigned count[3] = {0}; /* failed, passed, skipped */
	glob_t all = {0};
	char **paths = argv + 1;
	int n = argc - 1;

	if (!n && !glob("tests/cases/*.case", 0, NULL, &all)) {
		paths = all.gl_pathv;
		n = (int)all.gl_pathc;
	}
	run = malloc(sizeof(*run));
	if (!run)
		return 1;
	printf("TAP version 13\n1..%d\n", n);
	for (int i = 0; i < n; i++)
		count[run_case(b, i + 1, paths[i]) + 1]++;
	printf("# %u passed, %u failed, %u skipped\n", count[1], count[0], count[2]);
	free(run);
	globfree(&all);
	return count[0] || !n ? 1 : 0;
}
