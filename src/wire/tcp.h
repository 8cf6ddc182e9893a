/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP (RFC 9293): the header and its options. */
#ifndef TUNL_WIRE_TCP_H
#define TUNL_WIRE_TCP_H

#include "lib/types.h"
#include "wire/cur.h"

enum { TCP_HLEN = 20, TCP_MAX_HLEN = 60 };

enum {
	TCP_F_FIN = 0x01,
	TCP_F_SYN = 0x02,
	TCP_F_RST = 0x04,
	TCP_F_PSH = 0x08,
	TCP_F_ACK = 0x10,
	TCP_F_URG = 0x20,
	TCP_F_ECE = 0x40,
	TCP_F_CWR = 0x80,
};

enum {
	TCP_O_END = 0,
	TCP_O_NOP = 1,
	TCP_O_MSS = 2,
	TCP_O_WSCALE = 3,
	TCP_O_SACK_OK = 4,
	TCP_O_SACK = 5,
	TCP_O_TS = 8,
};

struct tcp {
	be16 sport;
	be16 dport;
	be32 seq;
	be32 ack;
	u8 off;	  /* header length in 32-bit words (high 4 bits) */
	u8 flags; /* TCP_F_* */
	be16 window;
	be16 check;
	be16 urgent;
} __attribute__((packed));

TUNL_INLINE u32 tcp_hlen(const struct tcp *h)
{
	return (u32)(h->off >> 4) * 4;
}

struct tcp_opt {
	u8 kind;
	u8 len; /* bytes of data */
	const u8 *data;
};

enum tcp_opt_got {
	TCP_OPT_OK,
	TCP_OPT_END, /* no more */
	TCP_OPT_BAD, /* the length lies */
};

/* Take the next option of those c holds; padding (NOP) is passed over. Not for BPF. */
TUNL_INLINE enum tcp_opt_got tcp_opt_next(struct cur *c, struct tcp_opt *o)
{
	const u8 *b;

	do {
		b = cur_take(c, 1);
		if (!b || *b == TCP_O_END)
			return TCP_OPT_END;
	} while (*b == TCP_O_NOP);
	o->kind = *b;
	b = cur_take(c, 1);
	if (!b || *b < 2)
		return TCP_OPT_BAD;
	o->len = (u8)(*b - 2);
	o->data = cur_take(c, o->len);
	return o->data ? TCP_OPT_OK : TCP_OPT_BAD;
}

#endif
