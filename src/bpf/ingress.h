/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The receiving half: unwraps what comes in from an underlay device for one of
 * the tunnels. On clsact ingress, so before the stack's own checks: what this
 * takes it must have checked itself (spec 3.1), and what it is not sure of it
 * leaves to the stack, and so to the engine.
 */
#ifndef TUNL_BPF_INGRESS_H
#define TUNL_BPF_INGRESS_H

#include <asm/errno.h>

#include "bpf/prog.h"
#include "wire/ecn.h"
#include "wire/isatap.h"

enum { LOG_INTERVAL = 1000000000 }; /* ns */

enum { ICMP6_ADVERTISEMENT = 134, ICMP6_REDIRECT = 137 }; /* RFC 4861 4.2, 4.5 */

/* A tunnel found; RX_NONE, or RX_SLOW: the engine is to look it up. */
enum { PACKET_HOST_ = 0 };

enum { RX_NONE = 0, RX_SLOW = 0xffffffff };

struct rx_search {
	struct bpf_rx_key key;
	u32 iif;
	u32 candidate;
	bool all; /* a tunnel bound to the device may go before the candidate */
};

/* One step of the lookup, with the key that s now has. */
TUNL_INLINE u32 rx_step(struct rx_search *s)
{
	const struct bpf_rx *rx = bpf_map_lookup_elem(&tunl_rx, &s->key);

	if (!rx)
		return RX_NONE;
	if (rx->nbound > BPF_RX_BOUND)
		return RX_SLOW;
#pragma clang loop unroll(full)
	for (u32 i = 0; i < BPF_RX_BOUND; i++)
		if (i < rx->nbound && rx->bound[i].link == s->iif)
			return rx->bound[i].ifindex;
	if (!s->candidate)
		s->candidate = rx->candidate;
	return RX_NONE;
}

/* The candidate so far, where nothing can go before it. */
TUNL_INLINE u32 rx_settled(const struct rx_search *s, u32 found)
{
	return found || s->all ? found : s->candidate;
}

/*
 * The lookup of spec 3.2: remote and local, remote, local, neither. Where no
 * tunnel is bound to a device the first one found is the answer; so it is with
 * sit always (3.3). A function by itself with numbers for arguments: the verifier
 * looks at such a one once, and not once more for every way that leads to it.
 */
__attribute__((noinline)) u32 rx_look_up(u32 remote, u32 local, u32 number, u32 kind, u32 iif)
{
	struct bpf_rx_key key = {.remote = {remote},
				 .local = {local},
				 .key = {number},
				 .proto = (u8)kind,
				 .keyed = (u8)(kind >> 8)};
	struct rx_search s = {.key = key, .iif = iif};
	const struct bpf_ns_state *ns = ns_state();
	u32 found = rx_step(&s);
	bool ours;

	s.all = key.proto != PROTO_IPV6 && (!ns || ns->any_bound);
	found = rx_settled(&s, found);
	if (found)
		return found;
	ours = bpf_map_lookup_elem(&tunl_local, &key.local) != 0;
	s.key.local.raw = 0;
	if (ours)
		found = rx_settled(&s, rx_step(&s));
	if (found)
		return found;
	s.key.remote.raw = 0;
	s.key.local = key.local;
	found = rx_settled(&s, rx_step(&s));
	if (found)
		return found;
	s.key.local.raw = 0;
	s.key.keyed = 0;
	if (ours)
		found = rx_step(&s);
	return found ? found : s.candidate;
}

TUNL_INLINE u32 rx_find(struct bpf_rx_key key, u32 iif)
{
	return rx_look_up(key.remote.raw, key.local.raw, key.key.raw,
			  key.proto | (u32)key.keyed << 8, iif);
}

/*
 * An outer header that the stack would accept as it is and that needs nothing
 * but taking off. The rest (options, fragments, damage) is the stack's.
 */
