/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `tunl trace` is told of a packet: by the BPF programs through a ring buffer,
 * by the engine through a socket, as it is here. A plain value of one size; the
 * layout is the protocol between programs of one build. What data holds came from
 * the network: it is read with a cursor.
 */
#ifndef TUNL_MODEL_TRACE_H
#define TUNL_MODEL_TRACE_H

#include "lib/types.h"

enum {
	TRACE_ABI = 1,	       /* of struct trace_event */
	TRACE_BYTES = 128,     /* of a packet that are shown, at most: its headers */
	TRACE_RING = 1 << 20,  /* bytes of the ring buffer, some 6,000 packets */
	TRACE_QUEUE = 4 << 20, /* bytes of the socket to the reader */
};

enum trace_dir { TRACE_RX, TRACE_TX };

/* What data begins with. */
enum trace_form {
	TRACE_OUTER,  /* the outer header, and what follows it on the wire */
	TRACE_INNER,  /* the inner packet, of `ethertype`: it never had an outer header */
	TRACE_OPENED, /* the outer header, then the inner packet, deciphered */
	TRACE_LOST,   /* nothing: only `lost` counts */
};

struct trace_event {
	u64 time_ns;   /* CLOCK_BOOTTIME */
	u32 ifindex;   /* the tunnel's device; 0: no tunnel takes it */
	u32 link;      /* TRACE_RX: the device that it came in by */
	u32 len;       /* bytes of the packet that data is the beginning of */
	u32 lost;      /* packets that nobody could be told of, since the last one told */
	u16 reason;    /* enum reason; R_NONE: carried */
	u16 ethertype; /* of the inner packet, host order; TRACE_OUTER: 0 */
	u16 caplen;    /* bytes in data */
	u8 dir;	       /* enum trace_dir */
	u8 form;       /* enum trace_form */
	u8 bpf;	       /* 1: carried or dropped by the bpf datapath, 0: by the engine */
	u8 pad[7];
	u8 data[TRACE_BYTES];
};

#endif
