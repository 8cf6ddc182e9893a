/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of whom a tunnel without remote takes packets: a list of outer sources. A plain
 * value; what stands behind the first n entries is zero, so that lists compare as
 * bytes. Empty: of everybody.
 */
#ifndef TUNL_MODEL_PEERS_H
#define TUNL_MODEL_PEERS_H

#include <stddef.h>

#include "lib/types.h"

enum { PEERS_MAX = 32, PEERS_TEXT = PEERS_MAX * 19 + 1 };

struct peers {
	u32 n;
	be32 addr[PEERS_MAX]; /* without host bits */
	u8 len[PEERS_MAX];
};

/* "A,B/24,..." or `any`, which empties the list. False: it is none; p is then void. */
bool peers_parse(const char *word, struct peers *p);

/* The inverse, into PEERS_TEXT bytes; returns buf. */
char *peers_print(const struct peers *p, char buf[static PEERS_TEXT]);

/* Whether packets of that outer source are taken. */
bool peers_admit(const struct peers *p, be32 src);

bool peers_equal(const struct peers *a, const struct peers *b);

#endif
