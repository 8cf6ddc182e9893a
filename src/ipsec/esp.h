/* SPDX-License-Identifier: BSD-2-Clause */
/* One ESP packet in tunnel mode, out and in (RFC 4303 3.3, 3.4; spec datapath 9.3, 9.4). */
#ifndef TUNL_IPSEC_ESP_H
#define TUNL_IPSEC_ESP_H

#include "ipsec/db.h"
#include "ipsec/mib.h"

enum {
	ESP_ROOM = 8 + 16 + 255 + 2 + 64, /* what is around an inner packet, at most */
	ESP_NEXT_IP4 = 4,
	ESP_NEXT_IP6 = 41,
	ESP_NEXT_NONE = 59, /* RFC 4303 2.6: a dummy packet */
};

/* Bytes around len inner ones, from the ESP header to the ICV. */
u32 esp_size(const struct sa *sa, u32 len);

/* The largest inner packet for a path of mtu bytes, outer header and UDP included (spec 9.1). */
u32 esp_mtu(const struct sa *sa, u32 mtu);

/* Bytes of a UDP header before ESP: 8 or 0. */
u32 esp_udp_len(const struct sa *sa);

/* An inner packet in n pieces, at most ESP_PIECES. */
enum { ESP_PIECES = 2 };

struct esp_out {
	const struct crypt_piece *in;
	u32 n;
	u8 next;
	u64 now; /* wall clock, seconds */
};

/*
 * Number it, encipher it to `at`, which has room for esp_size(), and count it.
 * MIB__MAX with *len set; or the counter that tells why it was not done.
 */
enum mib esp_seal(struct sa *sa, const struct esp_out *o, u8 *at, u32 *len);

struct esp_in {
	u8 *inner; /* points into what was given */
	u32 len;
	u8 next;
};

/* The packet of len bytes from its ESP header on, deciphered in place. MIB__MAX: it is good. */
enum mib esp_open(struct sa *sa, u8 *esp, u32 len, u64 now, struct esp_in *in);

/*
 * Look at the limits of time, bytes and packets; dying and dead are set. True:
 * one of them is new.
 */
bool esp_limits(struct sa *sa, u64 now);

#endif
