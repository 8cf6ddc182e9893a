/* SPDX-License-Identifier: BSD-2-Clause */
/* The line `count` of a case: what a tunnel has counted, against what the line says. */
#ifndef TUNL_TESTS_CASES_COUNTS_H
#define TUNL_TESTS_CASES_COUNTS_H

#include "model/stats.h"

enum { COUNTS_TEXT = 512 };

/*
 * words: `what=N` each. Link counters that are not named have to be 0, unless
 * only_named. 0, or -1 with bad (COUNTS_TEXT bytes) filled.
 */
int counts_check(const struct tunnel_stats *st, bool only_named, char **words, unsigned n,
		 char *bad);

#endif
