/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sending half: wraps what the stack routes to a tunnel device. On clsact
 * egress of the TUN device, where a packet begins with its IP header, or of a TAP
 * device, where an Ethernet header precedes it. The order of steps is the
 * driver's (spec 2), since it decides which counter moves.
 */
#ifndef TUNL_BPF_EGRESS_H
#define TUNL_BPF_EGRESS_H

#include <asm/errno.h>

#include "bpf/prog.h"
#include "wire/ecn.h"

enum { AF_INET_ = 2, TCP_DOFF = 12, UDP_HLEN_ = 8 };

/* TC_ACT_SHOT would tell the sender (ENOBUFS); the drivers' transmit never fails. */
enum { LOST = TC_ACT_STOLEN };

/* What is settled about one packet before it is touched. */
struct wrap {
	const struct bpf_tx *tx;
	const struct bpf_hop *hop;
	struct bpf_stats *st;
	struct ip4 inner;
	u32 off; /* of the inner header: the device's own header before it */
};

/*
 * Whether the mode takes this kind of packet: R_NONE, or the reason to drop it.
 * MPLS is carried, by the engine: adjust_room knows IP only.
 */
TUNL_INLINE enum reason egress_type(const struct __sk_buff *skb, u8 proto)
{
	u8 outer = PROTO_ANY;

	if (skb->protocol == be16_of(ETH_P_IP).raw)
		outer = PROTO_IPIP;
	else if (skb->protocol == be16_of(ETH_P_MPLS_UC).raw)
		outer = PROTO_MPLS;
	if (outer == PROTO_ANY || (proto != PROTO_ANY && proto != outer))
		return R_TX_INNER_TYPE;
	return R_NONE;
}

/* The route to the outer destination; NULL: the engine is to look it up. */
TUNL_INLINE const struct bpf_hop *egress_hop(const struct bpf_tx *tx, u32 ifindex, be32 inner_dst)
{
	struct bpf_nbma_key key = {.ifindex = ifindex, .inner = inner_dst};
	const struct bpf_ns_state *ns = ns_state();
	const struct bpf_hop *hop;

	if (!tx->nbma)
		return &tx->hop;
	hop = bpf_map_lookup_elem(&tunl_nbma, &key);
	if (!hop || !ns || hop->gen != ns->gen)
		return 0;
	return hop;
}

/*
 * The longest outer packet that this one makes: its own, or of a super-packet
 * the segments'. 0: of a kind not known here.
 */
TUNL_INLINE u32 egress_longest(struct __sk_buff *skb, const struct wrap *w)
{
	u32 l4 = ip4_hlen(&w->inner);
	u8 doff;

	if (!skb->gso_size)
		return IP4_HLEN + skb->len - w->off;
	if (w->inner.proto == PROTO_UDP)
		return IP4_HLEN + l4 + UDP_HLEN_ + skb->gso_size;
	if (w->inner.proto != PROTO_TCP ||
	    bpf_skb_load_bytes(skb, w->off + l4 + TCP_DOFF, &doff, 1))
		return 0;
	return IP4_HLEN + l4 + (u32)(doff >> 4) * 4 + skb->gso_size;
}

/* Segments of a super-packet; what was unwrapped before has lost the number. */
TUNL_INLINE u32 egress_segments(const struct __sk_buff *skb)
{
	if (!skb->gso_size)
		return 1;
	if (skb->gso_segs)
		return skb->gso_segs;
	return skb->len / skb->gso_size + 1;
}

/*
 * An id is always set, also with DF (spec 2.3), one for each packet on the wire.
 * Each CPU counts by itself, from a start that nobody can guess.
 */
TUNL_INLINE u16 egress_id(struct bpf_stats *st, u32 segments)
{
	u32 id = st->id ? st->id : bpf_get_prandom_u32() | 1;

	st->id = id + segments;
	return (u16)id;
}

/* The outer header for it (spec 2.2, 2.3). */
TUNL_INLINE void egress_header(const struct wrap *w, u32 segments, u32 len, struct ip4 *h)
{
	const struct bpf_tx *tx = w->tx;
	bool df = (tx->df || ip4_has_df(&w->inner)) && !w->hop->mtu_locked;
	u8 tos = tx->tos & 1 ? w->inner.tos : tx->tos;
	struct ip4_fields f = {
		.src = w->hop->src,
		.dst = w->hop->dst,
		.len = (u16)len,
		.id = egress_id(w->st, segments),
		.frag = df ? IP4_DF : 0,
		.tos = ecn_encap(tos, w->inner.tos),
		.ttl = tx->ttl ? tx->ttl : w->inner.ttl,
		.proto = PROTO_IPIP,
	};

	ip4_build(h, &f);
}

