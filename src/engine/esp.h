/* SPDX-License-Identifier: BSD-2-Clause */
/* Tunnels whose packets are ESP (spec datapath 9): what stands in for tx.c and rx.c there. */
#ifndef TUNL_ENGINE_ESP_H
#define TUNL_ENGINE_ESP_H

#include "engine/core.h"

/* An inner packet that was routed to t's device. */
enum reason esp_transmit(struct engine_tunnel *t, struct packet *p);

/* A received packet. */
struct esp_received {
	const struct ip4 *outer;
	u8 *esp; /* where ESP begins, in p */
	bool udp;
};

/*
 * Look behind a UDP header, *c, of a packet to a port of ours. False: it is no
 * ESP but a keepalive, or what belongs to IKE (RFC 3948 2).
 */
bool esp_in_udp(struct cur *c);

/* A packet for t. R_NONE: it was delivered. */
enum reason esp_receive(struct engine_tunnel *t, const struct esp_received *rec, struct packet *p);

/* Limits of time, and keepalives; once a second. */
void esp_tick(struct engine_ns *ns);

/* Whether ns has anything that esp_tick() is needed for. */
bool esp_needs_tick(const struct engine_ns *ns);

/* The limits of sa, looked at after a packet: the parent is told. */
void esp_check_limits(struct engine_ns *ns, struct sa *sa);

#endif
