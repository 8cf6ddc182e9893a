/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GRE (RFC 2784, 2890; spec datapath 7.1): 2 bytes flags and version, 2 bytes
 * inner type, then, each only if flagged: checksum and reserved, key, sequence.
 */
#ifndef TUNL_WIRE_GRE_H
#define TUNL_WIRE_GRE_H

#include "lib/types.h"
#include "wire/csum.h"
#include "wire/cur.h"

enum {
	GRE_C = 0x8000,	       /* checksum */
	GRE_R = 0x4000,	       /* routing (RFC 1701): never sent, dropped */
	GRE_K = 0x2000,	       /* key */
	GRE_S = 0x1000,	       /* sequence number */
	GRE_SSR = 0x0800,      /* strict source route: ignored */
	GRE_RECUR = 0x0700,    /* recursion control: ignored */
	GRE_A = 0x0080,	       /* version 1: acknowledgment number; else ignored */
	GRE_RESERVED = 0x0078, /* must be 0 */
	GRE_VER = 0x0007,
};

enum { GRE_HLEN = 4, GRE_MAX_HLEN = 16, GRE_MIN_PAYLOAD = 12 };

struct gre {
	be16 flags;
	be16 type; /* ethertype of what is carried */
} __attribute__((packed));

/* The header's content; fields whose flag is clear are 0. */
struct gre_fields {
	u16 flags;  /* GRE_*, host order; building looks at C, K, S */
	u16 type;   /* host order */
	be16 check; /* as it lies on the wire */
	be32 key;
	u32 seq; /* host order */
};

/* Bytes of a version 0 header with these flags. */
TUNL_INLINE u32 gre_hlen(u16 flags)
{
	u32 n = GRE_HLEN;

	/* RFC 1701: either of C and R brings both the checksum and the offset word */
	if (flags & (GRE_C | GRE_R))
		n += 4;
	if (flags & GRE_K)
		n += 4;
	if (flags & GRE_S)
		n += 4;
	return n;
}

/* Whether Linux' receiver drops such a header without a word (spec datapath 7.2, rules 2 and 3). */
TUNL_INLINE bool gre_is_refused(u16 flags)
{
	return flags & (GRE_R | GRE_RESERVED | GRE_VER);
}

/*
 * Take a version 0 header from c (of another version only flags and type mean
 * anything). False, with c where it was, if the bytes end within it.
 */
TUNL_INLINE bool gre_parse(struct cur *c, struct gre_fields *f)
{
	struct cur at = *c;
	const struct gre *h = cur_take(&at, GRE_HLEN);
	const be16 *sum;
	const be32 *word;

	__builtin_memset(f, 0, sizeof(*f));
	if (!h)
		return false;
	f->flags = be16_host(h->flags);
	f->type = be16_host(h->type);
	if (f->flags & (GRE_C | GRE_R)) {
		sum = cur_take(&at, 4);
		if (!sum)
			return false;
		f->check = *sum;
	}
	if (f->flags & GRE_K) {
		word = cur_take(&at, 4);
		if (!word)
			return false;
		f->key = *word;
	}
	if (f->flags & GRE_S) {
		word = cur_take(&at, 4);
		if (!word)
			return false;
		f->seq = be32_host(*word);
	}
	*c = at;
	return true;
}

/*
 * Write a header with C, K, S as flagged, the checksum 0, at `at`, which has
 * room for gre_hlen(). Returns gre_hlen().
 */
TUNL_INLINE u32 gre_build(void *at, const struct gre_fields *f)
{
	u16 flags = f->flags & (GRE_C | GRE_K | GRE_S);
	struct gre h = {be16_of(flags), be16_of(f->type)};
	be32 seq = be32_of(f->seq);
	u8 *p = at;

	__builtin_memcpy(p, &h, 4);
	p += 4;
	if (flags & GRE_C) {
		__builtin_memset(p, 0, 4);
		p += 4;
	}
	if (flags & GRE_K) {
		__builtin_memcpy(p, &f->key, 4);
		p += 4;
	}
	if (flags & GRE_S)
		__builtin_memcpy(p, &seq, 4);
	return gre_hlen(flags);
}

/*
 * Fill in the checksum of a built header with C set; len bytes from the header
 * to the end of the packet, no pseudo header. Not for BPF (unbounded loop).
 */
TUNL_INLINE void gre_set_csum(void *at, u32 len)
{
	be16 *check = (be16 *)((u8 *)at + GRE_HLEN);

	check->raw = 0;
	*check = csum_finish(csum_add(0, at, len));
}

#endif
