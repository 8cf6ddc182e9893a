/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet differential: the same tunnels and the same random packets for the
 * kernel's drivers and for tunl. A run with the drivers writes what came out and
 * what was counted (a trace); a run with tunl makes the same packets again and
 * compares. All that is random comes from the seed.
 *
 *	diff_conf.c	the tunnels, by mode
 *	diff_inner.c	inner packets, both ways
 *	diff_outer.c	outer packets and ICMP errors that arrive
 *	diff_trace.c	what came out, in a form that is the same for both
 *	diff.c		rounds: a namespace, its tunnels, batches of packets
 */
#ifndef TUNL_TESTS_CASES_DIFF_H
#define TUNL_TESTS_CASES_DIFF_H

#include <stdio.h>

#include "run.h"

enum { DIFF_PACKET = 4096, DIFF_BATCH = 64, DIFF_TUNNELS = 4 };

struct diff_rng {
	u64 s;
};

u32 diff_below(struct diff_rng *r, u32 n); /* 0 to n - 1 */
bool diff_chance(struct diff_rng *r, u32 percent);

enum diff_flag {
	DIFF_V4 = 1 << 0, /* inner packets that are sent */
	DIFF_V6 = 1 << 1,
	DIFF_OTHER = 1 << 2,
	DIFF_PATH = 1 << 3,   /* ICMP errors may make the path smaller */
	DIFF_LARGE = 1 << 4,  /* IPv4 without DF may be larger than the path */
	DIFF_ROUTED = 1 << 5, /* the route says where to: only packets that have one */
};

struct diff_conf {
	const char *mode, *name;
	const char *lines; /* of a case, divided by newlines; the first tunnel is t */
	u32 flags;
};

/* The i-th of a mode's; NULL: no more. */
const struct diff_conf *diff_conf(const char *mode, unsigned i);

/* A packet that goes in. */
struct diff_input {
	bool is_tx;
	unsigned tunnel; /* of is_tx */
	u16 ethertype, tag;
	u32 len;
	u8 data[DIFF_PACKET];
};

/* What packets are made for. */
struct diff_maker {
	struct diff_rng rng;
	const struct diff_conf *conf;
	const struct tunnel_cfg *cfg; /* of t */
	u32 seq;		      /* of gre's numbers that arrive */
	u16 tag;
};

/* One more that the stack sends, or that arrives. */
void diff_sent(struct diff_maker *m, struct diff_input *in);
void diff_arrived(struct diff_maker *m, struct diff_input *in);

/* An inner packet that arrives, at most room bytes, of v6 or IPv4; its length. */
u32 diff_inner(struct diff_maker *m, bool v6, u8 *to);

/* What came out of a batch. */
struct diff_out {
	u8 way, tunnel;
	u16 tag; /* 0: none found */
	u32 len;
	u64 hash;
	u8 head[96];
};

struct diff_result {
	struct counts counts[DIFF_TUNNELS];
	u32 n;
	struct diff_out out[RUN_OUTPUTS];
};

/* Take the outputs of r as they are now, in the order that is the same for all. */
void diff_take(struct run *r, struct diff_result *d);

bool diff_equal(const struct diff_result *a, const struct diff_result *b);
/* Say how they differ. in: the batch. */
void diff_print(const struct diff_result *drivers, const struct diff_result *ours,
		const struct diff_input *in, u32 n);

/* Say which ICMP errors are among the packets. */
void diff_print_errors(const struct diff_input *in, u32 n);

int diff_write(FILE *f, const struct diff_result *d);
int diff_read(FILE *f, struct diff_result *d);

struct diff_run {
	const char *mode, *trace; /* trace: a file's name */
	u64 seed;
	u32 packets;
};

/* With the drivers: write the trace. Else compare; how many rounds differ, or -1. */
int diff_mode(const struct case_backend *b, const struct diff_run *d);

#endif
