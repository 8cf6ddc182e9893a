/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which tunnel a received packet belongs to (spec datapath 3.2, 3.3): the tunnels
 * of one driver in one namespace, found by the outer addresses and, where the
 * driver's packets carry one, the key. One implementation for the engine, which
 * asks it, and for the parent, which compiles it into the map of the bpf datapath.
 *
 * A node belongs to its owner, which embeds it; it is in at most one lookup. A
 * tunnel that is down does not exist: its owner takes the node out, unless
 * lookup_has_down() says that it shadows others all the same.
 */
#ifndef TUNL_MODEL_LOOKUP_H
#define TUNL_MODEL_LOOKUP_H

#include <stddef.h>

#include "lib/types.h"
#include "model/tunnel.h"

/* The rule of a driver. */
enum lookup_kind {
	LOOKUP_PLAIN,	 /* ipip, vti: by addresses; `dev` prefers (3.2) */
	LOOKUP_KEYED,	 /* gre: by addresses and key; `dev` prefers (3.2) */
	LOOKUP_FILTERED, /* sit: by addresses; `dev` filters (3.3): a VRF, or a device in it */
};

/* Under what a node is filed, and one step of the search asks. */
struct lookup_key {
	be32 remote, local; /* zero: any; a multicast remote stands as local with remote any */
	be32 key;	    /* 0 without one */
	bool keyed;	    /* LOOKUP_KEYED: a key is there; both any: false, key alone counts */
};

struct lookup_node {
	struct lookup_node *next; /* of the same bucket */
	be32 local, remote;
	be32 key; /* of received packets */
	bool keyed;
	bool down; /* LOOKUP_FILTERED */
	u32 link;  /* ifindex of `dev`; 0: unbound */
	u64 order; /* newest (highest) first; 0: where the driver's fallback device is */
};

struct lookup {
	enum lookup_kind kind;
	struct lookup_node **bucket;
	size_t nbuckets, count;
	struct lookup_node *fallback; /* with order 0, while it is in */
};

/* A packet that looks for its tunnel. */
struct lookup_ask {
	be32 src, dst; /* outer */
	u32 iif;       /* the device it arrived by; of one in a VRF, the VRF */
	u32 slave;     /* and that device in the VRF; else 0 */
	be32 key;      /* 0 without one */
	bool keyed;
};

/*
 * The node for a tunnel. order: of creation, above 0. A tunnel without any
 * parameter stands where the driver's fallback device does: behind all others.
 */
struct lookup_node lookup_node(const struct tunnel_cfg *cfg, u64 order);

/* Whether a node stays in while its tunnel is down, with `down` set. */
bool lookup_has_down(const struct lookup *l);

/* 0 or -ENOMEM. lookup_add() copies nothing: n stays, unchanged, until lookup_del(). */
int lookup_add(struct lookup *l, struct lookup_node *n);
void lookup_del(struct lookup *l, struct lookup_node *n);

/* Free what l holds; its kind stays. */
void lookup_free(struct lookup *l);

/* The tunnel for a packet; or NULL. */
struct lookup_node *lookup_find(const struct lookup *l, const struct lookup_ask *ask);

enum { LOOKUP_BOUND = 8, LOOKUP_STEPS = 4 };

/* What lookup_find() does at one key, as a table. */
struct lookup_rule {
	/*
	 * Not bound to iif: kept, if none was kept before. NULL (LOOKUP_FILTERED
	 * only): nothing is found here by other devices than those of bound[].
	 */
	struct lookup_node *candidate;
	bool final; /* a candidate ends the search at once */
	u32 nbound; /* devices that tunnels are bound to; > LOOKUP_BOUND: more */
	struct lookup_node *bound[LOOKUP_BOUND]; /* the first of each device */
};

/*
 * Compile one step: the tunnels filed under exactly k. The steps of the search
 * for a packet from S to D with or without a key K are
 *	(S, D, K)  (S, any, K)  (any, D, K)  (any, any, K)
 * as lookup_step() gives them. One whose bound[] has iif ends it; else the first
 * candidate found counts; with none, LOOKUP_KEYED takes the fallback
 * (lookup.fallback) whatever the key. False: there is nothing under k.
 */
bool lookup_compile(const struct lookup *l, const struct lookup_key *k, struct lookup_rule *r);

/* What step i, below LOOKUP_STEPS, of the search asks for. */
struct lookup_key lookup_step(const struct lookup *l, const struct lookup_ask *ask, u32 i);

/* What n is filed and compiled under. */
struct lookup_key lookup_key(const struct lookup_node *n);

bool lookup_key_equal(const struct lookup_key *a, const struct lookup_key *b);

#endif
