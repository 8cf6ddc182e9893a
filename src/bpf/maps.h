/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The maps of the bpf datapath, for the programs and the loader alike. Each
 * network namespace with a tunnel has a set of its own, held only by the
 * programs on its devices: when the namespace goes, all of it goes, with no
 * help of ours. A new daemon finds them again by the programs (loader.h).
 *
 *	tunl_tx     ifindex of a tunnel device -> struct bpf_tx
 *	tunl_rx     (remote, local, proto)     -> struct bpf_rx
 *	tunl_local  address                    -> 1: it is this namespace's
 *	tunl_nbma   (ifindex, inner dst)       -> struct bpf_hop, least recently used go
 *	tunl_stats  ifindex, 0 for "no tunnel" -> struct tunnel_stats, per CPU
 */
#ifndef TUNL_BPF_MAPS_H
#define TUNL_BPF_MAPS_H

#include "lib/types.h"
#include "model/stats.h"

enum { BPF_MAPS_ABI = 1 };	/* part of the maps' names: tunl_tx_1 ... */

/* What the route to the outer destination says (parent: rtnl_route_get). */
enum bpf_hop_state {
	HOP_SLOW,	/* the engine carries it: local, blackhole, not yet known, ... */
	HOP_OK,
	HOP_UNREACHABLE,/* no route: R_TX_NO_ROUTE */
	HOP_LOOP,	/* leaves by the tunnel itself: R_TX_LOOP */
};

struct bpf_hop {
	u32 state;	/* enum bpf_hop_state */
	u32 oif;
	be32 dst;	/* outer destination */
	be32 via;	/* next hop on oif */
	be32 src;	/* outer source */
	u32 mtu;	/* rt.mtu: of the path, bytes of outer packet */
	u32 mtu_locked;	/* outer DF is cleared (spec 2.3) */
	u32 gen;	/* tunl_nbma: valid while equal to bpf_ns_state.gen */
};

struct bpf_tx {
	struct bpf_hop hop;	/* remote set: its route */
	u32 nbma;		/* remote any: look in tunl_nbma */
	u8 proto, ttl, tos, df;
	u32 link;		/* `dev` */
	/*
	 * CLOCK_BOOTTIME ns until which every packet goes to the engine: an ICMP
	 * error about our packets came in, and the engine decides what it means
	 * (path MTU, soft error). Set by the ingress program, cleared by the
	 * parent. Time-limited, so that a dead daemon stops nothing.
	 */
	u64 slow_until;
};

enum { BPF_RX_BOUND = 4 };	/* `dev`-bound tunnels per key that the program handles */

struct bpf_rx_key {
	be32 remote, local;	/* zero: any */
	u32 proto;
};

/*
 * The tunnels with these addresses, in the lookup's terms (spec 3.2): one whose
 * `dev` is the arriving device ends the search, else `candidate` is kept.
 */
struct bpf_rx {
	u32 candidate;		/* ifindex; 0: none */
	u32 nbound;		/* > BPF_RX_BOUND: the engine looks it up */
	struct {
		u32 link, ifindex;
	} bound[BPF_RX_BOUND];
};

/* One per namespace, in an array map of one entry. */
struct bpf_ns_state {
	u32 gen;	/* raised at each change of routes: tunl_nbma is stale */
	u32 any_bound;	/* some tunnel has `dev`: all keys must be looked at */
};

#endif
