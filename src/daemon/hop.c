/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/hop.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <string.h>

#include "daemon/link.h"

/* Devices that bpf_redirect_neigh() can send by: Ethernet, and no VRF's own. */
static bool can_redirect_to(struct ns *ns, u32 oif)
{
	const struct link *l = link_find(ns, oif);

	return l && l->l.type == ARPHRD_ETHER && strcmp(l->l.kind, "vrf") != 0;
}

static enum bpf_hop_state state_of(struct tunnel *t, const struct route *rt)
{
	if (rt->error)
		return HOP_UNREACHABLE;
	if (rt->oif == t->link.ifindex && t->home == t->place)
		return HOP_LOOP;
	if (rt->type != RTN_UNICAST || rt->via6 || !can_redirect_to(t->home, rt->oif))
		return HOP_SLOW;
	return HOP_OK;
}

struct bpf_hop hop_lookup(struct tunnel *t, be32 dst, u64 *expires_ms)
{
	struct route_key key = {
		.dst = dst,
		.src = t->cfg.local,
		.oif = t->cfg.link,
		.mark = t->cfg.fwmark,
		.tos = t->cfg.tos & TUNL_TOS_INHERIT ? 0 : t->cfg.tos & 0xfc,
		.proto = t->cfg.proto,
	};
	struct bpf_hop hop = {.state = HOP_SLOW, .dst = dst, .gen = t->home->bpf_state.gen};
	struct route rt;

	if (expires_ms)
		*expires_ms = 0;
	if (rtnl_route_get(&t->home->rtnl, &key, &rt))
		return hop;
	hop.state = state_of(t, &rt);
	hop.oif = rt.oif;
	hop.via = rt.via;
	hop.src = rt.src;
	hop.mtu = rt.mtu;
	hop.mtu_locked = rt.mtu_locked;
	if (expires_ms && rt.expires_ms)
		*expires_ms = uv_now(&t->home->daemon->loop) + rt.expires_ms + 1;
	return hop;
}
