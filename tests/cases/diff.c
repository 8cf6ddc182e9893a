/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A round is a namespace of its own with the tunnels of one diff_conf, into which go
 * some batches of packets, those that arrive and those that are sent by turns. The
 * drivers have done with a packet when it went in; ours are waited for until what
 * came out, and was counted, is what the trace says, or patience ends. An ICMP error
 * moves neither, so the sockets have to be empty, too.
 *
 * A round that differs is done again: nothing binds the time at which tunl hears of a
 * link that is up, or of a route, to that of the next packet (doc/compat.md). How many
 * differed at first only is said.
 */
#include "diff.h"

#include <stdlib.h>
#include <string.h>

#include "net.h"

enum {
	ROUND_LEAST = 4,
	ROUND_MOST = 32,
	ROUNDS = 12,
	PATIENCE_MS = 6000,
	TURN_MS = 2,
	PIECE = 16,
	TRIES = 3
};

struct diff {
	const struct case_backend *b;
	const struct diff_run *what;
	FILE *trace;
	bool is_oracle; /* it writes the trace */
	struct run run;
	struct diff_maker maker;
	struct diff_input in[DIFF_BATCH], before[DIFF_BATCH];
	struct diff_result got, expected;
	u32 done, differ, batches; /* batches: of a round */
};

static int open_round(struct diff *d, const struct diff_conf *conf, u64 seed)
{
	struct run *r = &d->run;
	char text[2048], *save, *line;
	int err;

	err = run_begin(r, d->b);
	if (err)
		return err;
	/* who is told is not a matter of how many were */
	net_sysctl("ipv4/icmp_ratelimit", "0");
	net_sysctl("ipv6/icmp/ratelimit", "0");
	net_sysctl("ipv4/icmp_msgs_per_sec", "1000000");
	net_sysctl("ipv4/icmp_msgs_burst", "1000000");
	snprintf(text, sizeof(text), "%s", conf->lines);
	for (line = strtok_r(text, "\n", &save); line && !err; line = strtok_r(NULL, "\n", &save))
		err = run_line(r, line);
	d->maker = (struct diff_maker){.rng = {seed}, .conf = conf, .cfg = &r->tunnel[0].cfg};
	return err;
}

static void put_in(struct diff *d, struct diff_input *in)
{
	struct case_packet p = {in->data, in->len, in->ethertype, {0}};

	if (in->is_tx)
		d->b->tx(d->run.dp, in->tunnel, &p);
	else
		d->b->rx(d->run.dp, world_ifindex(&d->run.w, "eth0"), &p);
	d->run.why = NULL;
}

static void count(struct diff *d)
{
	struct run *r = &d->run;

	for (unsigned i = 0; i < DIFF_TUNNELS && i < r->ntunnels; i++) {
		struct counts *c = &d->got.counts[i];

		memset(c, 0, sizeof(*c));
		if (d->b->links) {
			d->b->links(r->dp, i, c);
		} else {
			d->b->stats(r->dp, i, &c->st);
			counts_of(c);
		}
		memset(c->st.reason, 0, sizeof(c->st.reason));
	}
}

/* Whether an error quotes, from byte at on, a packet of the batch that has no route. */
static bool is_untold(const struct diff *d, const struct diff_out *o)
{
	u32 at = o->head[0] >> 4 == 6 ? 48 : 28;

	for (u32 i = 0; i < DIFF_BATCH; i++) {
		const struct diff_input *in = &d->in[i];
		u32 len = min_of(in->len, (u32)sizeof(o->head) - at);

		if (in->is_tx && o->len >= at + len && !memcmp(o->head + at, in->data, len) &&
		    !net_is_routed(&(struct net_packet){in->data, in->len, in->ethertype, NULL}))
			return true;
	}
	return false;
}

/* A packet without a route has nobody to be told: a packet socket's, on the drivers' side. */
static void forget_untold(struct diff *d)
{
	struct diff_result *g = &d->got;
	u32 n = 0;

	for (u32 i = 0; i < g->n; i++)
		if (g->out[i].way != CASE_ICMP || !is_untold(d, &g->out[i]))
			g->out[n++] = g->out[i];
	g->n = n;
}

static void look(struct diff *d, unsigned ms)
{
	d->b->more(d->run.dp, ms);
	diff_take(&d->run, &d->got);
	forget_untold(d);
}

/* True: as the trace says. */
static bool await(struct diff *d)
{
	for (unsigned ms = 0; ms < PATIENCE_MS; ms += TURN_MS) {
		look(d, TURN_MS);
		if (d->got.n < d->expected.n || !net_is_read())
			continue;
		count(d);
		if (diff_equal(&d->got, &d->expected))
			return true;
	}
	count(d);
	return diff_equal(&d->got, &d->expected);
}

