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
 *	tunl_nbma   (ifindex, inner dst)       -> struct bpf_hop
 *	tunl_stats  ifindex, 0 for "no tunnel" -> struct bpf_stats, per CPU
 *	tunl_state  0                          -> struct bpf_ns_state
 *	tunl_base   ifindex                    -> struct tunnel_stats: what was counted
 *						  in maps that have been outgrown
 */
#ifndef TUNL_BPF_MAPS_H
#define TUNL_BPF_MAPS_H

#include "lib/types.h"
#include "model/stats.h"

#define BPF_MAPS_ABI 1 /* part of the maps' names: tunl_tx_1 ... */

/* What the route to the outer destination says (parent: rtnl_route_get). */
enum bpf_hop_state {
	HOP_SLOW, /* the engine carries it: local, blackhole, not yet known, ... */
	HOP_OK,
	HOP_UNREACHABLE, /* no route: R_TX_NO_ROUTE */
	HOP_LOOP,	 /* leaves by the tunnel itself: R_TX_LOOP */
};

struct bpf_hop {
	u32 state; /* enum bpf_hop_state */
	u32 oif;
	be32 dst;	/* outer destination */
	be32 via;	/* next hop on oif */
	be32 src;	/* outer source */
	u32 mtu;	/* rt.mtu: of the path, bytes of outer packet */
	u32 mtu_locked; /* outer DF is cleared (spec 2.3) */
	u32 gen;	/* tunl_nbma: valid while equal to bpf_ns_state.gen */
};

struct bpf_nbma_key {
	u32 ifindex;
	be32 inner; /* destination of the inner packet */
};

struct bpf_tx {
	struct bpf_hop hop; /* remote set: its route */
	u32 nbma;	    /* remote any: look in tunl_nbma */
	u8 proto;	    /* protocol parameter: 4, 137 or PROTO_ANY */
	u8 ttl, tos, df;    /* as in struct tunnel_cfg */
	u32 link;	    /* `dev` */
	/*
	 * CLOCK_BOOTTIME ns until which every packet goes to the engine: an ICMP
	 * error about our packets came in, and the engine decides what it means
	 * (path MTU, soft error). Set by the ingress program, cleared by the
	 * parent. Time-limited, so that a dead daemon stops nothing.
	 */
	u64 slow_until;
};

enum { BPF_RX_BOUND = 4 }; /* `dev`-bound tunnels per key that the program handles */

struct bpf_rx_key {
	be32 remote, local; /* zero: any */
	u32 proto;
};

/*
 * The tunnels that are up and have these addresses, in the lookup's terms (spec
 * 3.2): one whose `dev` is the arriving device ends the search, else `candidate`
 * is kept. The parent writes as candidate which of several tunnels with this key
 * the lookup would keep, be it bound or not (`dev` does not filter reception).
 *
 * A key with a local address may be in the map only while that address is this
 * namespace's; for keys with local zero the program asks tunl_local. What the
 * program must not decide by itself - more bound tunnels than fit, or a tunnel
 * that the addresses find and whose mode refuses the protocol - is an entry with
 * nbound BPF_RX_SLOW: the packet goes to the engine.
 */
enum { BPF_RX_SLOW = 0xff };

struct bpf_rx {
	u32 candidate; /* ifindex; 0: none */
	u32 nbound;    /* of bound[]; > BPF_RX_BOUND: the engine looks it up */
	struct {
		u32 link, ifindex;
	} bound[BPF_RX_BOUND];
};

/* A tunnel's entry of tunl_stats, one for each CPU. */
struct bpf_stats {
	struct tunnel_stats s;
	u64 log_next; /* CLOCK_BOOTTIME ns: when the next oddity goes to the engine, which logs */
	u32 id;	      /* of the next outer header, its low 16 bits; 0: not begun */
	u32 pad;
};

/* One per namespace, in an array map of one entry. */
struct bpf_ns_state {
	u32 gen;       /* raised at each change of routes: tunl_nbma is stale */
	u32 any_bound; /* some tunnel has `dev`: all keys must be looked at */
};

#endif
