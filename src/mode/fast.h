/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs of the bpf datapath have to know of a tunnel beside its
 * addresses: how its packets look, in terms that no mode has for itself. The
 * mode fills it in (struct mode.fast), the parent puts it into the maps.
 * Usable in BPF programs.
 */
#ifndef TUNL_MODE_FAST_H
#define TUNL_MODE_FAST_H

#include "lib/types.h"
#include "wire/sixrd.h"

enum {
	/* sending */
	FAST_MPLS = 1 << 0,	 /* MPLS is carried, by the engine */
	FAST_OTHERS = 1 << 1,	 /* so is any other kind of packet */
	FAST_TELLS = 1 << 2,	 /* that there is no route is told to the sender, by the engine */
	FAST_IGNORE_DF = 1 << 3, /* an inner DF is not copied */
	FAST_TOS_EXACT = 1 << 4, /* IPv6 has its class inherited only with tos exactly "inherit" */
	FAST_1280 = 1 << 5,	 /* no outer DF where the path carries less than IPv6 needs */
	FAST_EMBEDS = 1 << 6,	 /* remote any: sixrd says what outer address an inner one embeds */
	FAST_SHORT = 1 << 9,	 /* what is shorter than its header is R_TX_INNER_SHORT; else the
				    engine says what */
	/* remote any: neighbour entries say where to; the parent follows them */
	FAST_NEIGHBOURS = 1 << 11,
	/* receiving */
	FAST_CHECK_6RD = 1 << 7,    /* an embedded address must be the outer one */
	FAST_MSS = 1 << 10,	    /* TCP's SYNs are the engine's, both ways (by the parent) */
	FAST_RETURNS = 1 << 12,	    /* a keepalive to be sent back is the engine's */
	FAST_CHECK_ISATAP = 1 << 8, /* the inner source must be the outer one's, or that a router */
};

/*
 * What a tunnel remembers from packet to packet: the numbers of gre (spec 7.1,
 * 7.2). Whoever takes the next one to send raises it in one atomic step.
 */
struct mode_state {
	u32 next_seq;	  /* to be sent */
	u32 expected_seq; /* to be received; 0: anything */
};

struct mode_fast {
	u8 proto4, proto6; /* outer protocol around IPv4 and IPv6; 0: not carried */
	u16 rules;	   /* FAST_* */
	/* gre; all 0: nothing stands between the headers */
	u16 oflags, iflags; /* TUNL_F_*, which are the bits of the header */
	be32 okey;
	u8 hlen; /* bytes that are sent between outer header and inner packet */
	u8 pad[3];
	struct sixrd sixrd;
};

#endif
