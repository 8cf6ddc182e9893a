/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP (RFC 768). */
#ifndef TUNL_WIRE_UDP_H
#define TUNL_WIRE_UDP_H

#include "lib/types.h"
#include "wire/csum.h"

enum { UDP_HLEN = 8 };

struct udp {
	be16 sport;
	be16 dport;
	be16 len;   /* header and payload */
	be16 check; /* 0: none was computed */
} __attribute__((packed));

/*
 * The value for the checksum field from a running sum (pseudo header, UDP
 * header with check 0, payload): a result of 0 goes as 0xffff.
 */
TUNL_INLINE be16 udp_csum_finish(u32 sum)
{
	be16 c = csum_finish(sum);

	if (!c.raw)
		c.raw = 0xffff;
	return c;
}

#endif
