/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/datapath.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "daemon/hop.h"
#include "daemon/index.h"
#include "daemon/link.h"
#include "daemon/monitor.h"
#include "daemon/neigh.h"
#include "daemon/netns.h"
#include "daemon/numbers.h"
#include "daemon/peermap.h"
#include "daemon/priv.h"
#include "daemon/rxmap.h"
#include "daemon/shared.h"
#include "daemon/trace.h"
#include "engine/sockets.h"
#include "lib/log.h"
#include "lib/text.h"
#include "mode/mode.h"

enum { GSO_SEGS = 65535 }; /* of a merged packet, where the kernel sets no other bound */

static void slow(struct tunnel *t, const char *why)
{
	t->fast = false;
	text_copy(t->why, sizeof(t->why), why);
}

/* Why bpf is out of the question for t, whatever the kernel can; NULL: it is not. */
static const char *objection(const struct tunnel *t)
{
	const struct mode *m = mode_by_id(t->cfg.mode);
	struct mode_fast how = {};

	if (t->cfg.datapath == DATAPATH_USER)
		return "asked for";
	if (!m->fast || !m->fast(&t->cfg, &how))
		return "such a tunnel is carried by the user datapath only";
	if (t->place != t->home)
		return "the device is in another network namespace than its outer packets";
	return NULL;
}

static void drop_stale_tx(const void *key, void *arg)
{
	struct ns *ns = arg;
	struct tunnel *t;
	u32 ifindex;

	memcpy(&ifindex, key, sizeof(ifindex));
	t = index_by_device(ns, ifindex);
	if (!t || t->home != ns)
		bpf_ns_set_tx(ns->bpf, ifindex, NULL);
}

static void drop_stale_local(const void *key, void *arg)
{
	struct ns *ns = arg;
	be32 addr;

	memcpy(&addr, key, sizeof(addr));
	if (!addr_is_local(ns, addr))
		bpf_ns_set_local(ns->bpf, addr, false);
}

/*
 * What was true when an earlier daemon wrote it, and no longer is: addresses and
 * tunnels that went while none ran. What still holds stays as it is meanwhile.
 */
static void drop_stale(struct ns *ns)
{
	bpf_ns_each_key(ns->bpf, BPF_KEYS_TX, drop_stale_tx, ns);
	bpf_ns_each_key(ns->bpf, BPF_KEYS_LOCAL, drop_stale_local, ns);
	rxmap_mark_adopted(ns);
}

/* The maps that are there already, with their counters, or new ones. */
static int load(struct ns *ns)
{
	struct err e = {0};
	int err = -ENOENT, seq;

	numbers_need(ns->daemon);
	seq = numbers_fd(ns->daemon);
	list_for_each (n, &ns->home) {
		struct tunnel *t = list_entry(n, struct tunnel, in_home);

		if (t->place == ns && !objection(t))
			err = bpf_ns_adopt(&ns->bpf, t->link.ifindex, seq, &e);
		if (!err) {
			drop_stale(ns);
			return 0;
		}
	}
	ns->bpf = NULL;
	err = bpf_ns_load(&ns->bpf, seq, &ns->bpf_err);
	if (err) {
		ns->bpf = NULL;
		ns->bpf_err.code = -err;
	}
	return err;
}

static bool wants_bpf(struct ns *ns)
{
	list_for_each (n, &ns->home) {
		if (!objection(list_entry(n, struct tunnel, in_home)))
			return true;
	}
	return false;
}

static void detach_all(struct ns *ns)
{
	htab_for_each (n, &ns->links) {
		struct link *l = container_of(n, struct link, node);

		if (l->attached)
			bpf_ns_detach(ns->bpf, l->l.ifindex);
		l->attached = false;
	}
}

/* No tunnel needs it any more: nothing of it stays. */
static void unload(struct ns *ns)
{
	detach_all(ns);
	htab_for_each (n, &ns->addrs)
		container_of(n, struct addr, node)->in_map = false;
	bpf_ns_close(ns->bpf);
	ns->bpf = NULL;
}

static void attach_underlay(struct ns *ns, struct link *l)
{
	struct err e = {0};
	bool want = link_is_underlay(ns, l);

	if (l->attached && (!want || l->retry))
		l->attached = false;
	else if (l->attached == want)
		return;
	l->retry = false;
	if (!want)
		bpf_ns_detach(ns->bpf, l->l.ifindex);
	else if (bpf_ns_attach_underlay(ns->bpf, l->l.ifindex, &e) == 0)
		l->attached = true;
	else
		log_error("%s: the receiving program cannot be put on it (%s); its packets take "
			  "the user datapath",
			  l->l.name, e.text);
}

static void attach_underlays(struct ns *ns)
{
	htab_for_each (n, &ns->links)
		attach_underlay(ns, container_of(n, struct link, node));
}

static void write_addrs(struct ns *ns)
{
	htab_for_each (n, &ns->addrs) {
		struct addr *a = container_of(n, struct addr, node);

		if (!a->in_map)
			a->in_map = !bpf_ns_set_local(ns->bpf, (be32){(u32)a->node.key}, true);
	}
}

