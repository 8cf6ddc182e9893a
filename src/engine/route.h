/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers of the kernel's routing, kept. The whole is forgotten when the parent
 * says that routes, rules or addresses changed; one destination when an ICMP
 * error about it came in; each answer when the path MTU in it expires, and in
 * any case after ROUTE_KEEP_MS.
 */
#ifndef TUNL_ENGINE_ROUTE_H
#define TUNL_ENGINE_ROUTE_H

#include "lib/rtnl.h"
#include "lib/types.h"

struct engine_ns;

enum {
	ROUTE_BUCKETS = 1024,
	ROUTE_WAYS = 4,
	ROUTE_KEEP_MS = 10000,
	/* The kernel hands us an ICMP error before it acts on it itself. */
	ROUTE_UNSURE_MS = 50,
};

struct route_entry {
	struct route_key key;
	struct route route;
	u64 expires_ms;
	u32 gen; /* valid while equal to the cache's */
};

/* A destination's answers are all in one bucket. */
struct route_bucket {
	u64 unsure_ms; /* until then nothing is kept */
	u8 victim;     /* the next to be replaced */
	struct route_entry way[ROUTE_WAYS];
};

struct route_cache {
	u32 gen; /* never 0 */
	struct route_bucket bucket[ROUTE_BUCKETS];
};

/*
 * The answer for key; valid until the next call. An answer that could not be had
 * is a route with error. fresh (may be NULL): the kernel was asked.
 */
const struct route *route_get(struct engine_ns *ns, const struct route_key *key, bool *fresh);

void route_flush(struct engine_ns *ns);
void route_forget(struct engine_ns *ns, be32 dst);

#endif
