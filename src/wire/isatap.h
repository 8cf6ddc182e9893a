/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ISATAP interface identifiers (RFC 5214 6.1, spec datapath 8.2): 0000:5efe or
 * 0200:5efe, then the IPv4 address. And the other forms in which an IPv6 address
 * of a tunnel carries one.
 */
#ifndef TUNL_WIRE_ISATAP_H
#define TUNL_WIRE_ISATAP_H

#include "wire/ip6.h"

enum { ISATAP_WORD = 0x00005efe, ISATAP_UNIVERSAL = 0x02000000 };

TUNL_INLINE bool ip4_within(u32 addr, u32 prefix, u32 len)
{
	return !((addr ^ prefix) >> (32 - len));
}

/* Whether the address is a unique one: what is set aside (RFC 5735 and groups) is not. */
TUNL_INLINE bool isatap_is_universal(be32 addr)
{
	u32 a = be32_host(addr);

	return !(ip4_within(a, 0x00000000, 8) || ip4_within(a, 0x0a000000, 8) ||
		 ip4_within(a, 0x7f000000, 8) || ip4_within(a, 0xa9fe0000, 16) ||
		 ip4_within(a, 0xac100000, 12) || ip4_within(a, 0xc0000200, 24) ||
		 ip4_within(a, 0xc0586300, 24) || ip4_within(a, 0xc0a80000, 16) ||
		 ip4_within(a, 0xc6120000, 15) || ip4_is_multicast(addr) || a == 0xffffffff);
}

/* Give addr the identifier of an IPv4 address. */
TUNL_INLINE void isatap_set_ident(struct ip6_addr *addr, be32 ip4)
{
	addr->w[2] = be32_of(ISATAP_WORD | (isatap_is_universal(ip4) ? ISATAP_UNIVERSAL : 0));
	addr->w[3] = ip4;
}

/* Whether addr has such an identifier, of either kind. */
TUNL_INLINE bool isatap_is(const struct ip6_addr *addr)
{
	return (be32_host(addr->w[2]) & ~(u32)ISATAP_UNIVERSAL) == ISATAP_WORD;
}

/* ::a.b.c.d (RFC 4291 2.5.5.1); :: and ::1 are other things. */
TUNL_INLINE bool ip6_is_compat(const struct ip6_addr *addr)
{
	return !(addr->w[0].raw | addr->w[1].raw | addr->w[2].raw) && be32_host(addr->w[3]) > 1;
}

/* The last 32 bits, of an address that is known to carry one. */
TUNL_INLINE be32 ip6_embedded(const struct ip6_addr *addr)
{
	return addr->w[3];
}

#endif
