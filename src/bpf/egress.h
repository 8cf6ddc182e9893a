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

enum { AF_INET_ = 2, TCP_DOFF = 12, UDP_HLEN_ = 8, GRE_LONGEST = 12 };

/* TC_ACT_SHOT would tell the sender (ENOBUFS); the drivers' transmit never fails. */
enum { LOST = TC_ACT_STOLEN };

/* What is settled about one packet before it is touched. */
struct wrap {
	struct bpf_tx *tx;
	const struct bpf_hop *hop;
	struct bpf_stats *st;
	u32 off;	/* of the inner header: the device's own header before it */
	u32 l4;		/* bytes of the inner header, its options included */
	u8 l4_proto;	/* what follows it */
	u8 tos, ttl;	/* inner; IPv6: class, hop limit */
	bool df, is_v6; /* inner */
	u8 proto;	/* outer */
	u32 seq;	/* of the gre header */
};

/* Bytes that are put before the inner packet. */
TUNL_INLINE u32 egress_added(const struct wrap *w)
{
	return IP4_HLEN + w->tx->how.hlen;
}

/*
 * Whether the mode takes this kind of packet: R_NONE, or the reason to drop it.
 * What is neither IPv4 nor IPv6 the engine carries: adjust_room knows these only.
 */
TUNL_INLINE enum reason egress_type(const struct __sk_buff *skb, struct wrap *w)
{
	const struct mode_fast *how = &w->tx->how;

	if (skb->protocol == be16_of(ETH_P_IP).raw)
		w->proto = how->proto4;
	else if (skb->protocol == be16_of(ETH_P_IPV6).raw)
		w->proto = how->proto6;
	else if (how->rules & FAST_OTHERS)
		return R_NONE;
	else if (skb->protocol == be16_of(ETH_P_MPLS_UC).raw && how->rules & FAST_MPLS)
		return R_NONE;
	return w->proto ? R_NONE : R_TX_INNER_TYPE;
}

/* The route to the outer destination; NULL: the engine is to look it up. */
TUNL_INLINE const struct bpf_hop *egress_nbma(const struct bpf_nbma_key *key)
{
	const struct bpf_ns_state *ns = ns_state();
	const struct bpf_hop *hop = bpf_map_lookup_elem(&tunl_nbma, key);

	return hop && ns && hop->gen == ns->gen ? hop : 0;
}

TUNL_INLINE bool egress_read4(struct __sk_buff *skb, struct wrap *w)
{
	const void *at = skb_bytes(skb, w->off, IP4_HLEN);
	struct ip4 h;

	if (!at)
		return false;
	ip4_copy(&h, at);
	w->l4 = ip4_hlen(&h);
	w->l4_proto = h.proto;
	w->tos = h.tos;
	w->ttl = h.ttl;
	w->df = ip4_has_df(&h);
	w->hop = &w->tx->hop;
	if (w->tx->nbma) {
		struct bpf_nbma_key key = bpf_nbma_inner4(skb->ifindex, h.dst);

		w->hop = egress_nbma(&key);
	}
	return true;
}

TUNL_INLINE bool egress_read6(struct __sk_buff *skb, struct wrap *w)
{
	const void *at = skb_bytes(skb, w->off, IP6_HLEN);
	struct ip6 h;

	if (!at)
		return false;
	ip6_copy(&h, at);
	w->l4 = IP6_HLEN;
	w->l4_proto = h.next;
	w->tos = ip6_tclass(&h);
	w->ttl = h.hops;
	w->is_v6 = true;
	w->hop = &w->tx->hop;
	if (w->tx->nbma) {
		struct bpf_nbma_key key = bpf_nbma_inner6(skb->ifindex, &h.dst, &w->tx->how);

		w->hop = egress_nbma(&key);
	}
	return true;
}

/*
 * The longest outer packet that this one makes: its own, or of a super-packet
 * the segments'. 0: of a kind not known here.
 */
