/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which tunnel a received packet belongs to (spec datapath 3.2): the tunnels of
 * one mode in one namespace, found by the outer addresses. One implementation
 * for the engine, which asks it, and for the parent, which compiles it into the
 * map of the bpf datapath.
 *
 * A node belongs to its owner, which embeds it; it is in at most one lookup. A
 * tunnel that is down does not exist: its owner takes the node out.
 */
#ifndef TUNL_MODEL_LOOKUP_H
#define TUNL_MODEL_LOOKUP_H

#include <stddef.h>

#include "lib/types.h"
#include "model/tunnel.h"

struct lookup_node {
	struct lookup_node *next; /* of the same bucket */
	be32 local, remote;
	u32 link;  /* ifindex of `dev`; 0: unbound */
	u64 order; /* newest (highest) first */
};

struct lookup {
	struct lookup_node **bucket;
	size_t nbuckets, count;
};

/*
 * The node for a tunnel. order: of creation, above 0. A tunnel without any
 * parameter stands where the driver's fallback device does: behind all others.
 */
struct lookup_node lookup_node(const struct tunnel_cfg *cfg, u64 order);

/* 0 or -ENOMEM. lookup_add() copies nothing: n stays until lookup_del(). */
int lookup_add(struct lookup *l, struct lookup_node *n);
void lookup_del(struct lookup *l, struct lookup_node *n);
void lookup_free(struct lookup *l);

/* The tunnel for a packet from src to dst that arrived by device iif; or NULL. */
struct lookup_node *lookup_find(const struct lookup *l, be32 src, be32 dst, u32 iif);

enum { LOOKUP_BOUND = 8 };

/* What lookup_find() does at one pair of addresses, as a table. */
struct lookup_rule {
	struct lookup_node *candidate; /* kept where none is bound to iif; never NULL */
	u32 nbound;		       /* devices that tunnels are bound to; > LOOKUP_BOUND: more */
	struct lookup_node *bound[LOOKUP_BOUND]; /* the newest of each device */
};

/*
 * Compile one step: the tunnels with exactly this remote and local (zero: any;
 * a multicast remote stands as local with remote any). The steps of the search
 * are (S, D), (S, any), (any, D), (any, any); one whose bound[] has iif ends it,
 * else the first candidate found counts. False: there is none.
 */
bool lookup_compile(const struct lookup *l, be32 remote, be32 local, struct lookup_rule *r);

/* The pair of addresses that n is compiled under. */
void lookup_key(const struct lookup_node *n, be32 *remote, be32 *local);

#endif
