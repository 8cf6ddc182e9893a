/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table of things that carry their node: keyed by a u64, which the
 * caller makes unique where it matters. It grows by itself and owns nothing but its buckets.
 */
#ifndef TUNL_LIB_HTAB_H
#define TUNL_LIB_HTAB_H

#include <stddef.h>

#include "lib/types.h"

struct hnode {
	struct hnode *next;
	u64 key;
};

struct htab {
	struct hnode **bucket; /* NULL while empty */
	size_t nbucket, count;
};

/* Free the buckets; what was in it is the caller's. */
void htab_fini(struct htab *h);

/* 0 or -ENOMEM. A key that is there already is found by htab_find_next() behind it. */
int htab_add(struct htab *h, struct hnode *n, u64 key);

/* NULL: not there. */
struct hnode *htab_find(const struct htab *h, u64 key);

/* Another one with n's key; NULL: no more. */
struct hnode *htab_find_next(const struct hnode *n);

/* Take n, which is in h, out. */
void htab_del(struct htab *h, struct hnode *n);

/* The node after n in no particular order; n NULL: the first. NULL: no more. */
struct hnode *htab_next(const struct htab *h, const struct hnode *n);

/* n may be taken out in the body. */
#define htab_for_each(n, h)                                                                        \
	for (struct hnode *n = htab_next(h, NULL), *n##_next;                                      \
	     n && (n##_next = htab_next(h, n), 1); n = n##_next)

#endif
