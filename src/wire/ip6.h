/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv6 (RFC 8200): the header, its traffic class, and the walk over extension headers. */
#ifndef TUNL_WIRE_IP6_H
#define TUNL_WIRE_IP6_H

#include "lib/types.h"
#include "wire/csum.h"
#include "wire/cur.h"
#include "wire/ecn.h"
#include "wire/ip4.h"

enum {
	IP6_HLEN = 40,
	IP6_MIN_MTU = 1280, /* RFC 8200 5: every link carries this much */
	IP6_EXT_MAX = 8,    /* extension headers that ip6_walk() goes through */
};

/* Next-header values that are extension headers, or say that nothing follows. */
enum {
	PROTO_HOPOPTS = 0,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_AH = 51,
	PROTO_NONE = 59,
	PROTO_DSTOPTS = 60,
	PROTO_MOBILITY = 135,
	PROTO_HIP = 139,
	PROTO_SHIM6 = 140,
};

struct ip6_addr {
	be32 w[4];
} __attribute__((packed));

struct ip6 {
	be32 vtf; /* version (4 bits), traffic class (8), flow label (20) */
	be16 len; /* bytes after this header */
	u8 next;  /* protocol of what follows */
	u8 hops;
	struct ip6_addr src;
	struct ip6_addr dst;
} __attribute__((packed));

/* The first 4 bytes that all extension headers share, in two shapes. */
struct ip6_opthdr {
	u8 next;
	u8 len; /* in units of 8 bytes beyond the first 8; AH: of 4, minus 2 */
	be16 rest;
} __attribute__((packed));

struct ip6_fraghdr {
	u8 next;
	u8 reserved;
	be16 frag; /* offset in units of 8 bytes (13 bits), 2 reserved, more-fragments */
	be32 id;
} __attribute__((packed));

enum { IP6_MF = 1, IP6_OFFSET = 0xfff8 };

TUNL_INLINE u8 ip6_version(const struct ip6 *h)
{
	return (u8)(be32_host(h->vtf) >> 28);
}

TUNL_INLINE u8 ip6_tclass(const struct ip6 *h)
{
	return (u8)(be32_host(h->vtf) >> 20);
}

TUNL_INLINE u32 ip6_flowlabel(const struct ip6 *h)
{
	return be32_host(h->vtf) & 0xfffff;
}

TUNL_INLINE void ip6_set_tclass(struct ip6 *h, u8 tclass)
{
	h->vtf = be32_of((be32_host(h->vtf) & 0xf00fffff) | (u32)tclass << 20);
}

/* Another ECN codepoint; no checksum covers it (spec datapath 4). */
TUNL_INLINE void ip6_set_ecn(struct ip6 *h, u8 ecn)
{
	ip6_set_tclass(h, (u8)((ip6_tclass(h) & ~ECN_MASK) | ecn));
}

TUNL_INLINE bool ip6_addr_eq(const struct ip6_addr *a, const struct ip6_addr *b)
{
	return be32_eq(a->w[0], b->w[0]) && be32_eq(a->w[1], b->w[1]) &&
	       be32_eq(a->w[2], b->w[2]) && be32_eq(a->w[3], b->w[3]);
}

/* :: */
TUNL_INLINE bool ip6_is_unspecified(const struct ip6_addr *a)
{
	return !(a->w[0].raw | a->w[1].raw | a->w[2].raw | a->w[3].raw);
}

/* ff00::/8 */
TUNL_INLINE bool ip6_is_multicast(const struct ip6_addr *a)
{
	return be32_host(a->w[0]) >> 24 == 0xff;
}

/* fe80::/10 */
TUNL_INLINE bool ip6_is_linklocal(const struct ip6_addr *a)
{
	return (be32_host(a->w[0]) & 0xffc00000) == 0xfe800000;
}

/* Running sum of the pseudo header (RFC 8200 8.1); len in bytes. */
TUNL_INLINE u32 ip6_pseudo(const struct ip6_addr *src, const struct ip6_addr *dst, u8 proto,
			   u32 len)
{
	u64 sum = be32_of(len).raw;

	for (int i = 0; i < 4; i++)
		sum += (u64)src->w[i].raw + dst->w[i].raw;
	sum += be32_of(proto).raw;
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	return csum_fold((u32)sum);
}

TUNL_INLINE bool ip6_is_ext(u8 next)
{
	return next == PROTO_HOPOPTS || next == PROTO_ROUTING || next == PROTO_FRAGMENT ||
	       next == PROTO_AH || next == PROTO_DSTOPTS || next == PROTO_MOBILITY ||
	       next == PROTO_HIP || next == PROTO_SHIM6;
}

/* Bytes of an extension header of kind next (8..2048). */
TUNL_INLINE u32 ip6_ext_len(u8 next, const struct ip6_opthdr *x)
{
	if (next == PROTO_FRAGMENT)
		return sizeof(struct ip6_fraghdr);
	if (next == PROTO_AH)
		return ((u32)x->len + 2) * 4;
	return ((u32)x->len + 1) * 8;
}

/* What stands behind the extension headers. */
struct ip6_upper {
	u8 next;       /* the first kind that is no extension header, or not reached */
	bool fragment; /* a fragment header with an offset or more to follow was passed */
	u16 offset;    /* its offset in bytes; other than 0: what follows has no header */
};

enum ip6_walked {
	IP6_WALK_OK,
	IP6_WALK_SHORT, /* the bytes end within an extension header */
	IP6_WALK_LONG,	/* more than IP6_EXT_MAX of them */
};

/*
 * Go over the extension headers that follow an IPv6 header whose next field is
 * first; c stands behind the header and is left at the upper layer. Stops
 * behind a fragment header of a later fragment: there is no header there.
 */
TUNL_INLINE enum ip6_walked ip6_walk(struct cur *c, u8 first, struct ip6_upper *u)
{
	u->next = first;
	u->fragment = false;
	u->offset = 0;
	for (int i = 0; i < IP6_EXT_MAX; i++) {
		struct cur at = *c;
		const struct ip6_opthdr *x;
		const struct ip6_fraghdr *f;
		u32 len;

		if (!ip6_is_ext(u->next) || u->offset)
			return IP6_WALK_OK;
		/* all are at least 8 bytes; AH says at least 8, too */
		x = cur_take(&at, 8);
		if (!x)
			return IP6_WALK_SHORT;
		len = ip6_ext_len(u->next, x);
		if (!cur_take(c, len))
			return IP6_WALK_SHORT;
		if (u->next == PROTO_FRAGMENT) {
			f = (const void *)x;
			u->offset = be16_host(f->frag) & IP6_OFFSET;
			u->fragment = u->offset || (be16_host(f->frag) & IP6_MF);
		}
		u->next = x->next;
	}
	return ip6_is_ext(u->next) && !u->offset ? IP6_WALK_LONG : IP6_WALK_OK;
}

#endif
