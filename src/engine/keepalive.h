/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking the other end whether it is there (`keepalive`). What is sent depends on the mode
 * (enum mode_probe); the parent says when, and decides by what comes back. Nothing is kept
 * here.
 */
#ifndef TUNL_ENGINE_KEEPALIVE_H
#define TUNL_ENGINE_KEEPALIVE_H

#include "engine/core.h"
#include "wire/icmp.h"

/* Send one probe through t, out of a turn's packets. */
void keepalive_probe(struct engine_tunnel *t);

/*
 * A gre packet for t that may be our own probe come back: p is what it carries. True: it
 * was one, and the parent has been told.
 */
bool keepalive_returned(struct engine_tunnel *t, const struct ip4 *outer, const struct packet *p);

/* A probe of the other end's, which wants to be sent back. True: that was done. */
bool keepalive_answer(struct engine_tunnel *t, const struct ip4 *outer, const struct packet *p);

/*
 * An ICMP error from icmp on whose quoted IP header and beginning of what is behind it are
 * quote and rest. True: it answers a probe of ours.
 */
bool keepalive_refused(struct engine_ns *ns, const struct icmp_hdr *icmp, const struct ip4 *quote,
		       struct cur rest);

#endif
