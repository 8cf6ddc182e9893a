/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The states and policies of one network namespace, and who is found for a packet
 * (RFC 4301 4.4, as the kernel does it). The parent has one to answer requests
 * with, the engine one to carry packets with.
 *
 * A struct sa belongs to its db, which frees it with db_sa_del(); it lies in
 * memory of ipsec/secret.h. What a state has counted and numbered is a struct
 * sa_live, in memory that outlives the engine and is not the db's.
 */
#ifndef TUNL_IPSEC_DB_H
#define TUNL_IPSEC_DB_H

#include "ipsec/crypt.h"
#include "ipsec/replay.h"
#include "ipsec/xfrm.h"
#include "lib/list.h"

/* What a state has been through; times are the wall clock's, in seconds. */
struct sa_live {
	struct replay replay;
	u64 bytes, packets;
	u64 add_time, use_time;	    /* use_time 0: never */
	u32 late, replayed, failed; /* ip -s: replay-window, replay, failed */
	u64 iv_begin;		    /* crypt_iv_begin() */
	bool dying, dead;	    /* a soft, a hard limit was reached */
};

struct sa {
	struct list node; /* xfrm_db.sas, oldest first */
	struct sa *next;  /* of the bucket, newest first */
	struct sa_cfg cfg;
	struct sa_live *live;
	struct crypt *crypt; /* NULL in the parent */
	u32 slot;
	u64 told_packets; /* what the kernel was told, where it has the association */
	u64 sent_ms;	  /* when it last carried a packet to the peer, for keepalives */
};

struct policy {
	struct list node; /* xfrm_db.policies, by priority, then oldest first */
	struct policy_cfg cfg;
	u32 slot;
	u64 added;	   /* wall clock, seconds */
	struct sa *cached; /* what its first template led to, valid with gen */
	u32 gen;
};

enum { DB_BUCKETS = 512 };

struct xfrm_db {
	struct list sas;
	struct list policies[POLICY_DIRS];
	struct sa *bucket[DB_BUCKETS]; /* by SPI */
	u32 nsas, npolicies[POLICY_DIRS];
	u32 gen; /* changes with every change; never 0 */
};

void db_init(struct xfrm_db *db);
void db_fini(struct xfrm_db *db);

/* Add a state, or take one away. live is borrowed. NULL: no memory. */
struct sa *db_sa_add(struct xfrm_db *db, const struct sa_cfg *cfg, struct sa_live *live, u32 slot);
void db_sa_del(struct xfrm_db *db, struct sa *sa);

struct policy *db_policy_add(struct xfrm_db *db, const struct policy_cfg *cfg, u32 slot);
void db_policy_del(struct xfrm_db *db, struct policy *p);

/* A state's limits or selector changed, or it is dying: what was looked up is so no more. */
void db_changed(struct xfrm_db *db);

/* How a state is named. */
struct sa_id {
	u16 family;
	u8 proto;
	be32 spi;
	u32 mark;
	struct xfrm_addr dst;
};

struct sa *db_sa_find(const struct xfrm_db *db, const struct sa_id *id);
struct sa *db_sa_by_slot(const struct xfrm_db *db, u32 slot);
struct policy *db_policy_by_slot(const struct xfrm_db *db, u32 slot);

/* The policy of that direction, selector, mark and type; NULL: none. */
struct policy *db_policy_same(const struct xfrm_db *db, const struct policy_cfg *cfg);
struct policy *db_policy_by_index(const struct xfrm_db *db, u8 dir, u32 index);

/* What selectors look at, of one packet. */
struct xfrm_flow {
	u16 family;
	u8 proto;
	u16 sport, dport; /* host order; of ICMP type and code */
	u32 oif, mark;
	struct xfrm_addr src, dst;
};

bool sel_matches(const struct xfrm_sel *sel, const struct xfrm_flow *f);

/* From an IPv4 or IPv6 packet of len bytes; what is not there is 0. */
void flow_of_packet(const u8 *data, u32 len, u16 family, struct xfrm_flow *f);

struct policy *db_policy_find(const struct xfrm_db *db, enum policy_dir dir,
			      const struct xfrm_flow *f);

/* The state that an outgoing packet under p goes through; NULL: there is none. */
struct sa *db_sa_for(struct xfrm_db *db, struct policy *p, const struct xfrm_flow *f);

/* Whether a received packet that came through sa satisfies p. */
bool policy_accepts(const struct policy *p, const struct sa *sa);

/* Whether state a would be refused where b is. */
bool sa_collides(const struct sa_cfg *a, const struct sa_cfg *b);

#endif
