/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table by struct lookup_key, each bucket newest first. Step 3 of the
 * search looks at (any, D) and at multicast remotes equal to D in one order of
 * age: a multicast remote is therefore filed as a local address.
 */
#include "model/lookup.h"

#include <errno.h>
#include <stdlib.h>

#include "wire/ip4.h"

enum { LOOKUP_BUCKETS = 64 }; /* at first; doubled when there are as many nodes */

struct lookup_key lookup_key(const struct lookup_node *n)
{
	struct lookup_key k = {.remote = n->remote, .local = n->local, .key = n->key};

	if (ip4_is_multicast(n->remote)) {
		k.local = n->remote;
		k.remote.raw = 0;
	}
	k.keyed = n->keyed && !(be32_is_zero(k.remote) && be32_is_zero(k.local));
	return k;
}

bool lookup_key_equal(const struct lookup_key *a, const struct lookup_key *b)
{
	return be32_eq(a->remote, b->remote) && be32_eq(a->local, b->local) &&
	       be32_eq(a->key, b->key) && a->keyed == b->keyed;
}

/* A key without what the driver's rule does not look at. */
static struct lookup_key relevant(const struct lookup *l, struct lookup_key k)
{
	if (l->kind != LOOKUP_KEYED) {
		k.key.raw = 0;
		k.keyed = false;
	}
	return k;
}

static struct lookup_key filed_key(const struct lookup *l, const struct lookup_node *n)
{
	return relevant(l, lookup_key(n));
}

static size_t hash(const struct lookup_key *k, size_t nbuckets)
{
	u64 h = ((u64)k->remote.raw << 32 | k->local.raw) * 0x9e3779b97f4a7c15ULL;

	h = (h ^ k->key.raw ^ (u64)k->keyed << 32) * 0x9e3779b97f4a7c15ULL;
	return (h >> 32) & (nbuckets - 1);
}

static struct lookup_node **bucket_of(const struct lookup *l, const struct lookup_key *k)
{
	return &l->bucket[hash(k, l->nbuckets)];
}

static void insert(struct lookup *l, struct lookup_node *n)
{
	struct lookup_key k = filed_key(l, n);
	struct lookup_node **at = bucket_of(l, &k);

	while (*at && (*at)->order > n->order)
		at = &(*at)->next;
	n->next = *at;
	*at = n;
}

static int grow(struct lookup *l)
{
	struct lookup old = *l;

	l->nbuckets = old.nbuckets ? old.nbuckets * 2 : LOOKUP_BUCKETS;
	l->bucket = calloc(l->nbuckets, sizeof(struct lookup_node *));
	if (!l->bucket) {
		*l = old;
		return -ENOMEM;
	}
	for (size_t i = 0; i < old.nbuckets; i++)
		for (struct lookup_node *n = old.bucket[i], *next; n; n = next) {
			next = n->next;
			insert(l, n);
		}
	free(old.bucket);
	return 0;
}

struct lookup_node lookup_node(const struct tunnel_cfg *cfg, u64 order)
{
	bool keyed = cfg->iflags & TUNL_F_KEY;
	bool plain = be32_is_zero(cfg->local) && be32_is_zero(cfg->remote) && !cfg->link && !keyed;

	struct lookup_node n = {
		.local = cfg->local,
		.remote = cfg->remote,
		.keyed = keyed,
		.link = cfg->link,
		.order = plain ? 0 : order,
	};

	if (keyed)
		n.key = cfg->ikey;
	return n;
}

bool lookup_has_down(const struct lookup *l)
{
	return l->kind == LOOKUP_FILTERED;
}

int lookup_add(struct lookup *l, struct lookup_node *n)
{
	if (l->count >= l->nbuckets && grow(l) && !l->nbuckets)
		return -ENOMEM;
	insert(l, n);
	l->count++;
	if (!n->order)
		l->fallback = n;
	return 0;
}

void lookup_del(struct lookup *l, struct lookup_node *n)
{
	struct lookup_key k = filed_key(l, n);

	if (l->fallback == n)
		l->fallback = NULL;
	for (struct lookup_node **at = bucket_of(l, &k); *at; at = &(*at)->next)
		if (*at == n) {
			*at = n->next;
			l->count--;
			return;
		}
}

void lookup_free(struct lookup *l)
{
	free(l->bucket);
	*l = (struct lookup){.kind = l->kind};
}

struct lookup_key lookup_step(const struct lookup *l, const struct lookup_ask *ask, u32 i)
{
	static const be32 any = {0};

