/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/route.h"

#include <errno.h>

#include "engine/core.h"

static struct route_bucket *bucket_of(struct route_cache *c, be32 dst)
{
	return &c->bucket[(u32)((dst.raw * 0x9e3779b97f4a7c15ULL) >> 32) % ROUTE_BUCKETS];
}

static bool key_equal(const struct route_key *a, const struct route_key *b)
{
	return be32_eq(a->dst, b->dst) && be32_eq(a->src, b->src) && a->oif == b->oif &&
	       a->mark == b->mark && a->tos == b->tos && a->proto == b->proto;
}

static struct route_entry *find(struct route_cache *c, struct route_bucket *b,
				const struct route_key *key, u64 now_ms)
{
	for (u32 i = 0; i < ROUTE_WAYS; i++) {
		struct route_entry *e = &b->way[i];

		if (e->gen == c->gen && key_equal(&e->key, key))
			return now_ms < e->expires_ms ? e : NULL;
	}
	return NULL;
}

/* The place of an older answer to the same question, else the next in turn. */
static struct route_entry *place(struct route_bucket *b, const struct route_key *key)
{
	for (u32 i = 0; i < ROUTE_WAYS; i++)
		if (key_equal(&b->way[i].key, key))
			return &b->way[i];
	b->victim = (u8)((b->victim + 1) % ROUTE_WAYS);
	return &b->way[b->victim];
}

static u64 expiry(const struct route *rt, u64 now_ms)
{
	u64 keep = ROUTE_KEEP_MS;

	if (rt->expires_ms)
		keep = min_of(keep, (u64)rt->expires_ms);
	return now_ms + keep;
}

const struct route *route_get(struct engine_ns *ns, const struct route_key *key, bool *fresh)
{
	struct route_cache *c = &ns->routes;
	u64 now_ms = ns->engine->now_ms;
	struct route_bucket *b = bucket_of(c, key->dst);
	struct route_entry *e = find(c, b, key, now_ms);
	int err;

	if (fresh)
		*fresh = !e;
	if (e)
		return &e->route;
	e = place(b, key);
	*e = (struct route_entry){.key = *key};
	err = ns->engine->io->route(ns, key, &e->route);
	if (err)
		e->route.error = -err;
	/* what could not be asked, or may be about to change, is asked again */
	if (!err && now_ms >= b->unsure_ms) {
		e->gen = c->gen;
		e->expires_ms = expiry(&e->route, now_ms);
	}
	return &e->route;
}

void route_flush(struct engine_ns *ns)
{
	if (++ns->routes.gen == 0)
		ns->routes.gen = 1;
}

void route_forget(struct engine_ns *ns, be32 dst)
{
	struct route_bucket *b = bucket_of(&ns->routes, dst);

	for (u32 i = 0; i < ROUTE_WAYS; i++)
		b->way[i].gen = 0;
	b->unsure_ms = ns->engine->now_ms + ROUTE_UNSURE_MS;
}
