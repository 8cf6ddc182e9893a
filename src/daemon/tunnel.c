/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/tunnel.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/datapath.h"
#include "daemon/engproc.h"
#include "daemon/engtell.h"
#include "daemon/index.h"
#include "daemon/keepalive.h"
#include "daemon/link.h"
#include "daemon/metrics.h"
#include "daemon/monitor.h"
#include "daemon/netns.h"
#include "daemon/numbers.h"
#include "daemon/reconcile.h"
#include "daemon/rxmap.h"
#include "daemon/shared.h"
#include "daemon/tun.h"
#include "lib/log.h"
#include "mode/mode.h"
#include "model/grammar.h"
#include "model/rules.h"

enum { ATTACH_TRIES = 50, ATTACH_WAIT_MS = 20 }; /* for an engine that is ending */

struct tunnel *tunnel_by_slot(struct daemon *d, u32 slot)
{
	return index_by_slot(d, slot);
}

int tunnel_by_name(struct ns *ns, const char *name, struct tunnel **t)
{
	struct rtnl_link l;
	int err = rtnl_link_get(&ns->rtnl, 0, name, &l);

	if (err)
		return err == -EINVAL || err == -ERANGE ? -ENODEV : err;
	*t = index_by_device(ns, l.ifindex);
	return *t ? 0 : -EOPNOTSUPP;
}

struct tunnel *tunnel_like(struct ns *ns, const struct tunnel_cfg *cfg)
{
	return index_by_config(ns, cfg);
}

int tunnel_save(struct tunnel *t)
{
	struct state_line l = {
		.slot = t->slot,
		.order = t->order,
		.home = t->home->id,
		.place = t->place->id,
		.ifindex = t->link.ifindex,
		.cfg = t->cfg,
	};

	if (t->prl)
		l.routers = *t->prl;
	memcpy(l.ifname, t->ifname, sizeof(l.ifname));
	/* names change, and the grammar tells no index but this way */
	if (l.cfg.link)
		snprintf(l.cfg.dev, sizeof(l.cfg.dev), "if%u", l.cfg.link);
	return state_put(t->home->daemon->state, &l);
}

int tunnel_set_routers(struct tunnel *t, const struct prl *routers)
{
	struct prl *copy = malloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *routers;
	free(t->prl);
	t->prl = copy;
	t->prl_told = t->has_peers = false;
	return 0;
}

static struct tunnel *tunnel_new(struct ns *home, struct ns *place, const struct tunnel_cfg *cfg)
{
	struct tunnel *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->home = home;
	t->place = place;
	t->cfg = *cfg;
	t->queue = -1;
	t->resolve = true;
	list_add(&home->daemon->tunnels, &t->node);
	list_add(&home->home, &t->in_home);
	list_add(&place->here, &t->in_place);
	list_init(&t->in_touched);
	return t;
}

static void tunnel_free(struct tunnel *t)
{
	index_leave(t);
	list_del(&t->node);
	list_del(&t->in_home);
	list_del(&t->in_place);
	list_del(&t->in_touched);
	if (t->queue >= 0)
		close(t->queue);
	group_leave(&t->group);
	free(t->prl);
	free(t->pulse);
	free(t);
}

void tunnel_forget(struct tunnel *t)
{
	struct ns *home = t->home, *place = t->place;
	struct daemon *d = home->daemon;

	monitor_tunnel(t, "deleted");
	metrics_keep(t);
	engtell_tunnel_del(t);
	datapath_release(t);
	state_forget(d->state, t->slot);
	shared_give(d->shared, t->slot);
	tunnel_free(t);
	if (place != home)
		netns_drop_unused(place);
	reconcile_soon(home);
	netns_drop_unused(home);
}

int tunnel_resolve_dev(struct ns *ns, struct tunnel_cfg *cfg, struct err *e)
{
	struct rtnl_link l;

	cfg->link = 0;
	if (!cfg->dev[0])
		return 0;
	if (rtnl_link_get(&ns->rtnl, 0, cfg->dev, &l) == 0)
		cfg->link = l.ifindex;
	else if (sscanf(cfg->dev, "if%u", &cfg->link) != 1)
		return err_set(e, ENODEV, "there is no device %s here", cfg->dev);
	return 0;
}

