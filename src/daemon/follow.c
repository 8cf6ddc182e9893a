/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/follow.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "daemon/auto6.h"
#include "daemon/conf.h"
#include "daemon/datapath.h"
#include "daemon/index.h"
#include "daemon/link.h"
#include "daemon/monitor.h"
#include "daemon/netns.h"
#include "daemon/priv.h"
#include "daemon/reconcile.h"
#include "daemon/tunnel.h"
#include "daemon/xfrm.h"
#include "lib/log.h"

void tunnel_link_changed(struct ns *ns, u32 ifindex)
{
	const struct link *l = link_find(ns, ifindex);

	struct tunnel *t = index_by_device(ns, ifindex);

	/* several: the device of one is gone, and another's has its number by now */
	for (; t; t = index_next_device(t)) {
		t->follow = t->home->follow = true;
		reconcile_touch(t);
		/* down and up again, told at once, is a coming up all the same */
		if (l && !(l->l.flags & IFF_UP))
			t->link.up = false;
		if (t->home != ns)
			reconcile_soon(t->home);
	}
}

static void save(struct tunnel *t)
{
	int err = tunnel_save(t);

	if (err)
		log_error("%s: its new whereabouts cannot be written down: %s", t->ifname,
			  strerror(-err));
}

static void take(struct tunnel *t, const struct rtnl_link *l)
{
	bool renamed = strcmp(t->ifname, l->name) != 0;
	bool came_up = !t->link.up && l->flags & IFF_UP;

	t->link = (struct engine_link){l->ifindex, l->mtu, l->flags & IFF_UP};
	memcpy(t->ifname, l->name, sizeof(t->ifname));
	if (renamed)
		save(t);
	if (came_up) {
		t->resolve = true;
		auto6_up(t);
	}
	if (renamed || t->told_up != t->link.up)
		monitor_tunnel(t, "changed");
	t->told_up = t->link.up;
}

/* The namespace that the device is in now; NULL: it is in none, it was deleted. */
static struct ns *whereabouts(struct tunnel *t)
{
	int fd = t->queue >= 0 ? priv_tun_ns(t->queue) : -EBADFD;
	struct ns *ns = NULL;
	struct err e;

	if (fd < 0)
		return NULL;
	if (netns_take(t->home->daemon, fd, &ns, &e)) {
		log_error("%s: was moved out of reach: %s", t->ifname, e.text);
		ns = NULL;
	}
	close(fd);
	return ns;
}

/* What the maps counted under the old index is kept. */
static void settle_counters(struct tunnel *t)
{
	struct tunnel_stats bpf;

	if (t->home->bpf && t->has_tx && !bpf_ns_get_stats(t->home->bpf, t->link.ifindex, &bpf))
		stats_add(&t->base, &bpf);
}

static void move(struct tunnel *t, struct ns *to)
{
	struct ns *from = t->place;
	char name[TUNL_NAME_LEN];
	struct rtnl_link l;

	if (priv_tun_name(t->queue, name) || rtnl_link_get(&to->rtnl, 0, name, &l)) {
		tunnel_forget(t);
		netns_drop_unused(to);
		return;
	}
	settle_counters(t);
	datapath_release(t);
	list_del(&t->in_place);
	list_add(&to->here, &t->in_place);
	t->place = to;
	t->attached = false; /* the kernel takes filters off a device that is moved */
	take(t, &l);
	index_enter(t);
	save(t);
	log_info("%s: its device is in namespace %u now", t->ifname, to->nsid);
	netns_drop_unused(from);
}

/* Whether l is t's device still: one that came in meanwhile may have its index now. */
static bool is_own(const struct tunnel *t, const struct link *l)
{
	char name[TUNL_NAME_LEN];

	return t->queue < 0 || priv_tun_name(t->queue, name) || !strcmp(name, l->l.name);
}

static void follow(struct tunnel *t)
{
	struct link *l = link_find(t->place, t->link.ifindex);
	struct ns *now;

	t->follow = false;
	if (l && is_own(t, l)) {
		take(t, &l->l);
		if (l->retry)
			t->attached = false;
		l->retry = false;
		return;
	}
	now = whereabouts(t);
	if (now) { /* the same one again, perhaps, under another index */
		move(t, now);
		return;
	}
	log_info("%s: its device was deleted", t->ifname);
	tunnel_forget(t);
}

void follow_touched(struct ns *ns)
{
	list_for_each_safe (n, &ns->touched) {
		struct tunnel *t = list_entry(n, struct tunnel, in_touched);

		if (t->follow)
			follow(t);
	}
}

void follow_devices(struct ns *ns)
{
	list_for_each_safe (n, &ns->home) {
		struct tunnel *t = list_entry(n, struct tunnel, in_home);

		if (t->follow)
			follow(t);
	}
}

static void end(struct tunnel *t, struct ns *ended)
{
	/* as the driver: with the namespace that it was made in goes the tunnel (spec cli 2.6) */
	if (t->place != ended)
		rtnl_link_del(&t->place->rtnl, t->link.ifindex);
	tunnel_forget(t);
}

void follow_end(struct ns *ns)
{
	ns->busy++;
	list_for_each_safe (n, &ns->home)
		end(list_entry(n, struct tunnel, in_home), ns);
	list_for_each_safe (n, &ns->here)
		end(list_entry(n, struct tunnel, in_place), ns);
	conf_ns_ended(ns);
	xfrm_free(ns);
	ns->busy--;
	netns_drop_unused(ns);
}