/*
 * Make room for the outer header, and mark the packet as encapsulated. One that
 * bears the mark already is refused by the helper. Where the mark is only what
 * unwrapping left behind (no helper takes it off), everything it says of the
 * inner packet is true again now; so it is of any single packet, of which nothing
 * is to be known. A super-packet with another's mark is the engine's.
 */
TUNL_INLINE long egress_grow(struct __sk_buff *skb)
{
	const u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET;
	const u64 encap = flags | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4;
	long r = bpf_skb_adjust_room(skb, IP4_HLEN, BPF_ADJ_ROOM_MAC, encap);

	if (r != -EALREADY || (skb->gso_size && skb->tc_index != TC_INDEX_UNWRAPPED))
		return r;
	skb->tc_index = 0;
	return bpf_skb_adjust_room(skb, IP4_HLEN, BPF_ADJ_ROOM_MAC, flags);
}

/*
 * Take the inner packet's route off it. Were it still there, a packet that has
 * to wait for its neighbour's address would be sent by that route's neighbour
 * afterwards, and so without an Ethernet header (neigh_update() in the kernel).
 * No helper says "drop the route"; one that puts another in its place does it.
 */
TUNL_INLINE void egress_forget_route(struct __sk_buff *skb)
{
	const struct bpf_tunnel_key none = {};

	bpf_skb_set_tunnel_key(skb, (void *)&none, offsetof(struct bpf_tunnel_key, remote_ipv6[1]),
			       0);
}

/*
 * Wrap and send. A TUN device has no Ethernet header, but redirect_neigh wants
 * one in place; it takes it off again where the underlay has none either.
 */
TUNL_INLINE int egress_send(struct __sk_buff *skb, struct wrap *w)
{
	struct bpf_redir_neigh nh = {.nh_family = AF_INET_, .ipv4_nh = w->hop->via.raw};
	u32 oif = w->hop->oif, len = skb->len - w->off, segments = egress_segments(skb);
	struct ip4 outer;

	if (egress_grow(skb))
		return HAND_OVER;
	egress_header(w, segments, len + IP4_HLEN, &outer);
	if (bpf_skb_store_bytes(skb, w->off, &outer, sizeof(outer), 0) ||
	    (!w->off && bpf_skb_change_head(skb, ETH_HLEN, 0)))
		return drop(w->st, R_TX_OUTPUT, LOST);
	egress_forget_route(skb);
	w->st->s.tx_packets++;
	w->st->s.tx_bytes += len;
	return (int)bpf_redirect_neigh(oif, &nh, sizeof(nh), 0);
}

/* Packets that the engine has to see: something about the path is not settled. */
TUNL_INLINE bool egress_is_slow(const struct bpf_tx *tx)
{
	return tx->slow_until && bpf_ktime_get_boot_ns() < tx->slow_until;
}

TUNL_INLINE int egress_ip4(struct __sk_buff *skb, struct wrap *w)
{
	const void *inner = skb_bytes(skb, w->off, IP4_HLEN);
	u32 longest;

	if (!inner)
		return drop(w->st, R_TX_INNER_SHORT, LOST);
	ip4_copy(&w->inner, inner);
	w->hop = egress_hop(w->tx, skb->ifindex, w->inner.dst);
	if (!w->hop || w->hop->state == HOP_SLOW || egress_is_slow(w->tx))
		return HAND_OVER;
	if (w->hop->state == HOP_UNREACHABLE)
		return drop(w->st, R_TX_NO_ROUTE, LOST);
	if (w->hop->state == HOP_LOOP)
		return drop(w->st, R_TX_LOOP, LOST);
	longest = egress_longest(skb, w);
	if (!longest || longest > w->hop->mtu || skb->len - w->off + IP4_HLEN > IP4_MAX_LEN)
		return HAND_OVER;
	return egress_send(skb, w);
}

TUNL_INLINE int egress(struct __sk_buff *skb, u32 off)
{
	u32 ifindex = skb->ifindex;
	struct wrap w = {.off = off};
	enum reason r;

	w.tx = bpf_map_lookup_elem(&tunl_tx, &ifindex);
	w.st = stats_of(ifindex);
	if (!w.tx || !w.st)
		return HAND_OVER;
	r = egress_type(skb, w.tx->proto);
	if (r != R_NONE)
		return drop(w.st, r, LOST);
	if (skb->protocol != be16_of(ETH_P_IP).raw)
		return HAND_OVER;
	return egress_ip4(skb, &w);
}

#endif
