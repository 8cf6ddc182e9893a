/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The receiving half: unwraps what comes in from an underlay device for one of
 * the tunnels. On clsact ingress, so before the stack's own checks: what this
 * takes it must have checked itself (spec 3.1), and what it is not sure of it
 * leaves to the stack, and so to the engine.
 */
#ifndef TUNL_BPF_INGRESS_H
#define TUNL_BPF_INGRESS_H

#include "bpf/prog.h"
#include "wire/ecn.h"

enum { LOG_INTERVAL = 1000000000 }; /* ns */

/* A tunnel found; RX_NONE, or RX_SLOW: the engine is to look it up. */
enum { PACKET_HOST_ = 0 };

enum { RX_NONE = 0, RX_SLOW = 0xffffffff };

struct rx_search {
	struct bpf_rx_key key;
	u32 iif;
	u32 candidate;
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

/*
 * The lookup of spec 3.2: remote and local, remote, local, neither. Where no
 * tunnel is bound to a device the first one found is the answer.
 */
TUNL_INLINE u32 rx_find(be32 remote, be32 local, u32 proto, u32 iif)
{
	struct rx_search s = {.key = {remote, local, proto}, .iif = iif};
	const struct bpf_ns_state *ns = ns_state();
	bool ours, all = !ns || ns->any_bound;
	u32 found = rx_step(&s);

	if (found || (s.candidate && !all))
		return found ? found : s.candidate;
	ours = bpf_map_lookup_elem(&tunl_local, &local) != 0;
	s.key.local.raw = 0;
	if (ours)
		found = rx_step(&s);
	if (found || (s.candidate && !all))
		return found ? found : s.candidate;
	s.key.remote.raw = 0;
	s.key.local = local;
	found = rx_step(&s);
	if (found || (s.candidate && !all))
		return found ? found : s.candidate;
	s.key.local.raw = 0;
	if (ours)
		found = rx_step(&s);
	return found ? found : s.candidate;
}

/*
 * An outer header that the stack would accept as it is and that needs nothing
 * but taking off. The rest (options, fragments, damage) is the stack's.
 */
TUNL_INLINE bool ingress_is_plain(const struct ip4 *outer, u32 have)
{
	u32 len = be16_host(outer->len);

	return outer->ver_ihl == 0x45 && !ip4_is_fragment(outer) && len >= 2 * IP4_HLEN &&
	       len <= have && csum_ok(ip4_sum(outer));
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

/* The changed two first bytes and checksum of the inner header, written back. */
TUNL_INLINE int ingress_store_ecn(struct __sk_buff *skb, u32 off, struct ip4 *inner, u8 ecn)
{
	ip4_set_ecn(inner, ecn);
	if (bpf_skb_store_bytes(skb, off + offsetof(struct ip4, tos), &inner->tos, 1, 0))
		return -1;
	return (int)bpf_skb_store_bytes(skb, off + offsetof(struct ip4, check), &inner->check, 2,
					0);
}

struct unwrap {
	struct ip4 outer, inner;
	u32 off;    /* of the outer header */
	u32 tunnel; /* ifindex */
};

TUNL_INLINE int ingress_deliver(struct __sk_buff *skb, struct unwrap *u, struct bpf_stats *st,
				const u8 *ecn)
{
	const u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET;
	u32 end = u->off + be16_host(u->outer.len);

	if (end < skb->len && bpf_skb_change_tail(skb, end, 0))
		return HAND_OVER;
	if (bpf_skb_adjust_room(skb, -IP4_HLEN, BPF_ADJ_ROOM_MAC, flags))
		return HAND_OVER;
	if (ecn && ingress_store_ecn(skb, u->off, &u->inner, *ecn))
		return drop(st, R_RX_DELIVER, TC_ACT_SHOT);
	if (skb->gso_size)
		skb->tc_index = TC_INDEX_UNWRAPPED;
	st->s.rx_packets++;
	st->s.rx_bytes += end - u->off - IP4_HLEN;
	return (int)bpf_redirect(u->tunnel, BPF_F_INGRESS);
}

/* ECN across the tunnel (spec 4), and then to the tunnel device. */
TUNL_INLINE int ingress_decap(struct __sk_buff *skb, struct unwrap *u)
{
	struct bpf_stats *st = stats_of(u->tunnel);
	u8 ecn = 0;

	if (!st)
		return HAND_OVER;
	switch (ecn_decap(u->outer.tos, u->inner.tos, &ecn)) {
	case ECN_DROP:
		return ingress_logs(st) ? HAND_OVER : drop(st, R_RX_ECN, TC_ACT_SHOT);
	case ECN_KEEP_LOG:
		if (ingress_logs(st))
			return HAND_OVER;
		break;
	case ECN_SET:
		return ingress_deliver(skb, u, st, &ecn);
	case ECN_KEEP:
		break;
	}
	return ingress_deliver(skb, u, st, 0);
}

TUNL_INLINE int ingress_ipip(struct __sk_buff *skb, u32 off)
{
	const u8 *h = skb_bytes(skb, off, 2 * IP4_HLEN);
	struct unwrap u = {.off = off};

	if (!h)
		return HAND_OVER;
	ip4_copy(&u.outer, h);
	ip4_copy(&u.inner, h + IP4_HLEN);
	if (!ingress_is_plain(&u.outer, skb->len - off))
		return HAND_OVER;
	u.tunnel = rx_find(u.outer.src, u.outer.dst, u.outer.proto, skb->ifindex);
	if (u.tunnel == RX_NONE || u.tunnel == RX_SLOW)
		return HAND_OVER;
	return ingress_decap(skb, &u);
}

#endif
