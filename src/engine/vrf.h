/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which VRF a device is in, kept until the parent says that something about routes
 * changed, which moving a device does, and no longer than a route is (engine/route.h).
 */
#ifndef TUNL_ENGINE_VRF_H
#define TUNL_ENGINE_VRF_H

#include "lib/types.h"

struct engine_ns;

enum { VRF_DEVICES = 32 };

struct vrf_entry {
	u32 ifindex;
	u32 vrf; /* ifindex; 0: the device is in none */
	u32 gen; /* of the routes; never 0 when valid */
	u64 expires_ms;
};

struct vrf_cache {
	struct vrf_entry device[VRF_DEVICES]; /* by ifindex, modulo */
};

/* The VRF that a device is in, or 0: also of one that cannot be asked about. */
u32 vrf_of(struct engine_ns *ns, u32 ifindex);

#endif