/* One batch; 0, 1: it differs, -1: no further. */
static int batch(struct diff *d, bool is_tx)
{
	struct run *r = &d->run;

	memcpy(d->before, d->in, sizeof(d->before));
	for (u32 i = 0; i < DIFF_BATCH; i++)
		(is_tx ? diff_sent : diff_arrived)(&d->maker, &d->in[i]);
	if (!d->is_oracle && diff_read(d->trace, &d->expected))
		return run_fail(r, "the trace ends");
	if (d->differ)
		return 0; /* of this round no more is to be had */
	memset(&d->got, 0, sizeof(d->got));
	for (u32 i = 0; i < DIFF_BATCH; i++) {
		put_in(d, &d->in[i]);
		if (i % PIECE == PIECE - 1)
			d->b->more(r->dp, 0);
	}
	d->done += DIFF_BATCH;
	if (!d->is_oracle)
		return await(d) ? 0 : 1;
	look(d, 4 * TURN_MS);
	count(d);
	return diff_write(d->trace, &d->got) ? run_fail(r, "the trace cannot be written") : 0;
}

/* One round; 0, 1: it differs, -1. */
static int round_of(struct diff *d, const struct diff_conf *conf, u64 seed)
{
	int err = open_round(d, conf, seed);

	d->differ = 0;
	for (u32 i = 0; i < d->batches && err >= 0; i++) {
		err = batch(d, i % 2);
		if (err > 0 && !d->differ) {
			d->differ = 1;
			printf("# %s %s, %s: round of seed %llu, batch %u (%s) differs\n",
			       d->b->name, conf->mode, conf->name, (unsigned long long)seed, i,
			       i % 2 ? "sent" : "arriving");
			diff_print(&d->expected, &d->got, d->in, DIFF_BATCH);
			if (i % 2) /* what is sent depends on the errors that came before */
				diff_print_errors(d->before, DIFF_BATCH);
		}
		run_forget(&d->run);
	}
	if (err < 0)
		printf("# %s %s, %s: %s\n", d->b->name, conf->mode, conf->name, d->run.bad);
	run_end(&d->run);
	return err < 0 ? -1 : (int)d->differ;
}

static u64 seed_of(const struct diff_run *what, u32 round)
{
	struct diff_rng r = {what->seed * 0x9e3779b97f4a7c15ULL + round * 0x632be59bd9b4e019ULL +
			     1};

	for (int i = 0; i < 8; i++)
		diff_below(&r, 2);
	return r.s;
}

/* Batches of a round: few where there are few packets, for every tunnel to have some. */
static u32 round_batches(const struct diff *d)
{
	u32 n = d->what->packets / ROUNDS / DIFF_BATCH;

	return min_of(max_of(n, (u32)ROUND_LEAST), (u32)ROUND_MOST);
}

/* As round_of(), as often as it takes, to a bound; *at_first: one more that differed at first only.
 */
static int tried(struct diff *d, const struct diff_conf *conf, u64 seed, int *at_first)
{
	long at = ftell(d->trace);
	u32 done = d->done;
	int err = 0;

	for (int i = 0; i < TRIES; i++) {
		d->done = done;
		if (i && fseek(d->trace, at, SEEK_SET))
			return -1;
		err = round_of(d, conf, seed);
		*at_first += i && !err;
		if (err <= 0)
			break;
	}
	return err;
}

static int rounds(struct diff *d)
{
	const u32 in_round = round_batches(d) * DIFF_BATCH;
	int differ = 0, at_first = 0;

	d->batches = round_batches(d);
	for (u32 round = 0, k = 0; round * in_round < d->what->packets; round++, k++) {
		const struct diff_conf *conf = diff_conf(d->what->mode, k);
		int err;

		if (!conf) {
			k = 0;
			conf = diff_conf(d->what->mode, 0);
		}
		err = conf ? tried(d, conf, seed_of(d->what, round), &at_first) : -1;
		if (err < 0)
			return -1;
		differ += err;
	}
	printf("# %s %s: %u packets, seed %llu, %d rounds differ, %d did at first only\n",
	       d->b->name, d->what->mode, d->done, (unsigned long long)d->what->seed, differ,
	       at_first);
	return differ;
}

int diff_mode(const struct case_backend *b, const struct diff_run *what)
{
	struct diff *d = calloc(1, sizeof(*d));
	int differ = -1;

	if (!d)
		return -1;
	d->b = b;
	d->what = what;
	d->is_oracle = b->links != NULL;
	d->trace = fopen(what->trace, d->is_oracle ? "w" : "r");
	if (d->trace)
		differ = rounds(d);
	else
		perror(what->trace);
	if (d->trace && fclose(d->trace))
		differ = -1;
	free(d);
	return differ;
}