/* The next hop's entry; the old one, which the maps still name, is given back behind it. */
static void take_neigh(struct tunnel *t)
{
	struct neigh *old = t->neigh;

	t->neigh = t->hop.state == HOP_OK ? neigh_take(t->home, t->hop.oif, t->hop.via) : NULL;
	neigh_give(t->home, old);
}

static void resolve(struct tunnel *t)
{
	if (be32_is_zero(t->cfg.remote))
		t->hop = (struct bpf_hop){.state = HOP_SLOW};
	else
		t->hop = hop_lookup(t, t->cfg.remote, &t->expires_ms);
	t->hop.gen = 0;
	t->resolve = false;
	take_neigh(t);
}

static struct bpf_tx tx_of(const struct tunnel *t)
{
	struct bpf_tx tx;

	memset(&tx, 0, sizeof(tx)); /* compared as bytes */
	tx.hop = t->hop;
	tx.nbma = be32_is_zero(t->cfg.remote);
	mode_by_id(t->cfg.mode)->fast(&t->cfg, &tx.how);
	tx.ttl = t->cfg.ttl;
	tx.tos = t->cfg.tos;
	tx.df = t->cfg.pmtudisc;
	tx.link = t->cfg.link;
	tx.neigh = neigh_index(t->neigh);
	tx.peers = t->cfg.peers;
	if (t->cfg.mss)
		tx.how.rules |= FAST_MSS;
	tx.seq = t->slot;
	if (t->soft) { /* only the engine replays errors (spec datapath 5.2) */
		tx.hop.state = HOP_SLOW;
		tx.nbma = 0;
	}
	return tx;
}

/* 0 or -errno. */
static int write_tx(struct tunnel *t)
{
	struct bpf_tx tx = tx_of(t);
	int err;

	if (t->has_tx && !memcmp(&tx, &t->sent_tx, sizeof(tx)))
		return 0;
	err = bpf_ns_set_tx(t->home->bpf, t->link.ifindex, &tx);
	t->has_tx = !err;
	t->sent_tx = tx;
	return err;
}

/* t is not (or no longer) carried by bpf: nothing of it stays on the device and in the maps. */
static void withdraw(struct tunnel *t)
{
	struct ns *ns = t->home;

	if (ns->bpf && t->attached && t->place == ns)
		bpf_ns_detach(ns->bpf, t->link.ifindex);
	if (ns->bpf && t->has_tx)
		bpf_ns_set_tx(ns->bpf, t->link.ifindex, NULL);
	if (ns->bpf)
		peermap_clear(t);
	neigh_give(ns, t->neigh);
	t->neigh = NULL;
	t->resolve = true;
	t->attached = t->has_tx = t->has_peers = false;
}

/*
 * Where neighbours say what outer destination an inner one has, their changes make
 * tunl_nbma stale; elsewhere they are not heard of, since a router has many.
 */
static int follow_neighbours(struct tunnel *t)
{
	struct ns *ns = t->home;
	struct mode_fast how = {0};
	int err;

	mode_by_id(t->cfg.mode)->fast(&t->cfg, &how);
	if (!(how.rules & FAST_NEIGHBOURS) || ns->neighbours)
		return 0;
	err = rtnl_listen_to(ns->events_fd, RTNLGRP_NEIGH);
	ns->neighbours = !err;
	return err;
}

static int carry(struct tunnel *t, struct err *e)
{
	int err = follow_neighbours(t);

	if (err)
		return err_set(e, -err, "its neighbours cannot be followed: %s", strerror(-err));
	if (t->resolve)
		resolve(t);
	err = write_tx(t);
	if (!err && !t->has_peers)
		err = peermap_write(t);
	t->has_peers = !err;
	if (err)
		return err_set(e, -err, "the maps do not take it: %s", strerror(-err));
	if (t->attached)
		return 0;
	err = bpf_ns_attach_tunnel(t->home->bpf, t->link.ifindex, e);
	t->attached = !err;
	return err;
}

/*
 * Segments of a merged packet have a number each, which the program cannot give
 * them. As the driver does, such a device asks for single packets; and of TCP, which
 * merges for any device and leaves it to what comes behind the program to take apart
 * what the device does not, by the number of segments.
 */
static void follow_merging(struct tunnel *t)
{
	const struct mode *m = mode_by_id(t->cfg.mode);
	bool unmerged = t->fast && m->numbers && m->numbers(&t->cfg);
	const struct rtnl_link_set set = {.gso_segs = unmerged ? 1 : GSO_SEGS};

	if (t->queue < 0 || t->unmerged == unmerged || engine_tun_merging(t->queue, !unmerged))
		return;
	t->unmerged = unmerged;
	rtnl_link_set(&t->place->rtnl, t->link.ifindex, &set);
}

