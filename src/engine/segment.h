/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a network card does with a merged packet (TSO, USO) and with a checksum
 * left to be done (NEEDS_CSUM), for inner packets: IPv4 and IPv6, TCP and UDP.
 */
#ifndef TUNL_ENGINE_SEGMENT_H
#define TUNL_ENGINE_SEGMENT_H

#include "engine/core.h"

/* A walk over the segments of one merged packet, whose bytes it borrows. */
struct segments {
	const u8 *head; /* IP and transport header of the whole */
	u32 hlen, l4;	/* bytes of both; where the second begins */
	const u8 *body;
	u32 len, size; /* bytes of payload: in all, and a segment */
	u32 done, index;
	u8 l4_proto;
	bool v6;
};

/* Begin. False: the packet is not what its virtio header says. */
bool segments_init(struct segments *s, const struct packet *p);

/* How many there are. */
u32 segments_count(const struct segments *s);

/*
 * The next segment: its headers written to head (s->hlen bytes, checksums and
 * all), its payload *body_len bytes at *body. False: no more.
 */
bool segments_next(struct segments *s, u8 *head, const u8 **body, u32 *body_len);

/* Make the merged packet p look like its first segment, of len bytes, to be quoted. */
void segment_cut(struct packet *p, u32 len);

/*
 * Fill in the checksum that was left to be done, and say so in p->vnet. False:
 * the offsets lie outside of the packet.
 */
bool packet_checksum(struct packet *p);

#endif
