/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/link.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/index.h"
#include "daemon/neigh.h"
#include "daemon/reconcile.h"
#include "daemon/rxmap.h"
#include "daemon/tunnel.h"
#include "lib/log.h"

struct link *link_find(struct ns *ns, u32 ifindex)
{
	struct hnode *n = htab_find(&ns->links, ifindex);

	return n ? container_of(n, struct link, node) : NULL;
}

struct link *link_named(struct ns *ns, const char *name)
{
	htab_for_each (n, &ns->links) {
		struct link *l = container_of(n, struct link, node);

		if (!strcmp(l->l.name, name))
			return l;
	}
	return NULL;
}

bool addr_is_local(struct ns *ns, be32 addr)
{
	return htab_find(&ns->addrs, addr.raw) != NULL;
}

static void link_forget(struct ns *ns, struct link *l)
{
	htab_del(&ns->links, &l->node);
	neigh_refresh(ns, l->l.ifindex);
	tunnel_link_changed(ns, l->l.ifindex);
	free(l);
}

static void link_update(struct ns *ns, const struct rtnl_link *new)
{
	struct link *l = link_find(ns, new->ifindex);

	if (!l) {
		l = calloc(1, sizeof(*l));
		if (!l || htab_add(&ns->links, &l->node, new->ifindex)) {
			free(l);
			return;
		}
		if (new->type == ARPHRD_ETHER) /* perhaps an underlay */
			reconcile_soon(ns);
	}
	if (new->master != l->l.master || strcmp(new->kind, l->l.kind) != 0) {
		rxmap_mark_all(ns); /* what is bound to a VRF is bound to what is in it */
		reconcile_soon(ns);
	}
	l->l = *new;
	l->seen = true;
	neigh_refresh(ns, new->ifindex);
	tunnel_link_changed(ns, new->ifindex);
}

/*
 * A tunnel's device that is down, and was before if there was one: nothing is routed to
 * it. Thousands that are made do not have all routes looked up each time.
 */
static bool is_idle(const struct link *was, const struct rtnl_link *now)
{
	const char *kind = was ? was->l.kind : now->kind;

	return !strcmp(kind, "tun") && !(was && was->l.flags & IFF_UP) &&
	       (now->gone || !(now->flags & IFF_UP));
}

static void link_event(struct ns *ns, const struct nlmsghdr *nlh)
{
	struct rtnl_link new;
	struct link *l;

	if (rtnl_link_parse(nlh, &new))
		return;
	l = link_find(ns, new.ifindex);
	if (!is_idle(l, &new))
		ns->routes_changed = true; /* up, down and mtu decide about routes */
	if (!new.gone) {
		link_update(ns, &new);
		return;
	}
	if (l)
		link_forget(ns, l);
}

/*
 * Somebody took filters off a device: ours may have been among them. What we did
 * ourselves is told too; then there is nothing to be put back, and that ends it.
 */
static void tc_event(struct ns *ns, const struct nlmsghdr *nlh)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);
	struct link *l;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*tcm))
		return;
	l = link_find(ns, (u32)tcm->tcm_ifindex);
	if (!l)
		return;
	l->retry = true;
	tunnel_link_changed(ns, l->l.ifindex);
	reconcile_soon(ns);
}

/* The family is the first byte of what an address, a route or a rule is told by. */
static bool is_inner6(const struct nlmsghdr *nlh)
{
	const u8 *family = mnl_nlmsg_get_payload(nlh);

	switch (nlh->nlmsg_type) {
	case RTM_NEWADDR:
	case RTM_DELADDR:
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
	case RTM_NEWRULE:
	case RTM_DELRULE:
		return mnl_nlmsg_get_payload_len(nlh) && *family == AF_INET6;
	default:
		return false;
	}
}

/* A neighbour on a tunnel's device: it may say where packets go. */
static bool is_tunnels_neighbour(struct ns *ns, const struct nlmsghdr *nlh)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct tunnel *t;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm))
		return false;
	t = index_by_device(ns, (u32)ndm->ndm_ifindex);
	return t && be32_is_zero(t->cfg.remote);
}

