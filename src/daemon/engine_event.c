/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/engine_event.h"

#include <ctype.h>
#include <string.h>

#include "daemon/hop.h"
#include "daemon/keepalive.h"
#include "daemon/monitor.h"
#include "daemon/netns.h"
#include "daemon/priv.h"
#include "daemon/reconcile.h"
#include "daemon/tunnel.h"
#include "daemon/xfrm.h"
#include "lib/log.h"

/* The tunnel that an event is about, if the engine was told of such a one. */
static struct tunnel *tunnel_of(struct daemon *d, const struct engine_event *ev)
{
	struct tunnel *t = ev->slot < ENGINE_SLOTS ? tunnel_by_slot(d, ev->slot) : NULL;

	return t && t->engine_has && t->home->nsid == ev->nsid ? t : NULL;
}

static struct ns *ns_of(struct daemon *d, u32 nsid)
{
	list_for_each (n, &d->namespaces) {
		struct ns *ns = list_entry(n, struct ns, node);

		if (ns->nsid == nsid)
			return ns;
	}
	return NULL;
}

/* Tell who monitors, if it is another MTU than the last. */
static void tell_pmtu(struct tunnel *t, be32 dst)
{
	struct bpf_hop hop = hop_lookup(t, dst, NULL);

	if (hop.state == HOP_UNREACHABLE || !hop.mtu || hop.mtu == t->pmtu)
		return;
	t->pmtu = hop.mtu;
	monitor_pmtu(t, dst, hop.mtu);
}

/*
 * What the route to dst says may have changed: an ICMP error told of a path MTU. The
 * kernel notes that by destination, hence all tunnels to it are looked at; t (may be
 * NULL) is the one that the engine found by the packet quoted.
 */
static void on_pmtu(struct ns *ns, struct tunnel *t, be32 dst)
{
	list_for_each (n, &ns->home) {
		struct tunnel *one = list_entry(n, struct tunnel, in_home);

		if (be32_is_zero(dst) || !be32_eq(one->cfg.remote, dst))
			continue;
		one->has_tx = false; /* write it again: the program has set slow_until */
		one->resolve = true;
		tell_pmtu(one, dst);
		reconcile_soon(ns);
	}
	if (!t || !be32_is_zero(t->cfg.remote))
		return;
	if (!be32_is_zero(dst))
		tell_pmtu(t, dst);
	ns->nbma_stale = true;
	reconcile_soon(ns);
}

static void on_nexthop(struct tunnel *t, const struct engine_event *ev)
{
	struct bpf_nbma_key key;
	struct bpf_hop hop;

	if (!t->fast || !t->home->bpf || !be32_is_zero(t->cfg.remote))
		return;
	if (ev->gen != t->home->hops_gen) /* looked up before something changed: it asks again */
		return;
	hop = hop_lookup(t, ev->dst, NULL);
	if (hop.state == HOP_SLOW || netns_enter(t->home))
		return;
	key = ev->inner_is_v6 ? bpf_nbma_inner6(t->link.ifindex, &ev->inner6, &t->sent_tx.how)
			      : bpf_nbma_inner4(t->link.ifindex, ev->inner);
	bpf_ns_set_nbma(t->home->bpf, &key, &hop);
	priv_leave();
}

static void on_soft(struct tunnel *t, bool active)
{
	t->soft = active;
	t->has_tx = false;
	reconcile_soon(t->home);
}

static void on_log(const struct engine_event *ev)
{
	char text[sizeof(ev->text)];

	memcpy(text, ev->text, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (char *p = text; *p; p++)
		if (!isprint((unsigned char)*p))
			*p = '?';
	log_info("engine: %s", text);
}

static void on_sa_limit(struct daemon *d, const struct engine_event *ev)
{
	struct ns *ns = netns_by_nsid(d, ev->nsid);

	if (ns)
		xfrm_limit(ns, ev->slot, ev->active);
}

void engine_event(struct daemon *d, const struct engine_event *ev)
{
	struct tunnel *t = tunnel_of(d, ev);
	struct ns *ns = ns_of(d, ev->nsid);

	if (ev->op == ENGINE_LOG)
		on_log(ev);
	else if (ev->op == ENGINE_SA_LIMIT)
		on_sa_limit(d, ev);
	else if (ns && ev->op == ENGINE_PMTU)
		on_pmtu(ns, t, ev->dst);
	else if (t && ev->op == ENGINE_NEXTHOP)
		on_nexthop(t, ev);
	else if (t && ev->op == ENGINE_HEARD)
		keepalive_heard(t, ev->dst);
	else if (t && ev->op == ENGINE_SOFT)
		on_soft(t, ev->active);
}
