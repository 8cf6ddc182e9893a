/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tunnels whose device came up a moment ago. The parent hears of it by netlink, and the
 * engine from the parent; a packet that comes in between is for a tunnel all the same.
 */
#include <linux/if.h>
#include <string.h>

#include "engine/demux.h"
#include "engine/live.h"
#include "lib/addr.h"

enum { RISEN_MS = 5 }; /* between two questions about one tunnel: strangers can have them asked */

static bool may_be_for(const struct tunnel_cfg *cfg, const struct demux_ask *ask)
{
	return (be32_is_zero(cfg->remote) || be32_eq(cfg->remote, ask->src) ||
		be32_eq(cfg->remote, ask->dst)) &&
	       (be32_is_zero(cfg->local) || be32_eq(cfg->local, ask->dst));
}

/* Whether the kernel says that t's device is up: one of that name here, not one moved elsewhere. */
static bool is_up(struct live_ns *n, struct engine_tunnel *t)
{
	struct rtnl_link l;

	return !rtnl_link_get(&n->rtnl, t->link.ifindex, NULL, &l) && l.flags & IFF_UP &&
	       !strcmp(l.name, t->cfg.name);
}

bool live_risen(struct engine_ns *ns, const struct demux_ask *ask)
{
	struct live_ns *n = container_of(ns, struct live_ns, ns);
	bool any = false;

	list_for_each (at, &n->tunnels) {
		struct live_tunnel *lt = list_entry(at, struct live_tunnel, node);
		struct engine_tunnel *t = &lt->t;

		if (t->link.up || !may_be_for(&t->cfg, ask) ||
		    ns->engine->now_ms < lt->asked_ms + RISEN_MS)
			continue;
		lt->asked_ms = ns->engine->now_ms;
		any |= is_up(n, t) && !engine_tunnel_risen(t);
	}
	return any;
}
