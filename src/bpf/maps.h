/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The maps of the bpf datapath, for the programs and the loader alike. Each
 * network namespace with a tunnel has a set of its own, held only by the
 * programs on its devices: when the namespace goes, all of it goes, with no
 * help of ours. A new daemon finds them again by the programs (loader.h). One
 * of them, tunl_seq, is shared by all namespaces of a daemon, and with its engine.
 *
 *	tunl_tx     ifindex of a tunnel device -> struct bpf_tx
 *	tunl_rx     addresses, protocol, key   -> struct bpf_rx
 *	tunl_local  address                    -> 1: it is this namespace's
 *	tunl_nbma   (ifindex, inner dst)       -> struct bpf_hop
 *	tunl_peer   (ifindex, peer or prefix)  -> 1: isatap takes packets of it
 *	tunl_stats  ifindex, 0 for "no tunnel" -> struct bpf_stats, per CPU
 *	tunl_seq    slot, of BPF_SEQ_MAX       -> struct mode_state
 *	tunl_neigh  number, of BPF_NEIGH_MAX   -> struct bpf_neigh
 *	tunl_state  0                          -> struct bpf_ns_state
 *	tunl_base   ifindex                    -> struct tunnel_stats: what was counted
 *						  in maps that have been outgrown
 */
#ifndef TUNL_BPF_MAPS_H
#define TUNL_BPF_MAPS_H

#include "lib/types.h"
#include "mode/fast.h"
#include "model/peers.h"
#include "model/stats.h"

#define BPF_MAPS_ABI 4 /* part of the maps' names: tunl_tx_1 ... */

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

/*
 * By the destination of the inner packet; where that embeds an IPv4 address of
 * the tunnel's 6rd prefix, by that one (bpf_nbma_outer()), since many share it.
 */
struct bpf_nbma_key {
	u32 ifindex;
	struct ip6_addr inner; /* IPv4: ::ffff:a.b.c.d */
};

TUNL_INLINE struct bpf_nbma_key bpf_nbma_inner4(u32 ifindex, be32 inner)
{
	return (struct bpf_nbma_key){ifindex, {{{0}, {0}, be32_of(0xffff), inner}}};
}

TUNL_INLINE struct bpf_nbma_key bpf_nbma_inner6(u32 ifindex, const struct ip6_addr *inner,
						const struct mode_fast *how)
{
	struct bpf_nbma_key key = {ifindex, *inner};
	be32 outer;

	/* ffff::/16 is nobody's address */
	if (how->rules & FAST_EMBEDS && sixrd_extract(&how->sixrd, inner, &outer) &&
	    !be32_is_zero(outer))
		key.inner = (struct ip6_addr){{be32_of(0xffff0000), {0}, {0}, outer}};
	return key;
}

struct bpf_tx {
	struct bpf_hop hop;   /* remote set: its route */
	u32 nbma;	      /* remote any: look in tunl_nbma */
	u8 ttl, tos, df, pad; /* as in struct tunnel_cfg */
	struct mode_fast how; /* by the mode */
	u32 link;	      /* `dev` */
	u32 neigh; /* of hop: its entry of tunl_neigh; 0: ask the kernel for the neighbour */
	u32 seq;   /* gre with numbers: its entry of tunl_seq */
	/*
	 * CLOCK_BOOTTIME ns until which every packet goes to the engine: an ICMP
	 * error about our packets came in, and the engine decides what it means
	 * (path MTU, soft error). Set by the ingress program, cleared by the
	 * parent. Time-limited, so that a dead daemon stops nothing.
	 */
	u64 slow_until;
	struct peers peers; /* without remote: of whom packets are taken; n 0: of all */
	/*
	 * The same for tunnels with numbers, each way: a packet was handed over, and
	 * until then others follow it, so that none overtakes it. At the other end
	 * (here, receiving) a packet that was overtaken counts as stale and is lost.
	 * Set by the programs.
	 */
	u64 follow_tx, follow_rx;
};

/*
 * tunl_seq has the numbers of every tunnel of the daemon, whoever carries it, by
 * its slot: programs and engine, which has it mapped, take from one counter. So
 * its size is that of the slots (ENGINE_SLOTS), and it never grows: 1 MiB.
 */
enum { BPF_SEQ_MAX = 131072 };

/*
 * What the kernel's neighbour entry of a next hop says, so that nobody has to ask for
 * it packet by packet. The parent writes it at each change. An entry that the kernel
 * calls stale is good to send by, but for one packet that has to go the kernel's way,
 * so that the kernel sees it used and asks whether the neighbour is still there: the
 * program that sends that packet makes NEIGH_TOUCH NEIGH_OK.
 */
enum bpf_neigh_state { NEIGH_NONE, NEIGH_OK, NEIGH_TOUCH };

enum { BPF_NEIGH_MAX = 1024 };

struct bpf_neigh {
	u32 state; /* enum bpf_neigh_state */
	u16 pad;
	be16 eth[7]; /* the Ethernet header */
};

enum { BPF_RX_BOUND = 4 }; /* `dev`-bound tunnels per key that the program handles */

/*
 * Steps 1 to 3 of the lookup (spec 3.2) want the same key, or none on both sides.
 * The last one, with neither address, takes a missing key for 0: there `keyed`
 * is 0 always.
 */
struct bpf_rx_key {
	be32 remote, local; /* zero: any */
	be32 key;
	u8 proto; /* outer: 4, 41, 47 */
	u8 keyed; /* 1: the packet bears a key, the tunnel has one */
	u16 pad;
};

/*
 * Of whom an isatap tunnel takes packets (spec 8.2): of a router in its list,
 * an outer address behind zeroes; and with an address of the sender's own, in
 * the prefix of one of the tunnel's: the first 64 bits of it, then zero.
 */
struct bpf_peer_key {
	u32 ifindex;
	be32 prefix[2];
	be32 router;
};

/*
 * The tunnels that are up and have these addresses, in the lookup's terms (spec
 * 3.2): one whose `dev` is the arriving device ends the search, else `candidate`
 * is kept (protocol 41, spec 3.3: ends the search as well). The parent writes as candidate which of
 * several tunnels with this key the lookup would keep, be it bound or not (`dev` does not filter
 * reception).
 *
 * A key with a local address may be in the map only while that address is this
 * namespace's; for keys with local zero the program asks tunl_local. What the
 * program must not decide by itself - more bound tunnels than fit, or a tunnel
 * that the addresses find and whose mode refuses the protocol - is an entry with
 * nbound BPF_RX_SLOW: the packet goes to the engine.
 */
enum { BPF_RX_SLOW = 0xff };

/* Beside an ifindex in struct bpf_rx: what tunl_tx has of the tunnel decides about packets. */
#define BPF_RX_LOOK 0x80000000U

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
	u32 beat;     /* bpf_ns_state.beat when last looked at */
	u64 beat_end; /* jiffies until which it holds */
};

/* One per namespace, in an array map of one entry. */
struct bpf_ns_state {
	u32 gen;       /* raised at each change of routes: tunl_nbma is stale */
	u32 any_bound; /* some tunnel has `dev`: all keys must be looked at */
	/*
	 * Raised by the parent again and again; where it stands still for beat_ticks
	 * jiffies nobody keeps tunl_neigh, and it is believed no longer.
	 */
	u32 beat, beat_ticks;
};

#endif
