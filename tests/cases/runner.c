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

#include "counts.h"
#include "lib/addr.h"
#include "model/grammar.h"
#include "packet.h"

enum {
	RUN_LINES = 256,
	RUN_TEXT = 32768,
	RUN_OUTPUTS = 8192,
	RUN_START_MS = 1000000,
	RUN_MTU = 1480,
};
struct output {
	enum case_way way;
	unsigned tunnel;
	u32 len;
	u8 *data;
	struct virtio_net_hdr vnet;
};

struct run {
	const struct case_backend *b;
	void *dp;
	struct world w;
	struct case_tunnel tunnel[CASE_TUNNELS];
	bool there[CASE_TUNNELS];
	unsigned ntunnels;
	struct output out[RUN_OUTPUTS];
	u32 nout, next; /* next: the first that no line has named */
	u64 now_ms;
	u16 last_id;
	char text[RUN_TEXT];
	char *line[RUN_LINES];
	unsigned number[RUN_LINES], nlines;
	const char *why;       /* it is skipped */
	char bad[COUNTS_TEXT]; /* it failed */
};

static struct run *run; /* the one at work: backends hand in packets without naming it */

static int fail(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int fail(struct run *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->bad, sizeof(r->bad), fmt, ap);
	va_end(ap);
	return -1;
}

void case_output_vnet(enum case_way way, unsigned i, const void *data, u32 len,
		      const struct virtio_net_hdr *vnet)
{
	struct output *o = &run->out[run->nout];

	if (run->nout == RUN_OUTPUTS)
		return;
	*o = (struct output){way, i, len, malloc(len + 1), *vnet};
	if (!o->data)
		return;
	memcpy(o->data, data, len);
	run->nout++;
}

void case_output(enum case_way way, unsigned i, const void *data, u32 len)
{
	case_output_vnet(way, i, data, len, &(struct virtio_net_hdr){0});
}

static void forget_outputs(struct run *r)
{
	for (u32 i = 0; i < r->nout; i++)
		free(r->out[i].data);
	r->nout = r->next = 0;
}

static const char *way_name(enum case_way way)
{
	static const char *const name[] = {"wire", "tun", "icmp", "log", "hint"};

	return name[way];
}

static int find_tunnel(struct run *r, const char *name)
{
	for (unsigned i = 0; i < r->ntunnels; i++)
		if (r->there[i] && !strcmp(r->tunnel[i].cfg.name, name))
			return (int)i;
	return fail(r, "no tunnel %s", name);
}

/* What came out and no line named. */
static int nothing_left(struct run *r)
{
	const struct output *o = &r->out[r->next];
	char hex[128] = "";

	if (r->next == r->nout) {
		forget_outputs(r);
		return 0;
	}
	for (u32 i = 0; i < o->len && i < 48; i++)
		snprintf(hex + 2 * i, 3, "%02x", o->data[i]);
	return fail(r, "%s > %u bytes that the case does not name: %s", way_name(o->way), o->len,
		    hex);
}