TUNL_INLINE bool ingress_is_plain(const struct ip4 *outer, u32 have)
{
	u32 len = be16_host(outer->len);

	return outer->ver_ihl == 0x45 && !ip4_is_fragment(outer) && len <= have &&
	       csum_ok(ip4_sum(outer));
}

/* Once a second and CPU an oddity goes the engine's way, for a line in the log. */
TUNL_INLINE bool ingress_logs(struct bpf_stats *st)
{
	u64 now = bpf_ktime_get_boot_ns();

	if (now < st->log_next)
		return false;
	st->log_next = now + LOG_INTERVAL;
	return true;
}

struct unwrap {
	struct ip4 outer;
	struct bpf_rx_key key;
	u32 off;    /* of the outer header */
	u32 hlen;   /* bytes before the inner packet: both headers */
	u32 tunnel; /* ifindex */
	u32 seq;    /* with GRE_S in flags */
	u16 flags;  /* of the gre header */
	bool is_v6;
	bool engines;		    /* not to be finished here, whatever tunnel it is for */
	struct bpf_tx *tx;	    /* the tunnel's */
	struct mode_state *numbers; /* of a tunnel that looks at them; else NULL */
	union {
		struct ip4 in4;
		struct ip6 in6;
	};
};

/* Another ECN codepoint for the inner packet. 0, or an error. */
TUNL_INLINE long ingress_store_ecn(struct __sk_buff *skb, struct unwrap *u, u8 ecn)
{
	long r;

	if (u->is_v6) {
		ip6_set_ecn(&u->in6, ecn);
		return bpf_skb_store_bytes(skb, u->off, &u->in6.vtf, 4, BPF_F_RECOMPUTE_CSUM);
	}
	ip4_set_ecn(&u->in4, ecn);
	r = bpf_skb_store_bytes(skb, u->off + offsetof(struct ip4, tos), &u->in4.tos, 1, 0);
	return r ? r
		 : bpf_skb_store_bytes(skb, u->off + offsetof(struct ip4, check), &u->in4.check, 2,
				       0);
}

/* Take the headers off. 0, or an error with the packet as it was. */
TUNL_INLINE long ingress_shrink(struct __sk_buff *skb, const struct unwrap *u)
{
	const u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET;
	const s32 more = IP6_HLEN - IP4_HLEN;
	s32 hlen = (s32)u->hlen;
	long r;

	if (!u->is_v6)
		return bpf_skb_adjust_room(skb, -hlen, BPF_ADJ_ROOM_MAC, flags);
	r = bpf_skb_adjust_room(skb, -hlen, BPF_ADJ_ROOM_MAC, flags | ADJ_ROOM_TO_IPV6);
	if (r != -EINVAL)
		return r;
	/* before Linux 6.3: to become IPv6 it grows at its front, by what is then to go as well */
	if (bpf_skb_change_proto(skb, be16_of(ETH_P_IPV6).raw, 0))
		return -EINVAL;
	return bpf_skb_adjust_room(skb, -hlen - more, BPF_ADJ_ROOM_MAC, flags);
}

/* The packet's number counts as received (spec 7.2); none goes back behind a later one. */
TUNL_INLINE void ingress_numbered(const struct unwrap *u)
{
	volatile u32 *expected;
	u32 was;

	if (!u->numbers)
		return;
	expected = &u->numbers->expected_seq;
	was = *expected;
	if (!was || (s32)(u->seq + 1 - was) > 0)
		*expected = u->seq + 1;
}

/*
 * To the engine. Where numbers are looked at, what comes behind it goes there too,
 * for a while: nothing may overtake it.
 */
TUNL_INLINE int ingress_hand_over(const struct unwrap *u)
{
	if (u->numbers)
		u->tx->follow_rx = bpf_ktime_get_boot_ns() + FOLLOW_TIME;
	return HAND_OVER;
}

