/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a namespace's devices and IPv4 addresses: filled once, then
 * kept by notifications. Both belong to their struct ns.
 */
#ifndef TUNL_DAEMON_LINK_H
#define TUNL_DAEMON_LINK_H

#include "daemon/daemon.h"

struct link {
	struct hnode node; /* ns->links, by ifindex */
	struct rtnl_link l;
	bool attached; /* the receiving program stands on it */
	bool retry;    /* something of its filters changed: attach again */
	bool seen;     /* during a reload */
};

struct addr {
	struct hnode node; /* ns->addrs, by the raw address */
	bool seen;
	bool in_map; /* tunl_local has it */
};

/* Take in the notifications that wait. Sets the flags of ns that say what changed. */
void links_sync(struct ns *ns);

/* Where they are out of date: ask for all devices, or all addresses. 0 or -errno. */
int links_reload(struct ns *ns);
int addrs_reload(struct ns *ns);

/* NULL: there is none. */
struct link *link_find(struct ns *ns, u32 ifindex);
struct link *link_named(struct ns *ns, const char *name);
bool addr_is_local(struct ns *ns, be32 addr);

/* The VRF that the device is in; or NULL. */
const struct link *link_vrf(struct ns *ns, const struct link *l);
bool link_is_vrf(const struct link *l);

/* Whether packets of tunnels may come in by the device, so that the receiving program belongs on
 * it. */
bool link_is_underlay(struct ns *ns, const struct link *l);

void links_free(struct ns *ns);

#endif