static int hand_over(struct run *r, unsigned i)
{
	int err = r->b->set(r->dp, i, &r->tunnel[i]);

	return err ? fail(r, "the backend does not take it: %s", strerror(-err)) : 0;
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
		return fail(r, "%s", e.text);
	cfg.link = cfg.dev[0] ? world_ifindex(&r->w, cfg.dev) : 0;
	for (i = 0; i < r->ntunnels; i++)
		if (r->there[i] && !strcmp(r->tunnel[i].cfg.name, cfg.name))
			break;
	t = &r->tunnel[i];
	if (i == r->ntunnels) {
		if (i == CASE_TUNNELS)
			return fail(r, "too many tunnels");
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
	int i = n == 2 ? find_tunnel(r, w[1]) : fail(r, "a name wanted");

	if (i < 0)
		return i;
	r->tunnel[i].up = w[0][0] == 'u';
	return hand_over(r, (unsigned)i);
}

static int do_delete(struct run *r, char **w, unsigned n)
{
	int i = n == 2 ? find_tunnel(r, w[1]) : fail(r, "a name wanted");

	if (i < 0)
		return i;
	r->there[i] = false;
	r->b->del(r->dp, (unsigned)i);
	return 0;
}

static int do_router(struct run *r, char **w, unsigned n)
{
	int i = n == 4 ? find_tunnel(r, w[1]) : fail(r, "router NAME default|nodefault ADDR");
	struct prl_entry e;

	if (i < 0)
		return i;
	e.is_default = !strcmp(w[2], "default");
	if (!addr4_parse(w[3], &e.addr) || r->b->router(r->dp, (unsigned)i, &e))
		return fail(r, "no such router");
	return 0;
}

static int do_wait(struct run *r, char **w, unsigned n)
{
	r->now_ms += n == 2 ? strtoul(w[1], NULL, 0) : 0;
	r->b->clock(r->dp, r->now_ms);
	return 0;
}

/* A packet goes in: what the one before brought out must have been named. */
static int do_input(struct run *r, bool is_tun, const char *name, char **w, unsigned n)
{
	static struct built b;
	struct case_packet p;
	const char *bad;
	int i = is_tun ? find_tunnel(r, name) : (int)world_ifindex(&r->w, name);

	if (i < 0 || nothing_left(r))
		return -1;
	bad = packet_build(w, n, is_tun ? PLACE_TUN : PLACE_WIRE_IN, NULL, &b);
	if (bad)
		return fail(r, "%s", bad);
	p = (struct case_packet){b.data, b.len, b.ethertype, b.vnet};
	r->b->clock(r->dp, r->now_ms);
	if (is_tun)
		r->b->tx(r->dp, (unsigned)i, &p);
	else
		r->b->rx(r->dp, (u32)i, &p);
	return 0;
}

static bool vnet_equal(const struct built *b, const struct output *o)
{
	return b->vnet.flags == o->vnet.flags && b->vnet.gso_type == o->vnet.gso_type &&
	       b->vnet.gso_size == o->vnet.gso_size && b->vnet.csum_start == o->vnet.csum_start &&
	       b->vnet.csum_offset == o->vnet.csum_offset;
}

static int compare(struct run *r, const struct built *b, const struct output *o)
{
	u32 len = b->only ? min_of(b->only, o->len) : o->len;

	if (!b->only && b->len != o->len)
		return fail(r, "%u bytes came out, %u are expected", o->len, b->len);
	for (u32 i = 0; i < len; i++)
		if (b->data[i] != o->data[i])
			return fail(r, "byte %u is 0x%02x, expected is 0x%02x", i, o->data[i],
				    b->data[i]);
	if (o->way == CASE_WIRE && b->id_free && !o->data[4] && !o->data[5])
		return fail(r, "the outer id is 0");
	return vnet_equal(b, o) ? 0 : fail(r, "another virtio header than expected");
}

static enum packet_place place_of(enum case_way way)
{
	return way == CASE_WIRE ? PLACE_WIRE_OUT : way == CASE_ICMP ? PLACE_ICMP : PLACE_TUN;
}

static int do_output(struct run *r, enum case_way way, int tunnel, char **w, unsigned n)
{
	const struct output *o = &r->out[r->next];
	static struct built b;
	struct like like;
	const char *bad;

	if (r->next == r->nout)
		return fail(r, "nothing came out");
	if (o->way != way)
		return fail(r, "%s > came out", way_name(o->way));
	if (way == CASE_TUN && (int)o->tunnel != tunnel)
		return fail(r, "tunnel %s delivered it", r->tunnel[o->tunnel].cfg.name);
	r->next++;
	if (way == CASE_LOG || way == CASE_SLOW)
		return 0;
	like = (struct like){o->data, o->len, r->last_id};
	bad = packet_build(w, n, place_of(way), &like, &b);
	if (bad)
		return fail(r, "%s", bad);
	if (way == CASE_WIRE && o->len >= 6)
		r->last_id = (u16)(o->data[4] << 8 | o->data[5]);
	return compare(r, &b, o);
}

/* `tun NAME < PACKET`, `wire [DEV] > PACKET`, ... */
static int do_packet(struct run *r, char **w, unsigned n)
{
	const char *name = "eth0";
	bool is_tun = !strcmp(w[0], "tun");
	unsigned at = 1;
	int i = 0;

	if (n > 2 && strcmp(w[1], "<") && strcmp(w[1], ">")) {
		name = w[1];
		at = 2;
	}
	if (at >= n || (is_tun && at == 1))
		return fail(r, "tun NAME < PACKET");
	if (!strcmp(w[at], "<"))
		return do_input(r, is_tun, name, w + at + 1, n - at - 1);
	if (is_tun)
		i = find_tunnel(r, name);
	if (i < 0)
		return i;
	return do_output(r,
			 is_tun			 ? CASE_TUN
			 : !strcmp(w[0], "icmp") ? CASE_ICMP
						 : CASE_WIRE,
			 i, w + at + 1, n - at - 1);
}

static int do_mark(struct run *r, char **w, unsigned n)
{
	(void)n;
	return do_output(r, !strcmp(w[0], "log") ? CASE_LOG : CASE_SLOW, 0, NULL, 0);
}

static int do_count(struct run *r, char **w, unsigned n)
{
	struct tunnel_stats st;
	bool none = n > 1 && !strcmp(w[1], "none");
	int i = none ? CASE_TUNNELS : n > 1 ? find_tunnel(r, w[1]) : fail(r, "count NAME");

	if (i < 0)
		return i;
	r->b->stats(r->dp, (unsigned)i, &st);
	return counts_check(&st, none, w + 2, n - 2, r->bad);
}

static int do_only(struct run *r, char **w, unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		if (!strcmp(w[i], r->b->name))
			return 0;
	r->why = "for another datapath";
	return 1;
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
	{"tunnel", do_tunnel}, {"up", do_updown},     {"down", do_updown}, {"delete", do_delete},
	{"wait", do_wait},     {"flush", do_flush},   {"tun", do_packet},  {"wire", do_packet},
	{"icmp", do_packet},   {"log", do_mark},      {"hint", do_mark},   {"count", do_count},
	{"only", do_only},     {"router", do_router},
};

/* 0; 1: the case ends here; -1: it failed. */
static int do_line(struct run *r, const char *text)
{
	char buf[4096], *w[PACKET_WORDS];
	const char *bad;
	unsigned n = 0;

	snprintf(buf, sizeof(buf), "%s", text);
	for (char *s = strtok(buf, " \t"); s && n < PACKET_WORDS; s = strtok(NULL, " \t"))
		w[n++] = s;
	if (!n)
		return 0;
	if (world_has(w[0])) {
		bad = world_line(&r->w, w, n);
		/* what an ICMP error taught the kernel is not announced to anybody */
		if (!bad && strcmp(w[0], "learn"))
			r->b->flush(r->dp);
		return bad ? fail(r, "%s", bad) : 0;
	}
	for (size_t i = 0; i < countof(verbs); i++)
		if (!strcmp(verbs[i].word, w[0]))
			return verbs[i].fn(r, w, n);
	return fail(r, "no such line");
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
		return fail(r, "%s", strerror(errno));
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
		err = do_line(r, line);
		if (err)
			return err;
	}
	return 0;
}

static int do_case(struct run *r, const char *path)
{
	const char *why = NULL;
	unsigned at = 0;
	int err = read_file(r, path);

	if (err)
		return err;
	world_init(&r->w);
	r->now_ms = RUN_START_MS;
	r->dp = r->b->open(&r->w, &why);
	if (!r->dp) {
		r->why = why;
		return 1;
	}
	r->b->clock(r->dp, r->now_ms);
	err = do_lines(r, &at);
	if (!err) {
		at = r->nlines - 1;
		err = nothing_left(r);
	}
	if (err < 0) {
		char text[sizeof(r->bad)];

		memcpy(text, r->bad, sizeof(text));
		fail(r, "line %u: %.480s", at < r->nlines ? r->number[at] : 0, text);
	}
	r->b->close(r->dp);
	return err;
}

/* One case, with its line of TAP. */
static int run_case(const struct case_backend *b, int number, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	int err;

	memset(run, 0, sizeof(*run));
	run->b = b;
	err = do_case(run, path);
	forget_outputs(run);
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
