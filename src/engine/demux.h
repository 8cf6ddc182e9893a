/* SPDX-License-Identifier: BSD-2-Clause */
/* From an outer packet to its tunnel: the handlers of its protocol in their order (spec 3.1). */
#ifndef TUNL_ENGINE_DEMUX_H
#define TUNL_ENGINE_DEMUX_H

#include "engine/core.h"

/* What is known of the outer packet: as received, or as an ICMP error quotes it. */
struct demux_ask {
	be32 src, dst; /* of a packet received; of a quoted one the other way round */
	u32 iif;       /* may be in a VRF; 0: not known */
	u8 proto;
	struct cur payload; /* what is behind the outer header, or its beginning */
	struct packet *p;   /* received; NULL: quoted, hence not whole */
};

struct demux {
	struct engine_tunnel *t;
	struct mode_head head;
	u8 *payload; /* of a packet received: behind its outer header, and behind UDP */
	bool udp;
};

/*
 * R_NONE with d->t, which is NULL if the protocol is none of ours; R_RX_NO_TUNNEL;
 * or why the packet is dropped before a tunnel is searched.
 */
enum reason demux(struct engine_ns *ns, const struct demux_ask *ask, struct demux *d);

#endif
