/* SPDX-License-Identifier: BSD-2-Clause */
/* The Internet checksum (RFC 1071) and its incremental update (RFC 1624). */
#ifndef TUNL_WIRE_CSUM_H
#define TUNL_WIRE_CSUM_H

#include "lib/types.h"

/* Fold a running 32-bit sum of 16-bit words to 16 bits. */
TUNL_INLINE u16 csum_fold(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)sum;
}

/*
 * Add len bytes to a running sum, words read as they lie in memory; an odd last
 * byte counts as the first of its word. Not for BPF (unbounded loop).
 */
TUNL_INLINE u32 csum_add(u32 sum, const void *data, u32 len)
{
	const u8 *p = data;
	u64 acc = sum;

	for (; len >= 4; len -= 4, p += 4) {
		u32 w;

		__builtin_memcpy(&w, p, 4);
		acc += w;
	}
	if (len >= 2) {
		u16 w;

		__builtin_memcpy(&w, p, 2);
		acc += w;
		p += 2;
		len -= 2;
	}
	if (len) {
		u16 w = 0;

		__builtin_memcpy(&w, p, 1);
		acc += w;
	}
	acc = (acc & 0xffffffff) + (acc >> 32);
	acc = (acc & 0xffffffff) + (acc >> 32);
	return csum_fold((u32)acc);
}

/* The value for the checksum field, from a running sum. */
TUNL_INLINE be16 csum_finish(u32 sum)
{
	return (be16){(u16)~csum_fold(sum)};
}

/* Whether a sum over data that includes its checksum field says "intact". */
TUNL_INLINE bool csum_ok(u32 sum)
{
	return csum_fold(sum) == 0xffff;
}

/* RFC 1624: the checksum after one 16-bit word it covers went from old to new. */
TUNL_INLINE be16 csum_replace(be16 check, be16 old, be16 new)
{
	u32 sum = (u16)~check.raw;

	sum += (u16)~old.raw;
	sum += new.raw;
	return csum_finish(sum);
}

#endif
