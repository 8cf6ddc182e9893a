/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/vrf.h"

#include "engine/core.h"

u32 vrf_of(struct engine_ns *ns, u32 ifindex)
{
	struct vrf_entry *e = &ns->vrfs.device[ifindex % VRF_DEVICES];
	u64 now_ms = ns->engine->now_ms;

	if (!ifindex || !ns->engine->io->vrf)
		return 0;
	if (e->ifindex != ifindex || e->gen != ns->routes.gen || now_ms >= e->expires_ms)
		*e = (struct vrf_entry){
			.ifindex = ifindex,
			.vrf = ns->engine->io->vrf(ns, ifindex),
			.gen = ns->routes.gen,
			.expires_ms = now_ms + ROUTE_KEEP_MS,
		};
	return e->vrf;
}
