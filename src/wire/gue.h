/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Generic UDP encapsulation as Linux has it (spec datapath 10). FOU, its
 * sibling, has no header: there the UDP payload is the inner packet.
 */
#ifndef TUNL_WIRE_GUE_H
#define TUNL_WIRE_GUE_H

#include "lib/types.h"
#include "wire/cur.h"
#include "wire/ip4.h"

enum {
	GUE_HLEN = 4,
	GUE_REMCSUM_HLEN = 12,
	GUE_PORT = 6080,	/* IANA */
	GUE_F_PRIVATE = 0x0001, /* a word of private flags follows */
};

#define GUE_PF_REMCSUM 0x80000000u /* private: remote checksum, start and offset follow */

struct gue {
	u8 ver_len; /* version (2 bits), control (1), options in 32-bit words (5) */
	u8 proto;
	be16 flags;
} __attribute__((packed));

TUNL_INLINE u8 gue_version(const struct gue *h)
{
	return h->ver_len >> 6;
}

TUNL_INLINE bool gue_is_control(const struct gue *h)
{
	return h->ver_len & 0x20;
}

/* Bytes of the version 0 header with its options (4..128). */
TUNL_INLINE u32 gue_hlen(const struct gue *h)
{
	return GUE_HLEN + (u32)(h->ver_len & 0x1f) * 4;
}

struct gue_fields {
	u8 proto; /* IP protocol of what is carried */
	u8 version;
	bool remcsum;
	u16 start, offset; /* of the remote checksum, bytes from the end of the header */
};

enum gue_got {
	GUE_OK,
	GUE_SHORT,   /* the bytes end within the header */
	GUE_VERSION, /* not 0 or 1, or version 1 with neither IPv4 nor IPv6 */
	GUE_CONTROL, /* a control message, or protocol 0 */
	GUE_FLAGS,   /* a flag Linux does not know */
	GUE_OPTIONS, /* flagged options are longer than the header says, or lie */
};

/* The flagged options of a version 0 header, c standing behind its first 4 bytes. */
TUNL_INLINE enum gue_got gue_parse_options(struct cur *c, const struct gue *h, struct gue_fields *f)
{
	u32 room = gue_hlen(h) - GUE_HLEN;
	u16 flags = be16_host(h->flags);
	const be32 *word;
	const be16 *rem;

	if (flags & ~GUE_F_PRIVATE)
		return GUE_FLAGS;
	if (!flags)
		return GUE_OK;
	word = room >= 4 ? cur_take(c, 4) : 0;
	if (!word)
		return GUE_OPTIONS;
	if (be32_host(*word) & ~GUE_PF_REMCSUM)
		return GUE_FLAGS;
	if (!word->raw)
		return GUE_OK;
	rem = room >= 8 ? cur_take(c, 4) : 0;
	if (!rem)
		return GUE_OPTIONS;
	f->remcsum = true;
	f->start = be16_host(rem[0]);
	f->offset = be16_host(rem[1]);
	return f->offset < f->start ? GUE_OPTIONS : GUE_OK;
}

/*
 * Take a GUE header from c, as Linux' receiver does. Version 1 is no header at
 * all: c stays where it is and f->proto is what its first nibble says.
 */
TUNL_INLINE enum gue_got gue_parse(struct cur *c, struct gue_fields *f)
{
	struct cur at = *c;
	const struct gue *h = cur_take(&at, GUE_HLEN);
	struct cur options;

	__builtin_memset(f, 0, sizeof(*f));
	if (!h)
		return GUE_SHORT;
	f->version = gue_version(h);
	if (f->version == 1) {
		f->proto = h->ver_len >> 4 == 4 ? PROTO_IPIP : PROTO_IPV6;
		return h->ver_len >> 4 == 4 || h->ver_len >> 4 == 6 ? GUE_OK : GUE_VERSION;
	}
	if (f->version)
		return GUE_VERSION;
	f->proto = h->proto;
	if (gue_is_control(h) || !h->proto)
		return GUE_CONTROL;
	options = at;
	if (!cur_take(&at, gue_hlen(h) - GUE_HLEN))
		return GUE_SHORT;
	*c = at;
	return gue_parse_options(&options, h, f);
}

#endif
