/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading bytes we do not own. cur_take() is the only bounds check of the
 * packet parsers, in the engine, the dissector, the fuzzers and the BPF
 * programs alike (there p and end are the packet's data and data_end).
 */
#ifndef TUNL_WIRE_CUR_H
#define TUNL_WIRE_CUR_H

#include "lib/types.h"

struct cur {
	const u8 *p;   /* next byte; never beyond end */
	const u8 *end; /* one past the last byte */
};

/* The next n bytes, consumed; NULL (and nothing consumed) if fewer remain. */
TUNL_INLINE const void *cur_take(struct cur *c, u32 n)
{
	const u8 *p = c->p;

#ifdef __bpf__
	if (p + n > c->end) /* the shape the verifier understands */
		return 0;
#else
	if (n > (u64)(c->end - p)) /* n may be a lie: no pointer is made from it */
		return 0;
#endif
	c->p = p + n;
	return p;
}

/* Bytes that remain. */
TUNL_INLINE u32 cur_left(const struct cur *c)
{
	return (u32)(c->end - c->p);
}

#endif
