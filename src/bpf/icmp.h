/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP errors about our outer packets, as the receiving program sees them pass.
 * They always go on up the stack, which learns from them, and to the engine,
 * which decides what they mean (spec 5.3). What is done here makes the very
 * next packet on the tunnel take account of them: it goes to the engine, and a
 * smaller path MTU is noted at once.
 */
#ifndef TUNL_BPF_ICMP_H
#define TUNL_BPF_ICMP_H

#include "bpf/ingress.h"

enum {
	ICMP_UNREACH_ = 3,
	ICMP_REDIRECT_ = 5,
	ICMP_TIME_ = 11,
	ICMP_FRAG_NEEDED_ = 4,
	ICMP_SR_FAILED_ = 5,
	ICMP_SUM_MAX = 640, /* RFC 1812: an error is 576 bytes at most */
	ICMP_SUM_STEP = 64,
	PMTU_MIN = 552, /* spec 5.3: the kernel's min_pmtu */
};

#define SLOW_TIME 2000000000ULL /* ns */

struct icmp_quote {
	u8 type, code;
	be16 check;
	be16 unused, mtu;
	struct ip4 ip;
	struct gre gre; /* of gre, with what follows first in it */
	be32 gre_key;
} __attribute__((packed));

/* Whether a tunnel of any mode heeds it (spec 5.3); the engine knows which. */
TUNL_INLINE bool icmp_is_heeded(u8 type, u8 code)
{
	if (type == ICMP_UNREACH_)
		return code != ICMP_SR_FAILED_;
	return type == ICMP_REDIRECT_ || (type == ICMP_TIME_ && code == 0);
}

/* The message's checksum, which the stack has not yet verified. */
TUNL_INLINE bool icmp_sum_ok(struct __sk_buff *skb, u32 off, u32 len)
{
	u32 buf[ICMP_SUM_STEP / 4];
	s64 sum = 0;

	if (len > ICMP_SUM_MAX)
		return false;
	for (u32 at = 0; at < ICMP_SUM_MAX && at < len; at += ICMP_SUM_STEP) {
		u32 last = min_of(len - at, (u32)ICMP_SUM_STEP) - 1;

		__builtin_memset(buf, 0, sizeof(buf));
		/*
		 * Linux 6.1 learns nothing from "is not 0", so the length is made
		 * of the last byte's index, which must not be folded away again.
		 */
		__asm__ volatile("" : "+r"(last));
		if (last >= ICMP_SUM_STEP || bpf_skb_load_bytes(skb, off + at, buf, last + 1))
			return false;
		sum = bpf_csum_diff(0, 0, buf, sizeof(buf), (u32)sum);
		if (sum < 0)
			return false;
	}
	return csum_ok((u32)sum);
}

/* A smaller path MTU, by the kernel's rule (spec 5.3). False: it is not smaller. */
TUNL_INLINE bool icmp_lower_mtu(struct bpf_hop *hop, u32 mtu)
{
	if (mtu >= hop->mtu)
		return false;
	if (mtu < PMTU_MIN) {
		hop->mtu = min_of(hop->mtu, (u32)PMTU_MIN);
		hop->mtu_locked = 1;
	} else {
		hop->mtu = mtu;
	}
	return true;
}

/*
 * What the tunnel that sent the quoted packet is found by. A gre header with a
 * checksum is longer than what is sure to be quoted (spec 5.3), and the engine's.
 */
TUNL_INLINE bool icmp_quoted_key(const struct icmp_quote *q, struct bpf_rx_key *key)
{
	*key = (struct bpf_rx_key){.remote = q->ip.dst, .local = q->ip.src, .proto = q->ip.proto};
	if (q->ip.proto == PROTO_IPIP || q->ip.proto == PROTO_IPV6)
		return true;
	if (q->ip.proto != PROTO_GRE || be16_host(q->gre.flags) & GRE_C)
		return false;
	if (be16_host(q->gre.flags) & GRE_K) {
		key->key = q->gre_key;
		key->keyed = 1;
	}
	return true;
}

TUNL_INLINE void icmp_note(const struct icmp_quote *q, u32 tunnel)
{
	struct bpf_tx *tx = bpf_map_lookup_elem(&tunl_tx, &tunnel);

	if (!tx)
		return;
	if (q->type == ICMP_UNREACH_ && q->code == ICMP_FRAG_NEEDED_ && !tx->nbma &&
	    !icmp_lower_mtu(&tx->hop, be16_host(q->mtu)))
		return;
	tx->slow_until = bpf_ktime_get_boot_ns() + SLOW_TIME;
}

/* An ICMP message came in, its IP header at off. Nothing is done to the packet. */
TUNL_INLINE void ingress_icmp(struct __sk_buff *skb, u32 off)
{
	struct icmp_quote q;
	struct bpf_rx_key key;
	struct ip4 outer;
	u32 tunnel, len;

	if (bpf_skb_load_bytes(skb, off, &outer, sizeof(outer)))
		return;
	len = be16_host(outer.len);
	if (!ingress_is_plain(&outer, skb->len - off) || len < IP4_HLEN + sizeof(q))
		return;
	if (bpf_skb_load_bytes(skb, off + IP4_HLEN, &q, sizeof(q)))
		return;
	if (!icmp_is_heeded(q.type, q.code) || q.ip.ver_ihl != 0x45)
		return;
	if (!icmp_quoted_key(&q, &key))
		return;
	tunnel = rx_find(key, skb->ifindex);
	if (tunnel == RX_NONE || tunnel == RX_SLOW || !csum_ok(ip4_sum(&q.ip)))
		return;
	if (icmp_sum_ok(skb, off + IP4_HLEN, len - IP4_HLEN))
		icmp_note(&q, tunnel);
}

#endif