void tunnel_abandon_all(struct daemon *d)
{
	list_for_each_safe (n, &d->tunnels) {
		struct tunnel *t = list_entry(n, struct tunnel, node);

		if (t->in_rx)
			rxmap_remove(t);
		tunnel_free(t);
	}
}

/* The device is made and t knows it: enter it everywhere. */
static int establish(struct tunnel *t, struct err *e)
{
	int err = tunnel_save(t);

	if (err)
		return err_set(e, -err, "the state file cannot be written: %s", strerror(-err));
	err = tun_keep(t->queue, tun_mark(&t->home->id, t->slot, t->order));
	if (err)
		return err_set(e, -err, "the device cannot be made to last: %s", strerror(-err));
	if (t->home->daemon->gather) {
		reconcile_soon(t->home);
		return 0;
	}
	return reconcile_now(t->home, t, e);
}

static void take_link(struct tunnel *t, const struct rtnl_link *l)
{
	t->link = (struct engine_link){l->ifindex, l->mtu, l->flags & IFF_UP};
	memcpy(t->ifname, l->name, sizeof(t->ifname));
	t->told_up = t->link.up;
}

/* An add that failed leaves nothing: no device, no line, no slot. */
static void undo(struct tunnel *t)
{
	if (t->link.ifindex)
		rtnl_link_del(&t->place->rtnl, t->link.ifindex);
	tunnel_forget(t);
}

static int tunnel_make(struct tunnel *t, struct err *e)
{
	struct daemon *d = t->home->daemon;
	struct rtnl_link made;
	int err = shared_take(d->shared, &t->slot);

	if (err) {
		err_set(e, -err, "the counters file cannot grow: %s", strerror(-err));
		tunnel_free(t);
		return err;
	}
	err = tun_create(t->home, &t->cfg, &made, &t->queue, e);
	if (err) {
		t->queue = -1;
		undo(t);
		return err;
	}
	take_link(t, &made);
	numbers_begin(d, t->slot);
	memcpy(t->cfg.name, made.name, sizeof(t->cfg.name));
	t->order = ++d->next_order;
	err = index_enter(t) ? err_set(e, ENOMEM, "out of memory") : establish(t, e);
	if (err) {
		undo(t);
		return err;
	}
	keepalive_follow(t);
	t->announced = true;
	monitor_tunnel(t, "added");
	return 0;
}

/* What the driver checks before it makes a device. */
static int check_new(struct ns *ns, const struct tunnel_cfg *cfg, struct err *e)
{
	if (!mode_by_id(cfg->mode))
		return err_set(e, ENODEV, "this tunl has no mode of that kind");
	if (tunnel_like(ns, cfg))
		return err_set(e, EEXIST, "%s", "");
	return engproc_ensure(ns->daemon, e);
}

int tunnel_create(struct ns *ns, const struct tunnel_cfg *want, struct err *e)
{
	struct tunnel_cfg cfg = *want;
	struct tunnel *t;
	int err = rules_accept(&cfg, e);

	if (!err)
		err = tunnel_resolve_dev(ns, &cfg, e);
	if (!err)
		err = check_new(ns, &cfg, e);
	if (!err) {
		t = tunnel_new(ns, ns, &cfg);
		err = t ? tunnel_make(t, e) : err_set(e, ENOMEM, "out of memory");
	}
	if (err)
		e->code = rules_add_errno(cfg.mode, e->code);
	return err;
}

/* The MTU after a change: computed anew, or shifted by what the header grew (spec cli 4.3). */
static u32 changed_mtu(const struct tunnel *t, const struct tunnel_cfg *old)
{
	int grown = mode_hlen(&t->cfg) - mode_hlen(old), mtu = (int)t->link.mtu - grown;

	if (old->link != t->cfg.link || old->fwmark != t->cfg.fwmark)
		return tun_rebound_mtu(t->home, &t->cfg, t->link.mtu);
	return grown ? max_of((u32)max_of(mtu, 0), rules_mtu_min(&t->cfg)) : t->link.mtu;
}

