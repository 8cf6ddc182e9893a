/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets as recipes (README.md): text to bytes, and comparing. */
#ifndef TUNL_TESTS_CASES_PACKET_H
#define TUNL_TESTS_CASES_PACKET_H

#include <linux/virtio_net.h>

#include "lib/types.h"

enum { PACKET_ROOM = 70000, PACKET_LAYERS = 8, PACKET_WORDS = 128 };

/* Where a packet stands, which says what its outermost addresses are by default. */
enum packet_place { PLACE_TUN, PLACE_WIRE_IN, PLACE_WIRE_OUT, PLACE_ICMP };

struct built {
	u8 data[PACKET_ROOM];
	u32 len;
	u32 only; /* bytes that count in a comparison; 0: all */
	u16 ethertype;
	struct virtio_net_hdr vnet;
	bool id_free; /* the outermost id */
};

/*
 * Build words (a recipe) into b. like (may be NULL): a packet of len bytes that
 * came out, from which free fields are taken; last_id is the outermost id of the
 * one before. NULL, or what is wrong with the recipe.
 */
struct like {
	const u8 *data;
	u32 len;
	u16 last_id;
	bool loose; /* ids of a live kernel: `id +N` is free but for +0 */
};

const char *packet_build(char **words, unsigned n, enum packet_place place, const struct like *like,
			 struct built *b);

#endif