static void on_event(const struct nlmsghdr *nlh, void *arg)
{
	struct ns *ns = arg;

	if (is_inner6(nlh)) {
		ns->inner6_changed = true;
		return;
	}
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		link_event(ns, nlh);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		ns->addrs_changed = ns->routes_changed = true;
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		neigh_event(ns, nlh);
		ns->inner6_changed |= is_tunnels_neighbour(ns, nlh);
		break;
	case RTM_DELQDISC:
	case RTM_DELTFILTER:
		tc_event(ns, nlh);
		break;
	case RTM_NEWQDISC:
	case RTM_NEWTFILTER:
	case RTM_NEWTCLASS:
	case RTM_DELTCLASS:
	case RTM_NEWCHAIN:
	case RTM_DELCHAIN:
		break;
	default:
		ns->routes_changed = true;
	}
}

void links_sync(struct ns *ns)
{
	int err = rtnl_hear(ns->events_fd, on_event, ns);

	if (err && err != -ENOBUFS)
		log_error("namespace %u: notifications: %s", ns->nsid, strerror(-err));
	if (err)
		ns->links_lost = ns->addrs_changed = ns->routes_changed = true;
	/* whoever calls us: what was heard is not heard again */
	if (ns->links_lost || ns->addrs_changed || ns->routes_changed || ns->inner6_changed)
		reconcile_soon(ns);
	else if (ns->follow)
		reconcile_touched_soon(ns);
}

static void reload_link(const struct rtnl_link *l, void *arg)
{
	link_update(arg, l);
}

int links_reload(struct ns *ns)
{
	int err;

	htab_for_each (n, &ns->links)
		container_of(n, struct link, node)->seen = false;
	err = rtnl_link_each(&ns->rtnl, reload_link, ns);
	if (err)
		return err;
	htab_for_each (n, &ns->links) {
		struct link *l = container_of(n, struct link, node);

		if (!l->seen)
			link_forget(ns, l);
	}
	neigh_refresh(ns, 0);
	ns->links_lost = false;
	return 0;
}

static void reload_addr(be32 addr, u32 ifindex, void *arg)
{
	struct ns *ns = arg;
	struct hnode *n = htab_find(&ns->addrs, addr.raw);
	struct addr *a = n ? container_of(n, struct addr, node) : calloc(1, sizeof(*a));

	(void)ifindex;
	if (!n && a && htab_add(&ns->addrs, &a->node, addr.raw)) {
		free(a);
		return;
	}
	if (a)
		a->seen = true;
}

static void addr_forget(struct ns *ns, struct addr *a)
{
	if (a->in_map && ns->bpf)
		bpf_ns_set_local(ns->bpf, (be32){(u32)a->node.key}, false);
	htab_del(&ns->addrs, &a->node);
	free(a);
}

int addrs_reload(struct ns *ns)
{
	int err;

	htab_for_each (n, &ns->addrs)
		container_of(n, struct addr, node)->seen = false;
	err = rtnl_addr_each(&ns->rtnl, reload_addr, ns);
	if (err)
		return err;
	htab_for_each (n, &ns->addrs) {
		struct addr *a = container_of(n, struct addr, node);

		if (!a->seen)
			addr_forget(ns, a);
	}
	ns->addrs_changed = false;
	return 0;
}

bool link_is_vrf(const struct link *l)
{
	return !strcmp(l->l.kind, "vrf");
}

const struct link *link_vrf(struct ns *ns, const struct link *l)
{
	const struct link *master = l->l.master ? link_find(ns, l->l.master) : NULL;

	return master && link_is_vrf(master) ? master : NULL;
}

/*
 * The ports of a bridge, a bond or the like hand over to their master, which
 * has the program; those of a VRF keep what comes in.
 */
static bool hands_over(struct ns *ns, const struct link *l)
{
	return l->l.master && !link_vrf(ns, l);
}

bool link_is_underlay(struct ns *ns, const struct link *l)
{
	return l->l.type == ARPHRD_ETHER && !link_is_vrf(l) && !hands_over(ns, l);
}

void links_free(struct ns *ns)
{
	htab_for_each (n, &ns->links)
		free(container_of(n, struct link, node));
	htab_for_each (n, &ns->addrs)
		free(container_of(n, struct addr, node));
	htab_fini(&ns->links);
	htab_fini(&ns->addrs);
}
