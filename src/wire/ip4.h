/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 (RFC 791): the header as it lies on the wire, reading and building. */
#ifndef TUNL_WIRE_IP4_H
#define TUNL_WIRE_IP4_H

#include "lib/types.h"
#include "wire/csum.h"
#include "wire/cur.h"

enum {
	IP4_HLEN = 20,
	IP4_MIN_MTU = 68, /* RFC 791: every link carries this much */
	IP4_MAX_LEN = 65535,
	IP4_RF = 0x8000,
	IP4_DF = 0x4000,
	IP4_MF = 0x2000,
	IP4_OFFSET = 0x1fff, /* in units of 8 bytes */
};

/* IP protocol numbers that tunl deals with. */
enum {
	PROTO_ANY = 0,
	PROTO_ICMP = 1,
	PROTO_IGMP = 2,
	PROTO_IPIP = 4,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_IPV6 = 41,
	PROTO_GRE = 47,
	PROTO_ESP = 50,
	PROTO_ICMPV6 = 58,
	PROTO_MPLS = 137,
};

struct ip4 {
	u8 ver_ihl;
	u8 tos;
	be16 len; /* header and payload */
	be16 id;
	be16 frag; /* flags and offset */
	u8 ttl;
	u8 proto;
	be16 check;
	be32 src;
	be32 dst;
} __attribute__((packed));

TUNL_INLINE u32 ip4_hlen(const struct ip4 *h)
{
	return (u32)(h->ver_ihl & 0x0f) * 4;
}

TUNL_INLINE bool ip4_has_df(const struct ip4 *h)
{
	return h->frag.raw & be16_of(IP4_DF).raw;
}

/* Part of a fragmented datagram: more follow, or this is not the first. */
TUNL_INLINE bool ip4_is_fragment(const struct ip4 *h)
{
	return h->frag.raw & be16_of(IP4_MF | IP4_OFFSET).raw;
}

TUNL_INLINE u32 ip4_offset(const struct ip4 *h)
{
	return (u32)(be16_host(h->frag) & IP4_OFFSET) * 8;
}

/* The checksum over the fixed 20 bytes, the checksum field as it stands. */
TUNL_INLINE u32 ip4_sum(const struct ip4 *h)
{
	const u8 *b = (const u8 *)h;
	u32 sum = 0;

#pragma GCC unroll 10
	for (int i = 0; i < IP4_HLEN; i += 2) {
		u16 w;

		__builtin_memcpy(&w, b + i, 2);
		sum += w;
	}
	return sum;
}

/*
 * What the tunnel decides of an outer header; the rest follows. id is in host
 * order (spec datapath 2.3: always set, also with DF).
 */
struct ip4_fields {
	be32 src, dst;
	u16 len; /* bytes, header included */
	u16 id;
	u16 frag; /* IP4_DF or 0 */
	u8 tos, ttl, proto;
};

/* Write an optionless header with its checksum at h. */
TUNL_INLINE void ip4_build(struct ip4 *h, const struct ip4_fields *f)
{
	h->ver_ihl = 0x45;
	h->tos = f->tos;
	h->len = be16_of(f->len);
	h->id = be16_of(f->id);
	h->frag = be16_of(f->frag);
	h->ttl = f->ttl;
	h->proto = f->proto;
	h->check.raw = 0;
	h->src = f->src;
	h->dst = f->dst;
	h->check = csum_finish(ip4_sum(h));
}

/* Running sum of the pseudo header that UDP and TCP checksums cover; len in bytes. */
TUNL_INLINE u32 ip4_pseudo(be32 src, be32 dst, u8 proto, u16 len)
{
	u32 sum = (src.raw & 0xffff) + (src.raw >> 16);

	sum += (dst.raw & 0xffff) + (dst.raw >> 16);
	return sum + be16_of(proto).raw + be16_of(len).raw;
}

/* 224.0.0.0/4 */
TUNL_INLINE bool ip4_is_multicast(be32 a)
{
	return (be32_host(a) & 0xf0000000) == 0xe0000000;
}

#endif
