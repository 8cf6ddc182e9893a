/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which modes an outer protocol may belong to, in the order in which the
 * kernel's handlers stand (spec datapath 3.1), and which protocol carries what.
 */
#ifndef TUNL_ENGINE_DEMUX_H
#define TUNL_ENGINE_DEMUX_H

#include "engine/core.h"

/* What follows the outer header of a protocol. */
struct demux {
	u8 proto;
	u8 min_payload;	      /* bytes; less is dropped silently */
	u16 ethertype;	      /* of the inner packet */
	enum mode_id mode[2]; /* MODE_NONE: no more */
};

/* By outer protocol or by kind of inner packet; NULL: none of ours. */
const struct demux *demux_by_proto(u8 proto);
const struct demux *demux_by_ethertype(u16 ethertype);

/* The tunnel for a packet of d's protocol from src to dst, or NULL. */
struct engine_tunnel *demux_tunnel(struct engine_ns *ns, const struct demux *d, be32 src, be32 dst,
				   u32 iif);

#endif
