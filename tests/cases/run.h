/* SPDX-License-Identifier: BSD-2-Clause */
/* A case at work: runner.c reads its lines, traffic.c does those that are packets. */
#ifndef TUNL_TESTS_CASES_RUN_H
#define TUNL_TESTS_CASES_RUN_H

#include "counts.h"
#include "runner.h"

enum {
	RUN_LINES = 256,
	RUN_TEXT = 32768,
	RUN_OUTPUTS = 8192,
	RUN_START_MS = 1000000,
	RUN_MTU = 1480,
	/* of live backends: until something is missed; a look; until nothing is sure to come */
	RUN_PATIENCE_MS = 5000,
	RUN_TURN_MS = 5,
	RUN_SETTLE_MS = 40,
};

struct output {
	enum case_way way;
	unsigned tunnel;
	u32 len;
	u8 *data;
	struct virtio_net_hdr vnet;
	bool named; /* a line of the case was about it */
};

struct run {
	const struct case_backend *b;
	void *dp;
	struct world w;
	struct case_tunnel tunnel[CASE_TUNNELS];
	bool there[CASE_TUNNELS];
	unsigned ntunnels;
	struct output out[RUN_OUTPUTS];
	u32 nout;
	u64 now_ms;
	u16 last_id;
	char text[RUN_TEXT];
	char *line[RUN_LINES];
	unsigned number[RUN_LINES], nlines;
	const char *why;       /* it is skipped */
	char bad[COUNTS_TEXT]; /* it failed */
};

/* The one at work: backends hand in packets without naming it. */
extern struct run *run;

/* A datapath of b for r, which becomes the one at work, and its end. 0 or -1. */
int run_begin(struct run *r, const struct case_backend *b);
void run_end(struct run *r);

/* Do a line of a case. 0; 1: the case ends here; -1: it failed. */
int run_line(struct run *r, const char *text);

/* It failed, for this reason: -1. */
int run_fail(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A tunnel's number by its name, or -1 after run_fail(). */
int run_tunnel(struct run *r, const char *name);

/* Lines that are packets; 0, 1 (the case ends here) or -1. */
int run_packet(struct run *r, char **w, unsigned n);
int run_mark(struct run *r, char **w, unsigned n);

/* 0 where every packet that came out was named; all are forgotten then. */
int run_nothing_left(struct run *r);
void run_forget(struct run *r);

#endif