TUNL_INLINE u32 egress_longest(struct __sk_buff *skb, const struct wrap *w)
{
	u32 before = egress_added(w) + w->l4;
	u8 doff;

	if (!skb->gso_size)
		return egress_added(w) + skb->len - w->off;
	if (w->l4_proto == PROTO_UDP)
		return before + UDP_HLEN_ + skb->gso_size;
	if (w->l4_proto != PROTO_TCP ||
	    bpf_skb_load_bytes(skb, w->off + w->l4 + TCP_DOFF, &doff, 1))
		return 0;
	return before + (u32)(doff >> 4) * 4 + skb->gso_size;
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

/* The outer TOS before ECN (spec 2.2). */
TUNL_INLINE u8 egress_tos(const struct wrap *w)
{
	u8 tos = w->tx->tos;

	if (w->is_v6 && w->tx->how.rules & FAST_TOS_EXACT)
		return tos == 1 ? w->tos : tos;
	return tos & 1 ? w->tos : tos;
}

/* Spec 2.4, 6.2; not for routes of a locked MTU (2.3). */
TUNL_INLINE bool egress_df(const struct wrap *w)
{
	u16 rules = w->tx->how.rules;

	if (w->hop->mtu_locked)
		return false;
	if (w->is_v6 && rules & FAST_1280 && w->hop->mtu < IP4_HLEN + IP6_MIN_MTU)
		return false;
	return w->tx->df || (w->df && !(rules & FAST_IGNORE_DF));
}

/* The outer header for it (spec 2.2, 2.3). */
TUNL_INLINE void egress_header(const struct wrap *w, u32 segments, u32 len, struct ip4 *h)
{
	const struct bpf_tx *tx = w->tx;
	struct ip4_fields f = {
		.src = w->hop->src,
		.dst = w->hop->dst,
		.len = (u16)len,
		.id = egress_id(w->st, segments),
		.frag = egress_df(w) ? IP4_DF : 0,
		.tos = ecn_encap(egress_tos(w), w->tos),
		.ttl = tx->ttl ? tx->ttl : w->ttl,
		.proto = w->proto,
	};

	ip4_build(h, &f);
}

/* The same where the packet bears a mark already: it stays as it is. */
TUNL_INLINE long egress_grow_marked(struct __sk_buff *skb, const struct wrap *w, u64 flags)
{
	long r = 0;

	if (w->is_v6) {
		/* to become IPv4, a packet loses the first 20 bytes: let it have some to lose */
		r = bpf_skb_adjust_room(skb, IP6_HLEN - IP4_HLEN, BPF_ADJ_ROOM_MAC, flags);
		if (!r)
			r = bpf_skb_change_proto(skb, be16_of(ETH_P_IP).raw, 0);
	}
	if (r)
		return r;
	return bpf_skb_adjust_room(skb, (s32)egress_added(w), BPF_ADJ_ROOM_MAC, flags);
}

/*
 * Make room for the outer headers, and mark the packet as encapsulated. One that
 * bears the mark already is refused by the helper. Where the mark is only what
 * unwrapping left behind (no helper takes it off), everything it says of the
 * inner packet is true again now; so it is of any single packet, of which nothing
 * is to be known. A super-packet with another's mark is the engine's, and so is
 * one of IPv6: making it IPv4 would spoil what it says of its segments.
 */
TUNL_INLINE long egress_grow(struct __sk_buff *skb, const struct wrap *w)
{
	const u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET;
	u64 encap = flags | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4;
	u32 mark = TC_INDEX_IP;
	long r;

	if (w->tx->how.hlen) {
		encap |= BPF_F_ADJ_ROOM_ENCAP_L4_GRE;
		mark = TC_INDEX_GRE;
	}
	r = bpf_skb_adjust_room(skb, (s32)egress_added(w), BPF_ADJ_ROOM_MAC, encap);
	if (r != -EALREADY || (skb->gso_size && (w->is_v6 || skb->tc_index != mark)))
		return r;
	skb->tc_index = 0;
	return egress_grow_marked(skb, w, flags);
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

/* The gre header behind the outer one (spec 7.1), at `at`, where there is room for its longest. */
TUNL_INLINE void egress_gre(be32 *at, const struct wrap *w)
{
	const struct mode_fast *how = &w->tx->how;
	u32 flags = how->oflags & (GRE_K | GRE_S);

	at[0] = be32_of(flags << 16 | (w->is_v6 ? ETH_P_IPV6 : ETH_P_IP));
	if (flags & GRE_K)
		at[1] = how->okey;
	if (flags == GRE_S)
		at[1] = be32_of(w->seq);
	if (flags == (GRE_K | GRE_S))
		at[2] = be32_of(w->seq);
}

/*
 * The headers put into the room made for them, behind an Ethernet header that n tells,
 * if given. False: the packet is not even as long as they and the inner header, which
 * cannot be.
 */
TUNL_INLINE bool egress_store(struct __sk_buff *skb, const struct wrap *w, const struct ip4 *outer,
			      const struct bpf_neigh *n)
{
	u8 *at = skb_space(skb, 0, ETH_HLEN + IP4_HLEN + GRE_LONGEST);
	const u32 *from = (const void *)outer;

	if (!at)
		return false;
	if (n) {
		const u32 *eth = (const void *)&n->eth[1];

		*(u16 *)at = n->eth[0].raw;
		for (u32 i = 0; i < 3; i++)
			((u32 *)(at + 2))[i] = eth[i];
	}
	for (u32 i = 0; i < IP4_HLEN / 4; i++)
		((u32 *)(at + ETH_HLEN))[i] = from[i];
	if (w->tx->how.hlen)
		egress_gre((be32 *)(at + ETH_HLEN + IP4_HLEN), w);
	return true;
}

/* Whether the parent is there still, and keeps tunl_neigh. */
TUNL_INLINE bool egress_is_kept(struct bpf_stats *st)
{
	const struct bpf_ns_state *ns = ns_state();
	u64 now = bpf_jiffies64();

	if (ns && st->beat != ns->beat) {
		st->beat = ns->beat;
		st->beat_end = now + ns->beat_ticks;
	}
	return now < st->beat_end;
}

/* The next hop's link-layer addresses; NULL: the kernel is to see to it. */
TUNL_INLINE const struct bpf_neigh *egress_neigh(const struct wrap *w)
{
	u32 i = w->tx->neigh;
	struct bpf_neigh *n;

	if (!i || w->tx->nbma || !egress_is_kept(w->st))
		return 0;
	n = bpf_map_lookup_elem(&tunl_neigh, &i);
	if (!n || n->state == NEIGH_NONE)
		return 0;
	if (n->state == NEIGH_OK)
		return n;
	n->state = NEIGH_OK;
	return 0;
}

/*
 * To the neighbour that the kernel finds. A TUN device has no Ethernet header, but
 * redirect_neigh wants one in place; it takes it off again where the underlay has
 * none either.
 */
TUNL_INLINE int egress_by_kernel(struct __sk_buff *skb, be32 via, u32 oif)
{
	struct bpf_redir_neigh nh = {.nh_family = AF_INET_, .ipv4_nh = via.raw};

	egress_forget_route(skb);
	return (int)bpf_redirect_neigh(oif, &nh, sizeof(nh), 0);
}

/* Wrap and send. */
TUNL_INLINE int egress_send(struct __sk_buff *skb, struct wrap *w)
{
	u32 oif = w->hop->oif, len = skb->len - w->off, segments = egress_segments(skb);
	const struct bpf_neigh *n;
	be32 via = w->hop->via;
	struct ip4 outer;

	if (egress_grow(skb, w))
		return HAND_OVER;
	egress_header(w, segments, len + egress_added(w), &outer);
	n = egress_neigh(w);
	if ((!w->off && bpf_skb_change_head(skb, ETH_HLEN, 0)) || !egress_store(skb, w, &outer, n))
		return drop(w->st, R_TX_OUTPUT, LOST);
	w->st->s.tx_packets++;
	w->st->s.tx_bytes += len;
	return n ? (int)bpf_redirect(oif, 0) : egress_by_kernel(skb, via, oif);
}

/* What the route says of a packet that is not the engine's: R_NONE, or why it is lost. */
TUNL_INLINE enum reason egress_route(const struct wrap *w)
{
	if (w->hop->state == HOP_UNREACHABLE)
		return R_TX_NO_ROUTE;
	return w->hop->state == HOP_LOOP ? R_TX_LOOP : R_NONE;
}

/*
 * Whether the engine has to see it. With numbers, each packet on the wire has
 * one of its own, and a lost one takes it along; segments cannot have that here.
 */
TUNL_INLINE bool egress_needs_engine(struct __sk_buff *skb, const struct wrap *w)
{
	u32 longest;

	/* slow: something about the path is not settled */
	if (!w->hop || w->hop->state == HOP_SLOW || is_before(w->tx->slow_until))
		return true;
	if (w->tx->how.rules & FAST_MSS && may_be_syn(skb, w->off + w->l4, w->l4_proto))
		return true;
	if (w->tx->how.oflags & GRE_S && (w->hop->state != HOP_OK || skb->gso_size))
		return true;
	if (w->hop->state != HOP_OK)
		return w->hop->state == HOP_UNREACHABLE && w->tx->how.rules & FAST_TELLS;
	longest = egress_longest(skb, w);
	if (w->is_v6 && w->hop->mtu < IP4_HLEN + IP4_MIN_MTU)
		return true;
	return !longest || longest > w->hop->mtu ||
	       skb->len - w->off + egress_added(w) > IP4_MAX_LEN;
}

/*
 * The same, and of a tunnel with numbers what follows such a packet: the engine
 * numbers what it sends a moment later, and nothing may overtake that on the wire.
 */
TUNL_INLINE bool egress_is_engines(struct __sk_buff *skb, const struct wrap *w)
{
	struct bpf_tx *tx = w->tx;

	if (!(tx->how.oflags & GRE_S))
		return egress_needs_engine(skb, w);
	if (egress_needs_engine(skb, w)) {
		tx->follow_tx = bpf_ktime_get_boot_ns() + FOLLOW_TIME;
		return true;
	}
	return is_before(tx->follow_tx);
}

/* The next number of the tunnel's. False: there is none to be had here. */
TUNL_INLINE bool seq_next(struct wrap *w)
{
	u32 slot = w->tx->seq;
	struct mode_state *st;

	if (!(w->tx->how.oflags & GRE_S))
		return true;
	st = bpf_map_lookup_elem(&tunl_seq, &slot);
	if (st)
		w->seq = __sync_fetch_and_add(&st->next_seq, 1);
	return st;
}

/* What is settled at first: R_NONE, or why it is lost. No hop: the engine's. */
TUNL_INLINE enum reason egress_read(struct __sk_buff *skb, struct wrap *w)
{
	enum reason r = egress_type(skb, w);
	bool whole;

	if (r != R_NONE || !w->proto)
		return r;
	whole = skb->protocol == be16_of(ETH_P_IP).raw ? egress_read4(skb, w)
						       : egress_read6(skb, w);
	if (whole)
		return R_NONE;
	w->hop = 0;
	return w->tx->how.rules & FAST_SHORT ? R_TX_INNER_SHORT : R_NONE;
}

/* numbers: the program is one that can number packets. */
TUNL_INLINE int egress(struct __sk_buff *skb, u32 off, bool numbers)
{
	u32 ifindex = skb->ifindex;
	struct wrap w = {.off = off};
	enum reason r;

	w.tx = bpf_map_lookup_elem(&tunl_tx, &ifindex);
	w.st = stats_of(ifindex);
	if (!w.tx || !w.st || (!numbers && w.tx->how.oflags & GRE_S))
		return HAND_OVER;
	r = egress_read(skb, &w);
	if (r != R_NONE)
		return drop(w.st, r, LOST);
	if (egress_is_engines(skb, &w))
		return HAND_OVER;
	r = egress_route(&w);
	if (r != R_NONE)
		return drop(w.st, r, LOST);
	if (numbers && !seq_next(&w))
		return HAND_OVER;
	return egress_send(skb, &w);
}

#endif
