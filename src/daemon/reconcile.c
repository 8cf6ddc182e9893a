/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/reconcile.h"

#include <errno.h>
#include <string.h>

#include "daemon/conf.h"
#include "daemon/datapath.h"
#include "daemon/engproc.h"
#include "daemon/engtell.h"
#include "daemon/follow.h"
#include "daemon/link.h"
#include "daemon/netns.h"
#include "daemon/rxmap.h"
#include "lib/log.h"

enum {
	GATHER_MS = 1,	/* for the notifications that belong together */
	RETRY_MS = 200, /* what failed may work then */
	BULK_MS = 300,	/* between looks while thousands of devices come or go */
};

static void arm(struct ns *ns, u64 ms);

static void on_events(uv_poll_t *poll, int status, int events)
{
	struct ns *ns = poll->data;

	(void)status;
	(void)events;
	links_sync(ns);
	if (ns->follow)
		arm(ns, 0); /* somebody set a tunnel up, and the next thing is a packet */
}

/* What the kernel said, taken in. */
static int look(struct ns *ns)
{
	int err = 0;

	links_sync(ns);
	if (ns->links_lost)
		err = links_reload(ns);
	if (ns->addrs_changed || ns->routes_changed)
		conf_event(ns);
	if (!err && ns->addrs_changed) {
		err = addrs_reload(ns);
		rxmap_mark_all(ns);
		conf_addrs_changed(ns);
	}
	if (err)
		log_error("namespace %u: cannot be looked at: %s", ns->nsid, strerror(-err));
	return err;
}

static void spread_routes(struct ns *ns)
{
	if (ns->inner6_changed || ns->routes_changed)
		engtell_ns_flush(ns);
	if (ns->inner6_changed || ns->routes_changed)
		list_for_each (n, &ns->home)
			list_entry(n, struct tunnel, in_home)->has_peers = false;
	ns->nbma_stale |= ns->inner6_changed;
	ns->inner6_changed = false;
	if (!ns->routes_changed)
		return;
	ns->routes_changed = false;
	ns->nbma_stale = true;
	list_for_each (n, &ns->home)
		list_entry(n, struct tunnel, in_home)->resolve = true;
}

static void expire(struct ns *ns)
{
	u64 now = uv_now(&ns->daemon->loop);

	list_for_each (n, &ns->home) {
		struct tunnel *t = list_entry(n, struct tunnel, in_home);

		if (t->expires_ms && t->expires_ms <= now)
			t->resolve = true;
	}
}

static int tell_engine(struct ns *ns)
{
	int err = 0;

	list_for_each (n, &ns->home) {
		int failed = engtell_tunnel_set(list_entry(n, struct tunnel, in_home));

		err = failed ? failed : err;
	}
	return err;
}

/* When something will have to be done without a notification. */
static void arm_for_expiry(struct ns *ns)
{
	u64 now = uv_now(&ns->daemon->loop), next = 0;

	list_for_each (n, &ns->home) {
		const struct tunnel *t = list_entry(n, struct tunnel, in_home);

		if (t->expires_ms && (!next || t->expires_ms < next))
			next = t->expires_ms;
	}
	if (!next)
		return;
	ns->whole = true;
	arm(ns, next > now ? next - now : 1);
}

static bool is_whole(const struct ns *ns)
{
	return ns->whole || ns->links_lost || ns->addrs_changed || ns->routes_changed ||
	       ns->inner6_changed || ns->nbma_stale;
}

static void untouch_all(struct ns *ns)
{
	list_for_each_safe (n, &ns->touched)
		list_del(n);
}

/* All tunnels: something that any of them may have a part in changed. 0 or -errno. */
static int settle_whole(struct ns *ns)
{
	ns->whole = false;
	follow_devices(ns);
	expire(ns);
	spread_routes(ns);
	datapath_apply(ns);
	untouch_all(ns);
	return tell_engine(ns);
}

/* Those alone that are touched: where there are thousands, it is one of them most times. */
static int settle_touched(struct ns *ns)
{
	int err = 0;

	follow_touched(ns);
	if (is_whole(ns) || !datapath_apply_touched(ns))
		return settle_whole(ns);
	list_for_each_safe (n, &ns->touched) {
		struct tunnel *t = list_entry(n, struct tunnel, in_touched);
		int failed = engtell_tunnel_set(t);

		err = failed ? failed : err;
		ns->whole |= t->expires_ms != 0; /* for the timer */
		list_del(n);
	}
	return err;
}

