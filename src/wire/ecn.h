/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ECN across a tunnel, as Linux has it (spec datapath 2.2 and 4): like RFC 6040, but an
 * inner CE is encapsulated as ECT(0) (RFC 3168 full functionality).
 */
#ifndef TUNL_WIRE_ECN_H
#define TUNL_WIRE_ECN_H

#include "lib/types.h"
#include "wire/ip4.h"

enum { ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3, ECN_MASK = 3 };

/* The outer TOS: the chosen one with the ECN bits of the inner TOS. */
TUNL_INLINE u8 ecn_encap(u8 tos, u8 inner_tos)
{
	u8 ecn = inner_tos & ECN_MASK;

	if (ecn == ECN_CE)
		ecn = ECN_ECT0;
	return (u8)((tos & ~ECN_MASK) | ecn);
}

enum ecn_verdict {
	ECN_KEEP,     /* the inner packet stays as it is */
	ECN_KEEP_LOG, /* likewise, and the sender is worth a log line */
	ECN_SET,      /* the inner codepoint becomes *to */
	ECN_DROP,     /* congestion marked on a packet whose sender cannot hear of it */
};

/* The table of spec datapath 4. *to is set with ECN_SET only. */
TUNL_INLINE enum ecn_verdict ecn_decap(u8 outer_tos, u8 inner_tos, u8 *to)
{
	u8 outer = outer_tos & ECN_MASK, inner = inner_tos & ECN_MASK;

	if (inner == ECN_NOT_ECT) {
		if (outer == ECN_CE)
			return ECN_DROP;
		return outer == ECN_NOT_ECT ? ECN_KEEP : ECN_KEEP_LOG;
	}
	if (inner == ECN_CE)
		return ECN_KEEP;
	if (outer == ECN_CE || (outer == ECN_ECT1 && inner == ECN_ECT0)) {
		*to = outer;
		return ECN_SET;
	}
	return ECN_KEEP;
}

/*
 * Give an IPv4 header another ECN codepoint, its checksum following: by what the word
 * loses, as the kernel does it, so that one that comes to nothing is 0xffff and not 0.
 */
TUNL_INLINE void ip4_set_ecn(struct ip4 *h, u8 ecn)
{
	be16 old, new;
	u32 less;

	__builtin_memcpy(&old, h, 2);
	h->tos = (u8)((h->tos & ~ECN_MASK) | ecn);
	__builtin_memcpy(&new, h, 2);
	less = csum_fold((u32)old.raw + (u16) ~new.raw);
	h->check.raw = csum_fold(h->check.raw + less);
}

#endif