TUNL_INLINE int ingress_deliver(struct __sk_buff *skb, struct unwrap *u, struct bpf_stats *st,
				const u8 *ecn)
{
	u32 end = u->off + be16_host(u->outer.len);

	if (end < skb->len && bpf_skb_change_tail(skb, end, 0))
		return ingress_hand_over(u);
	if (ingress_shrink(skb, u))
		return ingress_hand_over(u);
	ingress_numbered(u);
	if (ecn && ingress_store_ecn(skb, u, *ecn))
		return drop(st, R_RX_DELIVER, TC_ACT_SHOT);
	if (skb->gso_size)
		skb->tc_index = u->key.proto == PROTO_GRE ? TC_INDEX_GRE : TC_INDEX_IP;
	st->s.rx_packets++;
	st->s.rx_bytes += end - u->off - u->hlen;
	return (int)bpf_redirect(u->tunnel, BPF_F_INGRESS);
}

/* ECN across the tunnel (spec 4), and then to the tunnel device. */
TUNL_INLINE int ingress_decap(struct __sk_buff *skb, struct unwrap *u)
{
	struct bpf_stats *st = stats_of(u->tunnel);
	u8 ecn = 0;

	if (!st)
		return HAND_OVER;
	switch (ecn_decap(u->outer.tos, u->is_v6 ? ip6_tclass(&u->in6) : u->in4.tos, &ecn)) {
	case ECN_DROP:
		if (ingress_logs(st))
			return ingress_hand_over(u);
		ingress_numbered(u);
		return drop(st, R_RX_ECN, TC_ACT_SHOT);
	case ECN_KEEP_LOG:
		if (ingress_logs(st))
			return ingress_hand_over(u);
		break;
	case ECN_SET:
		return ingress_deliver(skb, u, st, &ecn);
	case ECN_KEEP:
		break;
	}
	return ingress_deliver(skb, u, st, 0);
}

/*
 * The gre header (spec 7.2). False: the engine's - a checksum to verify, and all
 * that is dropped. So are kinds that are neither IPv4 nor IPv6.
 */
TUNL_INLINE bool ingress_gre(struct __sk_buff *skb, struct unwrap *u)
{
	struct {
		be16 flags, type;
		be32 word[2];
	} h;
	u16 type;

	if (be16_host(u->outer.len) < u->hlen + GRE_MIN_PAYLOAD ||
	    bpf_skb_load_bytes(skb, u->off + u->hlen, &h, sizeof(h)))
		return false;
	u->flags = be16_host(h.flags);
	type = be16_host(h.type);
	if (gre_is_refused(u->flags) || u->flags & GRE_C)
		return false;
	u->engines |= type != ETH_P_IP && type != ETH_P_IPV6;
	u->is_v6 = type == ETH_P_IPV6;
	u->hlen += gre_hlen(u->flags);
	if (u->flags & GRE_K) {
		u->key.key = h.word[0];
		u->key.keyed = 1;
	}
	u->seq = be32_host(u->flags & GRE_K ? h.word[1] : h.word[0]);
	return true;
}

/*
 * The inner header. False: it is not to be had. A gre packet that is shorter than that
 * needs is the engine's to refuse, by whatever tunnel, as its number counts before that.
 */
TUNL_INLINE bool ingress_inner(struct __sk_buff *skb, struct unwrap *u)
{
	u32 at = u->off + u->hlen;

	if (be16_host(u->outer.len) < u->hlen + (u->is_v6 ? IP6_HLEN : IP4_HLEN)) {
		if (u->key.proto != PROTO_GRE)
			return false;
		u->engines = true;
	}
	if (u->engines)
		return true;
	return !(u->is_v6 ? bpf_skb_load_bytes(skb, at, &u->in6, sizeof(u->in6))
			  : bpf_skb_load_bytes(skb, at, &u->in4, sizeof(u->in4)));
}

/* Whether both embedded addresses, if any, are the outer ones (spec 6.4). */
TUNL_INLINE bool accept_6rd(const struct bpf_tx *tx, const struct unwrap *u)
{
	be32 src = u->outer.src, dst = u->outer.dst;

	sixrd_extract(&tx->how.sixrd, &u->in6.src, &src);
	sixrd_extract(&tx->how.sixrd, &u->in6.dst, &dst);
	return be32_eq(src, u->outer.src) && be32_eq(dst, u->outer.dst);
}