static int reconcile(struct ns *ns)
{
	bool whole;
	int err;

	ns->busy++;
	err = look(ns);
	whole = is_whole(ns);
	if (whole)
		uv_timer_stop(&ns->timer);
	if (!err) {
		ns->follow = false;
		err = whole ? settle_whole(ns) : settle_touched(ns);
		if (err)
			log_error("namespace %u: the engine cannot be told: %s", ns->nsid,
				  strerror(-err));
	}
	uv_update_time(&ns->daemon->loop);
	if (err)
		ns->whole = true;
	if (err && engproc_is_ready(ns->daemon))
		arm(ns, RETRY_MS);
	else if (whole || ns->whole)
		arm_for_expiry(ns);
	ns->busy--;
	return err;
}

static void on_timer(uv_timer_t *timer)
{
	struct ns *ns = timer->data;
	u64 begun = uv_hrtime();

	reconcile(ns);
	ns->rest_until_ms = uv_now(timer->loop) + (uv_hrtime() - begun) / 1000000;
	netns_drop_unused(ns);
}

static void arm(struct ns *ns, u64 ms)
{
	if (ns->fd < 0)
		return;
	if (ns->daemon->bulk)
		ms = max_of(ms, (u64)BULK_MS);
	if (!uv_is_active((uv_handle_t *)&ns->timer) || uv_timer_get_due_in(&ns->timer) > ms)
		uv_timer_start(&ns->timer, on_timer, ms, 0);
}

void reconcile_touch(struct tunnel *t)
{
	list_del(&t->in_touched);
	list_add(&t->home->touched, &t->in_touched);
}

void reconcile_touched_soon(struct ns *ns)
{
	arm(ns, GATHER_MS);
}

void reconcile_soon(struct ns *ns)
{
	u64 now = uv_now(&ns->daemon->loop);

	ns->whole = true;
	/* a namespace with thousands of tunnels and restless routes gets half of our time at most
	 */
	arm(ns, ns->rest_until_ms > now + GATHER_MS ? ns->rest_until_ms - now : GATHER_MS);
}

void reconcile_all(struct daemon *d)
{
	list_for_each (n, &d->namespaces) {
		struct ns *ns = list_entry(n, struct ns, node);

		ns->whole = true;
		arm(ns, 0);
	}
}

static struct ns *first_unfollowed(struct daemon *d)
{
	list_for_each (n, &d->namespaces) {
		struct ns *ns = list_entry(n, struct ns, node);

		if (ns->follow || ns->links_lost)
			return ns;
	}
	return NULL;
}

void reconcile_settle(struct daemon *d)
{
	struct ns *ns;

	list_for_each (n, &d->namespaces)
		links_sync(list_entry(n, struct ns, node));
	while ((ns = first_unfollowed(d))) {
		int err = reconcile(ns);

		netns_drop_unused(ns);
		if (err)
			return; /* it is tried again by its timer */
	}
}

int reconcile_now(struct ns *ns, struct tunnel *t, struct err *e)
{
	int err;

	if (t->cfg.datapath != DATAPATH_USER)
		ns->bpf_err.code = 0; /* try again: limits and rights may be others now */
	reconcile_touch(t);
	err = reconcile(ns);
	if (err)
		return err_set(e, -err, "the network namespace: %s", strerror(-err));
	if (t->cfg.datapath == DATAPATH_BPF && !t->fast)
		return err_set(e, ns->bpf_err.code ? ns->bpf_err.code : EOPNOTSUPP,
			       "the bpf datapath cannot be had: %s", t->why);
	if (!t->engine_has)
		return err_set(e, EAGAIN,
			       "the engine does not take the tunnel: the log tells more");
	return 0;
}

void reconcile_watch(struct ns *ns)
{
	uv_poll_init(&ns->daemon->loop, &ns->events, ns->events_fd);
	uv_timer_init(&ns->daemon->loop, &ns->timer);
	ns->events.data = ns->timer.data = ns;
	uv_poll_start(&ns->events, UV_READABLE, on_events);
}
