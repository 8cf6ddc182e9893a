/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table by (remote, local), each bucket newest first. Step 3 of the
 * search looks at (any, D) and at multicast remotes equal to D in one order of
 * age: a multicast remote is therefore filed as a local address.
 */
#include "model/lookup.h"

#include <errno.h>
#include <stdlib.h>

#include "wire/ip4.h"

enum { LOOKUP_BUCKETS = 64 }; /* at first; doubled when there are as many nodes */

void lookup_key(const struct lookup_node *n, be32 *remote, be32 *local)
{
	bool group = ip4_is_multicast(n->remote);

	*remote = group ? (be32){0} : n->remote;
	*local = group ? n->remote : n->local;
}

static size_t hash(be32 remote, be32 local, size_t nbuckets)
{
	u64 h = ((u64)remote.raw << 32 | local.raw) * 0x9e3779b97f4a7c15ULL;

	return (h >> 32) & (nbuckets - 1);
}

static struct lookup_node **bucket_of(const struct lookup *l, be32 remote, be32 local)
{
	return &l->bucket[hash(remote, local, l->nbuckets)];
}

static void insert(struct lookup *l, struct lookup_node *n)
{
	struct lookup_node **at;
	be32 remote, local;

	lookup_key(n, &remote, &local);
	at = bucket_of(l, remote, local);
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
	bool plain = be32_is_zero(cfg->local) && be32_is_zero(cfg->remote) && !cfg->link;

	return (struct lookup_node){
		.local = cfg->local,
		.remote = cfg->remote,
		.link = cfg->link,
		.order = plain ? 0 : order,
	};
}

int lookup_add(struct lookup *l, struct lookup_node *n)
{
	if (l->count >= l->nbuckets && grow(l) && !l->nbuckets)
		return -ENOMEM;
	insert(l, n);
	l->count++;
	return 0;
}

void lookup_del(struct lookup *l, struct lookup_node *n)
{
	struct lookup_node **at;
	be32 remote, local;

	lookup_key(n, &remote, &local);
	for (at = bucket_of(l, remote, local); *at; at = &(*at)->next)
		if (*at == n) {
			*at = n->next;
			l->count--;
			return;
		}
}

void lookup_free(struct lookup *l)
{
	free(l->bucket);
	*l = (struct lookup){0};
}

static bool filed_under(const struct lookup_node *n, be32 remote, be32 local)
{
	be32 r, l;

	lookup_key(n, &r, &l);
	return be32_eq(r, remote) && be32_eq(l, local);
}

/* Of several with both addresses the oldest is kept, else the newest (spec 3.2). */
static bool keeps_last(be32 remote, be32 local)
{
	return !be32_is_zero(remote) && !be32_is_zero(local);
}

/* One step of the search: the node that ends it, or NULL with *candidate perhaps set. */
static struct lookup_node *step(const struct lookup *l, be32 remote, be32 local, u32 iif,
				struct lookup_node **candidate)
{
	bool last = keeps_last(remote, local);

	for (struct lookup_node *n = *bucket_of(l, remote, local); n; n = n->next) {
		if (!filed_under(n, remote, local))
			continue;
		if (n->link && n->link == iif)
			return n;
		if (last || !*candidate)
			*candidate = n;
	}
	return NULL;
}

struct lookup_node *lookup_find(const struct lookup *l, be32 src, be32 dst, u32 iif)
{
	static const be32 any = {0};
	const be32 steps[][2] = {{src, dst}, {src, any}, {any, dst}, {any, any}};
	struct lookup_node *candidate = NULL;

	if (!l->count)
		return NULL;
	for (size_t i = 0; i < countof(steps); i++) {
		struct lookup_node *n = step(l, steps[i][0], steps[i][1], iif, &candidate);

		if (n)
			return n;
	}
	return candidate;
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

bool lookup_compile(const struct lookup *l, be32 remote, be32 local, struct lookup_rule *r)
{
	*r = (struct lookup_rule){0};
	if (!l->count)
		return false;
	for (struct lookup_node *n = *bucket_of(l, remote, local); n; n = n->next) {
		if (!filed_under(n, remote, local))
			continue;
		add_bound(r, n);
		if (!r->candidate || keeps_last(remote, local))
			r->candidate = n;
	}
	return r->candidate;
}