/*
 * Whether it may be an advertisement or redirect, which the engine lets through
 * of some senders only.
 */
TUNL_INLINE bool advertises(struct __sk_buff *skb, const struct unwrap *u)
{
	u8 type;

	if (u->in6.next == PROTO_TCP || u->in6.next == PROTO_UDP)
		return false;
	if (u->in6.next != PROTO_ICMPV6 ||
	    bpf_skb_load_bytes(skb, u->off + u->hlen + IP6_HLEN, &type, 1))
		return true;
	return type == ICMP6_ADVERTISEMENT || type == ICMP6_REDIRECT;
}

/* Of a router, or of a sender with an address of its own on our link (spec 8.2). */
TUNL_INLINE bool accept_isatap(struct __sk_buff *skb, const struct unwrap *u)
{
	struct bpf_peer_key router = {.ifindex = u->tunnel, .router = u->outer.src};
	struct bpf_peer_key link = {.ifindex = u->tunnel,
				    .prefix = {u->in6.src.w[0], u->in6.src.w[1]}};

	if (advertises(skb, u))
		return false;
	if (bpf_map_lookup_elem(&tunl_peer, &router))
		return true;
	return isatap_is(&u->in6.src) && be32_eq(ip6_embedded(&u->in6.src), u->outer.src) &&
	       bpf_map_lookup_elem(&tunl_peer, &link);
}

/*
 * Whether the number is one to accept (spec 7.2): TC_ACT_OK, or what becomes of
 * the packet. It is noted once the packet's fate is settled here: in two steps, as
 * the driver does it, which takes no lock either. Packets that come in by several
 * CPUs at once may so pass beside each other, and then each is within what its
 * CPU had seen; their order on the wire is nobody's to say. An atomic compare and
 * swap would bind the receiving program to Linux 5.12 and settle nothing more.
 */
TUNL_INLINE int accept_seq(struct unwrap *u, struct bpf_stats *st)
{
	u32 slot = u->tx->seq, expected;

	u->numbers = bpf_map_lookup_elem(&tunl_seq, &slot);
	if (!u->numbers)
		return HAND_OVER;
	if (u->engines)
		return ingress_hand_over(u);
	if (is_before(u->tx->follow_rx))
		return HAND_OVER;
	expected = *(volatile u32 *)&u->numbers->expected_seq;
	if (!(u->flags & GRE_S) || (expected && (s32)(u->seq - expected) < 0))
		return drop(st, R_RX_SEQ, TC_ACT_SHOT);
	return TC_ACT_OK;
}

TUNL_INLINE bool ingress_is_syn(struct __sk_buff *skb, const struct unwrap *u)
{
	u32 at = u->off + u->hlen;

	return u->is_v6 ? may_be_syn(skb, at + IP6_HLEN, u->in6.next)
			: may_be_syn(skb, at + ip4_hlen(&u->in4), u->in4.proto);
}

/*
 * As peers_admit(), for a tunnel's ifindex. A global function with numbers for
 * arguments, since the verifier looks at such a one once, and not once more for every
 * way that leads here: inlined, its loop more than tripled the time that loading takes.
 */
__attribute__((noinline)) int ingress_admits(u32 tunnel, u32 from)
{
	const struct bpf_tx *tx = bpf_map_lookup_elem(&tunl_tx, &tunnel);
	const struct peers *p;
	be32 src = {from};

	if (!tx)
		return 0;
	p = &tx->peers;
	for (u32 i = 0; i < PEERS_MAX && i < p->n; i++) {
		u32 len = p->len[i], mask = len ? ~0U << ((32 - len) & 31) : 0;

		if ((be32_host(src) & mask) == be32_host(p->addr[i]))
			return 1;
	}
	return !p->n;
}