static void apply_tunnel(struct tunnel *t)
{
	const char *no = objection(t);
	bool was = t->fast;
	struct err e = {0};

	if (no) {
		slow(t, no);
	} else if (!t->home->bpf) {
		slow(t, t->home->bpf_err.text);
	} else if (numbers_has(t) && numbers_fd(t->home->daemon) < 0) {
		slow(t, "its sequence numbers cannot be shared with the engine");
	} else if (carry(t, &e)) {
		slow(t, e.text);
	} else {
		t->fast = true;
		snprintf(t->why, sizeof(t->why), "%s",
			 t->cfg.datapath == DATAPATH_BPF ? "asked for" : "the kernel takes it");
	}
	if (!t->fast)
		withdraw(t);
	if (was && !t->fast)
		numbers_keep(t);
	follow_merging(t);
	rxmap_place(t);
	group_follow(t);
	if (t->fast == was)
		return;
	rxmap_mark(t->home, &t->cfg);
	monitor_datapath(t);
}

static bool any_bound(const struct ns *ns)
{
	list_for_each (n, &ns->home) {
		if (list_entry(n, struct tunnel, in_home)->cfg.link)
			return true;
	}
	return false;
}

static void write_state(struct ns *ns)
{
	struct bpf_ns_state st = ns->bpf_state;

	st.any_bound = any_bound(ns);
	if (ns->nbma_stale)
		st.gen++;
	ns->nbma_stale = false;
	if (memcmp(&st, &ns->bpf_state, sizeof(st)) == 0)
		return;
	ns->bpf_state = st;
	bpf_ns_set_state(ns->bpf, &st);
}

/* A generation that no entry of an earlier daemon has. */
static void first_state(struct ns *ns)
{
	ns->bpf_state.gen = (u32)uv_hrtime() | 1;
	neigh_beat_init(&ns->bpf_state);
	bpf_ns_set_state(ns->bpf, &ns->bpf_state);
}

/* What an earlier daemon left; once is enough. */
static void sweep_inside(struct ns *ns)
{
	htab_for_each (n, &ns->links) {
		bpf_ns_detach(NULL, container_of(n, struct link, node)->l.ifindex);
	}
	ns->swept = true;
}

static void apply_inside(struct ns *ns)
{
	bool wanted = wants_bpf(ns);

	if (ns->bpf && !wanted) {
		list_for_each (n, &ns->home)
			withdraw(list_entry(n, struct tunnel, in_home));
		unload(ns);
	}
	if (!ns->bpf && wanted && !ns->bpf_err.code && load(ns) == 0) {
		first_state(ns);
		rxmap_mark_all(ns);
		trace_loaded(ns);
	}
	if (!ns->bpf && !ns->swept)
		sweep_inside(ns);
	if (ns->bpf) {
		write_addrs(ns);
		write_state(ns);
	}
	list_for_each (n, &ns->home)
		apply_tunnel(list_entry(n, struct tunnel, in_home));
	if (rxmap_write(ns))
		log_error("namespace %u: not all tunnels fit in the maps", ns->nsid);
	/* last: what comes in finds everything in its place */
	if (ns->bpf)
		attach_underlays(ns);
}

void datapath_apply(struct ns *ns)
{
	int err = netns_enter(ns);

	if (err) {
		log_error("namespace %u: cannot be entered: %s", ns->nsid, strerror(-err));
		return;
	}
	apply_inside(ns);
	priv_leave();
}

/* Whether what t wants of its namespace is there already. */
static bool is_provided(const struct tunnel *t)
{
	const struct ns *ns = t->home;

	if (t->cfg.link && !ns->bpf_state.any_bound)
		return false;
	return ns->bpf || objection(t) || ns->bpf_err.code;
}

bool datapath_apply_touched(struct ns *ns)
{
	list_for_each (n, &ns->touched) {
		if (!is_provided(list_entry(n, struct tunnel, in_touched)))
			return false;
	}
	if (netns_enter(ns))
		return false;
	list_for_each (n, &ns->touched)
		apply_tunnel(list_entry(n, struct tunnel, in_touched));
	if (rxmap_write(ns))
		log_error("namespace %u: not all tunnels fit in the maps", ns->nsid);
	priv_leave();
	return true;
}

void datapath_release(struct tunnel *t)
{
	struct ns *ns = t->home;

	rxmap_remove(t);
	if (!ns->bpf || netns_enter(ns))
		return;
	withdraw(t);
	numbers_keep(t);
	rxmap_write(ns);
	bpf_ns_del_stats(ns->bpf, t->link.ifindex);
	t->fast = false;
	/* the last one takes the programs with it */
	if (ns->home.next == &t->in_home && ns->home.prev == &t->in_home)
		unload(ns);
	priv_leave();
}

void datapath_sweep(struct ns *ns)
{
	if (links_reload(ns) || netns_enter(ns))
		return;
	sweep_inside(ns);
	priv_leave();
}

void datapath_stats(struct tunnel *t, struct tunnel_stats *sum)
{
	struct ns *ns = t->home;
	struct tunnel_stats bpf;

	*sum = *shared_stats(ns->daemon->shared, t->slot);
	stats_add(sum, &t->base);
	if (ns->bpf && bpf_ns_get_stats(ns->bpf, t->link.ifindex, &bpf) == 0)
		stats_add(sum, &bpf);
}
