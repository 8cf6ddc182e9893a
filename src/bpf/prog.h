/* SPDX-License-Identifier: BSD-2-Clause */
/* What the BPF programs share: their maps, and the counting. Not for the host. */
#ifndef TUNL_BPF_PROG_H
#define TUNL_BPF_PROG_H

#include <stddef.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "bpf/maps.h"
#include "bpf/trace.h"
#include "wire/gre.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"

/* The layout is part of each map's name: maps of another layout are not adopted. */
#define MAP_NAME_(name, abi) name##_##abi
#define MAP_NAME(name, abi)  MAP_NAME_(name, abi)
#define tunl_tx		     MAP_NAME(tunl_tx, BPF_MAPS_ABI)
#define tunl_rx		     MAP_NAME(tunl_rx, BPF_MAPS_ABI)
#define tunl_local	     MAP_NAME(tunl_local, BPF_MAPS_ABI)
#define tunl_nbma	     MAP_NAME(tunl_nbma, BPF_MAPS_ABI)
#define tunl_peer	     MAP_NAME(tunl_peer, BPF_MAPS_ABI)
#define tunl_seq	     MAP_NAME(tunl_seq, BPF_MAPS_ABI)
#define tunl_stats	     MAP_NAME(tunl_stats, BPF_MAPS_ABI)
#define tunl_neigh	     MAP_NAME(tunl_neigh, BPF_MAPS_ABI)
#define tunl_state	     MAP_NAME(tunl_state, BPF_MAPS_ABI)
#define tunl_base	     MAP_NAME(tunl_base, BPF_MAPS_ABI)

/* The sizes are the loader's to set. */
#define TUNL_MAP(name, map_type, flags, key_type, value_type)                                      \
	struct {                                                                                   \
		__uint(type, map_type);                                                            \
		__uint(map_flags, flags);                                                          \
		__uint(max_entries, 1);                                                            \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

TUNL_MAP(tunl_tx, BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, u32, struct bpf_tx);
TUNL_MAP(tunl_rx, BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, struct bpf_rx_key, struct bpf_rx);
TUNL_MAP(tunl_local, BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, be32, u32);
TUNL_MAP(tunl_nbma, BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, struct bpf_nbma_key, struct bpf_hop);
TUNL_MAP(tunl_peer, BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, struct bpf_peer_key, u32);
TUNL_MAP(tunl_seq, BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE, u32, struct mode_state);
TUNL_MAP(tunl_stats, BPF_MAP_TYPE_PERCPU_HASH, BPF_F_NO_PREALLOC, u32, struct bpf_stats);
TUNL_MAP(tunl_neigh, BPF_MAP_TYPE_ARRAY, 0, u32, struct bpf_neigh);
TUNL_MAP(tunl_state, BPF_MAP_TYPE_ARRAY, 0, u32, struct bpf_ns_state);
TUNL_MAP(tunl_base, BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, u32, struct tunnel_stats);

/*
 * "Not ours, or not to be finished here": other filters on the device go on,
 * and then the stack, which brings it to the engine if that has to see it.
 */
enum { HAND_OVER = TC_ACT_UNSPEC };

/* In skb->tc_index: a super-packet that was unwrapped, and still bears its mark, of that kind. */
enum { TC_INDEX_IP = 0x746c, TC_INDEX_GRE = 0x7467 };

/* BPF_F_ADJ_ROOM_DECAP_L3_IPV6, since Linux 6.3; Debian 12's headers do not have it. */
#define ADJ_ROOM_TO_IPV6 (1ULL << 8)

TUNL_INLINE struct bpf_stats *stats_of(u32 ifindex)
{
	trace_tunnel(ifindex);
	return bpf_map_lookup_elem(&tunl_stats, &ifindex);
}

TUNL_INLINE const struct bpf_ns_state *ns_state(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&tunl_state, &zero);
}

/*
 * How long packets of a tunnel with numbers follow one that was handed over, ns:
 * longer than the engine takes for what waits in its queue.
 */
#define FOLLOW_TIME 20000000ULL

/* A moment of struct bpf_tx is still to come. */
TUNL_INLINE bool is_before(u64 until)
{
	return until && bpf_ktime_get_boot_ns() < until;
}

/* A drop is always counted: by its reason, on the tunnel. */
TUNL_INLINE int drop(struct bpf_stats *st, enum reason r, int verdict)
{
	st->s.reason[r]++;
	trace_reason(r);
	return verdict;
}

/*
 * The n bytes at off where they lie in the linear part of the packet, else NULL.
 * Read anew each time (volatile), since helpers move packets: the verifier wants
 * the pointer used to be the one compared.
 */
TUNL_INLINE const void *skb_at(const struct __sk_buff *skb, u32 off, u32 n)
{
	const u8 *data = (const u8 *)(long)*(const volatile u32 *)&skb->data;
	const u8 *end = (const u8 *)(long)*(const volatile u32 *)&skb->data_end;

	return data + off + n <= end ? data + off : 0;
}

/* The same, to be written. */
TUNL_INLINE void *skb_space(const struct __sk_buff *skb, u32 off, u32 n)
{
	return (void *)skb_at(skb, off, n);
}

/* The same, fetching them into the linear part; NULL: the packet is shorter. */
TUNL_INLINE const void *skb_bytes(struct __sk_buff *skb, u32 off, u32 n)
{
	const void *p = skb_at(skb, off, n);

	if (p)
		return p;
	return bpf_skb_pull_data(skb, off + n) ? 0 : skb_at(skb, off, n);
}

/* Whether a TCP header at off opens a connection; one that is not there counts as such. */
TUNL_INLINE bool is_syn(struct __sk_buff *skb, u32 off)
{
	u8 flags;

	return bpf_skb_load_bytes(skb, off + offsetof(struct tcp, flags), &flags, 1) ||
	       flags & TCP_F_SYN;
}

/* With `mss`: a packet that may be such a one, from its IP header on. */
TUNL_INLINE bool may_be_syn(struct __sk_buff *skb, u32 l4, u8 proto)
{
	return proto == PROTO_TCP ? is_syn(skb, l4) : ip6_is_ext(proto);
}

/*
 * A header copied out. By words: from the packed struct the compiler would take
 * single bytes, where every machine with BPF can do better (the header is
 * aligned, or the machine does not mind).
 */
TUNL_INLINE void ip6_copy(struct ip6 *to, const void *from)
{
	const u32 *w = from;
	u32 copy[IP6_HLEN / 4] = {w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9]};

	__builtin_memcpy(to, copy, sizeof(copy));
}

TUNL_INLINE void ip4_copy(struct ip4 *to, const void *from)
{
	const u32 *w = from;
	u32 copy[IP4_HLEN / 4] = {w[0], w[1], w[2], w[3], w[4]};

	__builtin_memcpy(to, copy, sizeof(copy));
}

#endif
