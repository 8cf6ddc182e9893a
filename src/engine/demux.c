/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/demux.h"

#include <linux/if_ether.h>

static const struct demux demuxes[] = {
	{PROTO_IPIP, IP4_HLEN, ETH_P_IP, {MODE_IPIP}},
	{PROTO_MPLS, 4, ETH_P_MPLS_UC, {MODE_IPIP}},
};

const struct demux *demux_by_proto(u8 proto)
{
	for (size_t i = 0; i < countof(demuxes); i++)
		if (demuxes[i].proto == proto)
			return &demuxes[i];
	return NULL;
}

const struct demux *demux_by_ethertype(u16 ethertype)
{
	for (size_t i = 0; i < countof(demuxes); i++)
		if (demuxes[i].ethertype == ethertype)
			return &demuxes[i];
	return NULL;
}

struct engine_tunnel *demux_tunnel(struct engine_ns *ns, const struct demux *d, be32 src, be32 dst,
				   u32 iif)
{
	for (size_t i = 0; i < countof(d->mode) && d->mode[i]; i++) {
		struct lookup_node *n = lookup_find(&ns->lookup[d->mode[i]], src, dst, iif);

		if (n)
			return container_of(n, struct engine_tunnel, node);
	}
	return NULL;
}
