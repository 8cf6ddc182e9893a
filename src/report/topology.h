/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where everything stands in the drawing of a topology (pixels of its view box).
 * Namespaces stand side by side in the order of the lab; their devices hang in them
 * one below the other, tunnels last. Wires between neighbours go straight, others in
 * lanes above; tubes go in lanes below. Filled by topology_place(), and plain memory.
 */
#ifndef TUNL_REPORT_TOPOLOGY_H
#define TUNL_REPORT_TOPOLOGY_H

#include <jansson.h>

#include "lib/types.h"

enum {
	PLACE_NETS = 16,
	PLACE_DEVS = 64,
	PLACE_TUBES = 48,
	PLACE_LINE = 17, /* height of a line of text */
	PLACE_LETTER = 8,
	PLACE_TUBE = 26, /* thickness */
};

struct place_net {
	double x, y, w, h;
	const char *name;
	bool forwards;
	int tubes; /* that begin here */
};

struct place_dev {
	int net, peer;
	double x, y, w, h;
	const json_t *json;
	int marked; /* number of its step on the packet's path; 0: none */
};

struct place_tube {
	int from, to; /* devices */
	int lane;
	bool half; /* only one end names the other */
	double x1, x2;
	char label[96];
};

struct places {
	int n_nets, n_devs, n_tubes, n_lanes, n_wires_above;
	double width, height, top, bottom; /* of the drawing; of the boxes */
	struct place_net nets[PLACE_NETS];
	struct place_dev devs[PLACE_DEVS];
	struct place_tube tubes[PLACE_TUBES];
};

void topology_place(struct places *p, const json_t *topology);

/* The word behind `key` in a tunnel's words, into buf; "" where there is none. */
const char *tunnel_word(const char *words, const char *key, char *buf, size_t len);

#endif
