/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 fragmentation (RFC 791 3.2): of outer packets, and of inner ones. */
#ifndef TUNL_ENGINE_FRAG_H
#define TUNL_ENGINE_FRAG_H

#include "lib/types.h"
#include "wire/ip4.h"

enum { IP4_MAX_HLEN = 60 };

/* A walk over the fragments of one packet, which itself may be a fragment. */
struct frag {
	const u8 *payload; /* of the whole, borrowed */
	u32 len, done, mtu;
	u16 base; /* flags and offset of the whole */
	u32 hlen, next_hlen;
	bool begun; /* the first is out, be it without payload */
	u8 head[IP4_MAX_HLEN], next_head[IP4_MAX_HLEN]; /* of the first, of the others */
};

/*
 * Begin with a header (with its options, ip4_hlen() bytes; its length field does
 * not matter) and its payload, for fragments of at most mtu bytes. False: mtu has
 * no room for payload, or the header is none.
 */
bool frag_init(struct frag *f, const u8 *head, const u8 *payload, u32 len, u32 mtu);

/*
 * The next fragment: its header written to head, which returns its length and
 * has room for IP4_MAX_HLEN; *body and *body_len its payload. 0: no more.
 */
u32 frag_next(struct frag *f, u8 *head, const u8 **body, u32 *body_len);

#endif
