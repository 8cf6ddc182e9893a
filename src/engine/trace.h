/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the core tells `tunl trace` of a packet, once its fate is settled. Called only
 * where engine_ns.traced says that somebody wants to know.
 */
#ifndef TUNL_ENGINE_TRACE_H
#define TUNL_ENGINE_TRACE_H

#include "engine/core.h"
#include "model/trace.h"

/* Keep the beginning of a packet before it is worked on; iif: the device it came in by, or 0. */
void trace_take(struct trace_event *ev, const struct packet *p, u32 iif);

/*
 * A received packet, as taken; p is what became of it. t: its tunnel, or NULL.
 */
void trace_received(struct engine_ns *ns, struct trace_event *ev, const struct packet *p,
		    struct engine_tunnel *t, enum reason r);

/* An inner packet, as taken, that was dropped, or whose outer packets tell nothing (ESP). */
void trace_inner(struct engine_tunnel *t, struct trace_event *ev, u16 ethertype, enum reason r);

/* A piece on the wire, or one that could not be sent. */
void trace_piece(struct engine_ns *ns, const struct outgoing *o, enum reason r);

#endif
