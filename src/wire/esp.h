/* SPDX-License-Identifier: BSD-2-Clause */
/* ESP (RFC 4303), and its way through UDP (RFC 3948): headers, trailer, sizes. */
#ifndef TUNL_WIRE_ESP_H
#define TUNL_WIRE_ESP_H

#include "lib/types.h"
#include "wire/cur.h"

enum {
	ESP_HLEN = 8,
	ESP_TRAILER = 2,   /* bytes behind the padding */
	ESP_PAD_MAX = 255, /* bytes of padding */
	ESP_UDP_PORT = 4500,
	ESP_KEEPALIVE = 0xff, /* RFC 3948 2.3: the only byte of a packet */
};

struct esp {
	be32 spi; /* which security association */
	be32 seq; /* low half where extended numbers are used */
} __attribute__((packed));

/* What stands behind the inner packet and its padding. */
struct esp_trailer {
	u8 pad_len;
	u8 next; /* protocol of the inner packet */
} __attribute__((packed));

/* Bytes of padding that make len bytes and a trailer a multiple of align, a power of two. */
TUNL_INLINE u32 esp_pad_len(u32 len, u32 align)
{
	return (0U - (len + ESP_TRAILER)) & (align - 1);
}

/* Write padding 1, 2, 3, ... (RFC 4303 2.4) and the trailer at `at`; how many bytes. */
TUNL_INLINE u32 esp_build_trailer(u8 *at, u32 pad_len, u8 next)
{
	for (u32 i = 0; i < pad_len; i++)
		at[i] = (u8)(i + 1);
	at[pad_len] = (u8)pad_len;
	at[pad_len + 1] = next;
	return pad_len + ESP_TRAILER;
}

/*
 * Take the trailer off what was deciphered: *len bytes at data become those of
 * the inner packet. What the padding says is not looked at, as the kernel does
 * (spec datapath 9.4). False: it claims more than there is.
 */
TUNL_INLINE bool esp_take_trailer(const u8 *data, u32 *len, u8 *next)
{
	const struct esp_trailer *t;
	struct cur c = {data, data + *len};

	if (*len < ESP_TRAILER || !cur_take(&c, *len - ESP_TRAILER))
		return false;
	t = cur_take(&c, ESP_TRAILER);
	if (!t || t->pad_len + (u32)ESP_TRAILER >= *len)
		return false;
	*next = t->next;
	*len -= t->pad_len + (u32)ESP_TRAILER;
	return true;
}

#endif
