/* SPDX-License-Identifier: BSD-2-Clause */
/* The line `count` of a case: what a tunnel has counted, against what the line says. */
#ifndef TUNL_TESTS_CASES_COUNTS_H
#define TUNL_TESTS_CASES_COUNTS_H

#include "model/stats.h"

enum { COUNTS_TEXT = 512, COUNTS_LINK = 12 };

/* What is compared: of a datapath of ours all of it, of the drivers the reasons are not there. */
struct counts {
	u64 link[COUNTS_LINK]; /* rx_errors and those after it in counts.c, in its order */
	struct tunnel_stats st;
	bool reasons;
};

/* Fill link from the reasons. */
void counts_of(struct counts *c);

/*
 * words: `what=N` each. Link counters that are not named have to be 0, unless
 * only_named. 0, or -1 with bad (COUNTS_TEXT bytes) filled.
 */
int counts_check(const struct counts *c, bool only_named, char **words, unsigned n, char *bad);

#endif