/* It may be the other end's keepalive, whose inner packet goes back to it. */
TUNL_INLINE bool ingress_returns(const struct unwrap *u)
{
	return u->in4.proto == PROTO_GRE && be32_eq(u->in4.src, u->outer.dst) &&
	       be32_eq(u->in4.dst, u->outer.src);
}

/*
 * What the mode demands of a packet. TC_ACT_OK, or what becomes of it: where the
 * demand is not met it is mostly the engine's to say so.
 */
TUNL_INLINE int ingress_accept(struct __sk_buff *skb, struct unwrap *u, struct bpf_stats *st)
{
	const struct bpf_tx *tx = u->tx;

	if (tx->how.iflags & GRE_C)
		return HAND_OVER;
	if (!u->engines && tx->how.rules & FAST_MSS)
		u->engines = ingress_is_syn(skb, u);
	if (tx->how.rules & FAST_RETURNS && !u->is_v6 && ingress_returns(u))
		u->engines = true;
	if (tx->how.rules & FAST_CHECK_6RD && u->is_v6 && !accept_6rd(tx, u))
		return HAND_OVER;
	if (tx->how.rules & FAST_CHECK_ISATAP && u->is_v6 && !accept_isatap(skb, u))
		return HAND_OVER;
	if (tx->how.iflags & GRE_S)
		return accept_seq(u, st);
	return u->engines ? HAND_OVER : TC_ACT_OK;
}

/*
 * Whether a packet that is not plain has to be looked at nevertheless: a gre packet
 * with options, or the first fragment of one, may have a number, and others must not
 * overtake it.
 */
TUNL_INLINE bool ingress_may_be_numbered(const struct ip4 *outer)
{
	if (outer->proto != PROTO_GRE || outer->ver_ihl < 0x45 || outer->ver_ihl > 0x4f)
		return false;
	return ip4_is_fragment(outer) ? !ip4_offset(outer) : outer->ver_ihl > 0x45;
}

/* Of a tunnel that has something to say about its packets. */
TUNL_INLINE int ingress_look(struct __sk_buff *skb, struct unwrap *u)
{
	struct bpf_stats *st = stats_of(u->tunnel);
	int verdict;

	u->tx = bpf_map_lookup_elem(&tunl_tx, &u->tunnel);
	if (!u->tx || !st)
		return HAND_OVER;
	if (u->tx->peers.n && !ingress_admits(u->tunnel, u->outer.src.raw))
		return drop(st, R_RX_PEER, TC_ACT_SHOT);
	verdict = ingress_accept(skb, u, st);
	return verdict == TC_ACT_OK ? ingress_decap(skb, u) : verdict;
}

/* A packet of an outer protocol that tunnels have. */
TUNL_INLINE int ingress_tunnel(struct __sk_buff *skb, u32 off, u8 proto)
{
	struct unwrap u = {.off = off, .hlen = IP4_HLEN, .is_v6 = proto == PROTO_IPV6};
	const void *h = skb_bytes(skb, off, IP4_HLEN);

	if (!h)
		return HAND_OVER;
	ip4_copy(&u.outer, h);
	u.engines = !ingress_is_plain(&u.outer, skb->len - off);
	if (u.engines) {
		if (!ingress_may_be_numbered(&u.outer))
			return HAND_OVER;
		u.hlen = ip4_hlen(&u.outer);
	}
	u.key = (struct bpf_rx_key){.remote = u.outer.src, .local = u.outer.dst, .proto = proto};
	if ((proto == PROTO_GRE && !ingress_gre(skb, &u)) || !ingress_inner(skb, &u))
		return HAND_OVER;
	u.tunnel = rx_find(u.key, skb->ifindex);
	if (u.tunnel == RX_NONE || u.tunnel == RX_SLOW)
		return HAND_OVER;
	if (proto == PROTO_IPIP && !(u.tunnel & BPF_RX_LOOK))
		return ingress_decap(skb, &u);
	u.tunnel &= ~BPF_RX_LOOK;
	return ingress_look(skb, &u);
}

#endif