	return relevant(l, (struct lookup_key){
				   .remote = i == 0 || i == 1 ? ask->src : any,
				   .local = i == 0 || i == 2 ? ask->dst : any,
				   .key = ask->key,
				   .keyed = ask->keyed && i != 3,
			   });
}

static bool filed_under(const struct lookup *l, const struct lookup_node *n,
			const struct lookup_key *k)
{
	struct lookup_key has = filed_key(l, n);

	return lookup_key_equal(&has, k);
}

static bool is_wildcard(const struct lookup_key *k)
{
	return be32_is_zero(k->remote) && be32_is_zero(k->local);
}

/* Of several with both addresses the oldest is kept, else the newest (spec 3.2). */
static bool keeps_last(const struct lookup_key *k)
{
	return !be32_is_zero(k->remote) && !be32_is_zero(k->local);
}

/* One step of 3.2: the node that ends it, or NULL with *candidate perhaps set. */
static struct lookup_node *step(const struct lookup *l, const struct lookup_key *k, u32 iif,
				struct lookup_node **candidate)
{
	bool last = keeps_last(k);

	for (struct lookup_node *n = *bucket_of(l, k); n; n = n->next) {
		if (!filed_under(l, n, k))
			continue;
		if (n->link && n->link == iif)
			return n;
		if (last || !*candidate)
			*candidate = n;
	}
	return NULL;
}

/* The device or the VRF that it is in; 3.2 looks at the VRF alone, as the drivers do. */
static bool arrived_by(const struct lookup_ask *ask, u32 link)
{
	return link == ask->iif || link == ask->slave;
}

/* One step of 3.3. Of wildcards the newest alone counts, whatever its device. */
static struct lookup_node *step_filtered(const struct lookup *l, const struct lookup_key *k,
					 const struct lookup_ask *ask)
{
	bool wildcard = is_wildcard(k);

	for (struct lookup_node *n = *bucket_of(l, k); n; n = n->next) {
		if (!filed_under(l, n, k))
			continue;
		if (wildcard)
			return n->down ? NULL : n;
		if (!n->down && (!n->link || arrived_by(ask, n->link)))
			return n;
	}
	return NULL;
}

struct lookup_node *lookup_find(const struct lookup *l, const struct lookup_ask *ask)
{
	struct lookup_node *candidate = NULL;

	if (!l->count)
		return NULL;
	for (u32 i = 0; i < LOOKUP_STEPS; i++) {
		struct lookup_key k = lookup_step(l, ask, i);
		struct lookup_node *n = l->kind == LOOKUP_FILTERED
						? step_filtered(l, &k, ask)
						: step(l, &k, ask->iif, &candidate);

		if (n)
			return n;
	}
	return candidate || l->kind != LOOKUP_KEYED ? candidate : l->fallback;
}

static bool has_link(const struct lookup_rule *r, u32 link)
{
	for (u32 i = 0; i < min_of(r->nbound, (u32)LOOKUP_BOUND); i++)
		if (r->bound[i]->link == link)
			return true;
	return false;
}

static void add_bound(struct lookup_rule *r, struct lookup_node *n)
{
	if (!n->link || has_link(r, n->link))
		return;
	if (r->nbound < LOOKUP_BOUND)
		r->bound[r->nbound] = n;
	r->nbound++;
}

/* Add n to what is compiled of 3.3. False: what is behind it does not matter. */
static bool compile_filtered(struct lookup_rule *r, struct lookup_node *n, bool wildcard)
{
	if (!n->down) {
		if (wildcard || !n->link)
			r->candidate = n;
		else
			add_bound(r, n);
	}
	return !wildcard && !r->candidate;
}

bool lookup_compile(const struct lookup *l, const struct lookup_key *k, struct lookup_rule *r)
{
	struct lookup_key key = relevant(l, *k);

	*r = (struct lookup_rule){.final = l->kind == LOOKUP_FILTERED};
	if (!l->count)
		return false;
	for (struct lookup_node *n = *bucket_of(l, &key); n; n = n->next) {
		if (!filed_under(l, n, &key))
			continue;
		if (l->kind == LOOKUP_FILTERED) {
			if (!compile_filtered(r, n, is_wildcard(k)))
				break;
			continue;
		}
		add_bound(r, n);
		if (!r->candidate || keeps_last(k))
			r->candidate = n;
	}
	return r->candidate || r->nbound;
}