static void apply_change(struct tunnel *t, const struct tunnel_cfg *old)
{
	struct rtnl_link_set set = {.mtu = changed_mtu(t, old)};

	if (!be32_eq(old->remote, t->cfg.remote))
		tun_show_peer(t->place, t->link.ifindex, t->cfg.remote);
	if (set.mtu != t->link.mtu) {
		rtnl_link_set(&t->place->rtnl, t->link.ifindex, &set);
		t->link.mtu = set.mtu;
	}
}

static int change_to(struct tunnel *t, const struct tunnel_cfg *next, struct err *e)
{
	struct tunnel_cfg old = t->cfg;
	int err;

	t->cfg = *next;
	index_enter(t);
	t->resolve = true;
	rxmap_mark(t->home, &t->cfg);
	err = tunnel_save(t);
	if (err) {
		t->cfg = old;
		index_enter(t);
		return err_set(e, -err, "the state file cannot be written: %s", strerror(-err));
	}
	err = reconcile_now(t->home, t, e);
	if (err) {
		t->cfg = old;
		index_enter(t);
		tunnel_save(t);
		reconcile_now(t->home, t, NULL);
		return err;
	}
	apply_change(t, &old);
	keepalive_follow(t);
	monitor_tunnel(t, "changed");
	return 0;
}

int tunnel_change(struct ns *ns, struct tunnel *t, const struct tunnel_cfg *want, struct err *e)
{
	struct tunnel_cfg next = *want;
	struct tunnel *other;
	int err = t ? rules_adopt(&t->cfg, &next, e) : 0;

	if (!err)
		err = rules_accept(&next, e);
	if (err)
		return err;
	if (t)
		ns = t->home;
	err = tunnel_resolve_dev(ns, &next, e);
	if (err)
		return err;
	other = tunnel_like(ns, &next);
	if (!t && !other)
		return err_set(e, ENOENT, "%s", "");
	/* without parameters it is the fallback device's (spec cli 4.3), which has not moved in */
	if (t && (other ? other != t : rules_is_fallback(&next)))
		return err_set(e, EEXIST, "%s", "");
	t = t ? t : other;
	err = rules_change(&t->cfg, &next, &next, e);
	return err ? err : change_to(t, &next, e);
}

int tunnel_delete(struct tunnel *t, struct err *e)
{
	int err = rtnl_link_del(&t->place->rtnl, t->link.ifindex);

	if (err && err != -ENODEV)
		return err_set(e, -err, "the device cannot be deleted: %s", strerror(-err));
	tunnel_forget(t);
	return 0;
}

/* Attach to the device; an engine that lost its parent may need a moment to end. */
static int attach(struct tunnel *t)
{
	struct err e = {0};
	int err = -EBUSY;

	for (int i = 0; err == -EBUSY && i < ATTACH_TRIES; i++) {
		if (i)
			poll(NULL, 0, ATTACH_WAIT_MS);
		err = tun_attach(t->place, t->ifname, &t->queue, &e);
	}
	if (err) {
		t->queue = -1;
		log_error("%s: cannot be attached to again: %s", t->ifname, e.text);
	}
	return err;
}

int tunnel_adopt(struct ns *home, struct ns *place, const struct state_line *line)
{
	struct daemon *d = home->daemon;
	int err = shared_take_again(d->shared, line->slot);
	struct rtnl_link l;
	struct tunnel *t;

	if (err)
		return err;
	err = rtnl_link_get(&place->rtnl, line->ifindex, NULL, &l);
	t = err ? NULL : tunnel_new(home, place, &line->cfg);
	if (!t) {
		shared_give(d->shared, line->slot);
		return err ? err : -ENOMEM;
	}
	t->slot = line->slot;
	t->order = line->order;
	if (line->routers.n)
		tunnel_set_routers(t, &line->routers);
	d->next_order = max_of(d->next_order, t->order);
	take_link(t, &l);
	sscanf(t->cfg.dev, "if%u", &t->cfg.link);
	if (index_enter(t)) {
		shared_give(d->shared, t->slot);
		tunnel_free(t);
		return -ENOMEM;
	}
	attach(t);
	numbers_find(t);
	t->announced = true;
	keepalive_follow(t);
	if (strcmp(t->ifname, line->ifname) != 0 || !netns_is(&line->place, &place->id))
		tunnel_save(t);
	reconcile_soon(home);
	return 0;
}
