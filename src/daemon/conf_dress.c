/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "daemon/conf_impl.h"
#include "daemon/tun.h"
#include "lib/addr.h"

static const struct conf_tunnel nothing;

static bool net_equal(const struct conf_net *a, const struct conf_net *b)
{
	return a->family == b->family && a->len == b->len &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static bool has_addr(const struct conf_tunnel *t, const struct conf_addr *a)
{
	for (u32 i = 0; i < t->naddrs; i++)
		if (net_equal(&t->addr[i].local, &a->local) &&
		    net_equal(&t->addr[i].peer, &a->peer))
			return true;
	return false;
}

static bool route_equal(const struct conf_route *a, const struct conf_route *b)
{
	return net_equal(&a->dst, &b->dst) && net_equal(&a->via, &b->via) &&
	       net_equal(&a->src, &b->src) && a->metric == b->metric && a->table == b->table &&
	       a->onlink == b->onlink;
}

/* For the kernel one route takes the place of another. */
static bool route_replaces(const struct conf_route *a, const struct conf_route *b)
{
	return net_equal(&a->dst, &b->dst) && a->metric == b->metric && a->table == b->table;
}

static bool has_route(const struct conf_tunnel *t, const struct conf_route *r,
		      bool (*like)(const struct conf_route *, const struct conf_route *))
{
	for (u32 i = 0; i < t->nroutes; i++)
		if (like(&t->route[i], r))
			return true;
	return false;
}

static int set_addr(struct tunnel *t, const struct conf_addr *a, bool there)
{
	struct rtnl_dev_addr d = {
		.ifindex = t->link.ifindex,
		.family = a->local.family,
		.len = a->local.len,
		.has_peer = a->peer.family,
		.peer_len = a->peer.len,
	};

	memcpy(d.addr, a->local.addr, sizeof(d.addr));
	memcpy(d.peer, a->peer.addr, sizeof(d.peer));
	return rtnl_addr_set(&t->place->rtnl, &d, there);
}

static int set_route(struct tunnel *t, const struct conf_route *r, bool there)
{
	struct rtnl_dev_route d = {
		.ifindex = t->link.ifindex,
		.family = r->dst.family,
		.len = r->dst.len,
		.has_via = r->via.family,
		.has_src = r->src.family,
		.onlink = r->onlink,
		.metric = r->metric,
		.table = r->table,
	};

	memcpy(d.dst, r->dst.addr, sizeof(d.dst));
	memcpy(d.via, r->via.addr, sizeof(d.via));
	memcpy(d.src, r->src.addr, sizeof(d.src));
	return rtnl_route_set(&t->place->rtnl, &d, there);
}

static int complain(struct err *e, int rc, const char *what, const struct conf_net *n)
{
	char addr[ADDR6_TEXT], addr4[ADDR4_TEXT];
	be32 v4;

	memcpy(&v4, n->addr, sizeof(v4));
	return err_set(e, -rc, "%s %s/%u: %s", what,
		       n->family == AF_INET ? addr4_print(v4, addr4) : addr6_print(n->addr, addr),
		       n->len, strerror(-rc));
}

static void undress(struct tunnel *t, const struct conf_tunnel *want, const struct conf_tunnel *had)
{
	for (u32 i = 0; i < had->nroutes; i++)
		if (!has_route(want, &had->route[i], route_replaces))
			set_route(t, &had->route[i], false);
	for (u32 i = 0; i < had->naddrs; i++)
		if (!has_addr(want, &had->addr[i]))
			set_addr(t, &had->addr[i], false);
}

static int give_addrs(struct tunnel *t, const struct conf_tunnel *want,
		      const struct conf_tunnel *had, struct err *e)
{
	for (u32 i = 0; i < want->naddrs; i++) {
		int rc = has_addr(had, &want->addr[i]) ? 0 : set_addr(t, &want->addr[i], true);

		if (rc && rc != -EEXIST)
			return complain(e, rc, "address", &want->addr[i].local);
	}
	return 0;
}

static int give_routes(struct tunnel *t, const struct conf_tunnel *want,
		       const struct conf_tunnel *had, struct err *e)
{
	for (u32 i = 0; i < want->nroutes; i++) {
		const struct conf_route *r = &want->route[i];
		int rc = has_route(had, r, route_equal) ? 0 : set_route(t, r, true);

		if (rc && rc != -EEXIST)
			return complain(e, rc, "route", &r->dst);
	}
	return 0;
}

static int set_link(struct tunnel *t, const struct conf_tunnel *want, const struct conf_tunnel *had,
		    struct err *e)
{
	struct rtnl_link_set set = {0};
	u32 mtu = want->mtu;
	int rc;

	if (!mtu && had->mtu)
		mtu = tun_default_mtu(t->home, &t->cfg);
	if (mtu && mtu != t->link.mtu)
		set.mtu = mtu;
	if (want->up && !t->link.up)
		set.flags_on = IFF_UP;
	if (!want->up && had->up && t->link.up)
		set.flags_off = IFF_UP;
	if (!set.mtu && !set.flags_on && !set.flags_off)
		return 0;
	rc = rtnl_link_set(&t->place->rtnl, t->link.ifindex, &set);
	return rc ? err_set(e, -rc, "the device cannot be set %s: %s",
			    set.mtu ? "to that MTU" : "up", strerror(-rc))
		  : 0;
}

int conf_dress(struct tunnel *t, const struct conf_tunnel *want, const struct conf_tunnel *had,
	       struct err *e)
{
	/* what went with a device that was set down is there no more */
	bool risen = want->up && !t->link.up;
	int rc;

	had = had ? had : &nothing;
	undress(t, want, had);
	rc = give_addrs(t, want, risen ? &nothing : had, e);
	if (!rc)
		rc = set_link(t, want, had, e);
	if (!rc && risen) /* IPv6 addresses of a device go when it goes down */
		rc = give_addrs(t, want, &nothing, e);
	return rc ? rc : give_routes(t, want, risen ? &nothing : had, e);
}
