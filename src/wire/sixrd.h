/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 6rd (RFC 5969) and 6to4 (RFC 3056), which is 6rd with 2002::/16 and no common
 * IPv4 prefix: an IPv4 address within an IPv6 prefix (spec datapath 8.1). All of
 * it stands in the first 64 bits of the IPv6 address.
 */
#ifndef TUNL_WIRE_SIXRD_H
#define TUNL_WIRE_SIXRD_H

#include "wire/ip6.h"

enum { SIXRD_BITS = 64 }; /* a delegated prefix leaves 64 bits for interfaces */

struct sixrd {
	u8 prefix[16];
	be32 relay;		  /* the IPv4 prefix that all sites share */
	u8 prefix_len, relay_len; /* bits */
};

/* 2002::/16: what a sit device begins with (spec datapath 6.1). */
TUNL_INLINE struct sixrd sixrd_6to4(void)
{
	return (struct sixrd){.prefix = {0x20, 0x02}, .prefix_len = 16};
}

/* 8 bytes of an address. */
TUNL_INLINE u64 sixrd_half(const u8 *bytes)
{
	be32 w[2];

	__builtin_memcpy(w, bytes, sizeof(w));
	return (u64)be32_host(w[0]) << 32 | be32_host(w[1]);
}

/* len (0..64) bits from the left. */
TUNL_INLINE u64 sixrd_mask(u32 len)
{
	return len ? ~0ULL << (64 - len) : 0;
}

/* What the driver takes: lengths that fit, nothing set behind the prefixes (spec datapath 8.1). */
TUNL_INLINE bool sixrd_is_valid(const struct sixrd *s)
{
	if (s->relay_len > 32 || s->prefix_len + (32U - s->relay_len) > SIXRD_BITS)
		return false;
	if (sixrd_half(s->prefix) & ~sixrd_mask(s->prefix_len) || sixrd_half(s->prefix + 8))
		return false;
	return !(((u64)be32_host(s->relay) << 32) & ~sixrd_mask(s->relay_len));
}

/* The IPv4 address in addr. False: addr is not within the prefix. s is valid. */
TUNL_INLINE bool sixrd_extract(const struct sixrd *s, const struct ip6_addr *addr, be32 *out)
{
	u64 high = (u64)be32_host(addr->w[0]) << 32 | be32_host(addr->w[1]);
	u32 n = 32U - s->relay_len, shift = SIXRD_BITS - s->prefix_len - n;
	u32 site = 0;

	if ((high ^ sixrd_half(s->prefix)) & sixrd_mask(s->prefix_len))
		return false;
	if (n)
		site = (u32)(high >> shift & 0xffffffffU >> s->relay_len);
	*out = be32_of(be32_host(s->relay) | site);
	return true;
}

/* Bits of the prefix that a site has. */
TUNL_INLINE u32 sixrd_delegated_len(const struct sixrd *s)
{
	return s->prefix_len + (32U - s->relay_len);
}

/* The prefix of the site whose address is site; s is valid. */
TUNL_INLINE struct ip6_addr sixrd_delegated(const struct sixrd *s, be32 site)
{
	u32 n = 32U - s->relay_len;
	u64 high = sixrd_half(s->prefix);

	if (n)
		high |= (u64)(be32_host(site) & 0xffffffffU >> s->relay_len)
			<< (SIXRD_BITS - s->prefix_len - n);
	return (struct ip6_addr){{be32_of((u32)(high >> 32)), be32_of((u32)high), {0}, {0}}};
}

/* Whether the first len (0..128) bits of both are the same. */
TUNL_INLINE bool ip6_same_prefix(const struct ip6_addr *a, const struct ip6_addr *b, u32 len)
{
	for (u32 i = 0; i < 4; i++) {
		u32 bits = len > 32 * i ? len - 32 * i : 0;
		u32 differ = be32_host(a->w[i]) ^ be32_host(b->w[i]);

		if (bits < 32)
			return !bits || !(differ >> (32 - bits));
		if (differ)
			return false;
	}
	return true;
}

#endif
