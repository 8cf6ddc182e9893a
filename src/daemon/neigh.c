/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/neigh.h"

#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/link.h"

enum {
	BEAT_MS = 1000,
	BEAT_HOLDS_MS = 3000, /* so long it is believed */
};

struct neigh {
	struct hnode node; /* ns->neighs, by device and address */
	u32 index;	   /* in tunl_neigh */
	u32 tunnels;	   /* that have it */
	struct rtnl_neigh n;
};

static u64 key_of(u32 oif, be32 via)
{
	return (u64)oif << 32 | via.raw;
}

static struct neigh *find(struct ns *ns, u32 oif, be32 via)
{
	struct hnode *n = htab_find(&ns->neighs, key_of(oif, via));

	return n ? container_of(n, struct neigh, node) : NULL;
}

/* As the kernel itself would send by an entry in that state. */
static u32 state_of(const struct rtnl_neigh *n)
{
	if (!n->has_mac)
		return NEIGH_NONE;
	if (n->state & NUD_STALE)
		return NEIGH_TOUCH;
	/* delay and probe: the kernel is asking already */
	return n->state & (NUD_REACHABLE | NUD_PERMANENT | NUD_DELAY | NUD_PROBE) ? NEIGH_OK
										  : NEIGH_NONE;
}

static void write_neigh(struct ns *ns, const struct neigh *n)
{
	const struct link *l = link_find(ns, n->n.ifindex);
	struct bpf_neigh b = {.state = l ? state_of(&n->n) : NEIGH_NONE};
	u8 *eth = (u8 *)b.eth;

	if (b.state != NEIGH_NONE) {
		memcpy(eth, n->n.mac, ETH_ALEN);
		memcpy(eth + ETH_ALEN, l->l.mac, ETH_ALEN);
		b.eth[6] = be16_of(ETH_P_IP);
	}
	bpf_ns_set_neigh(ns->bpf, n->index, &b);
}

/* Ask for the entry; what cannot be had is not there. */
static void look(struct ns *ns, struct neigh *n)
{
	u32 oif = n->n.ifindex;
	be32 via = n->n.addr;

	if (rtnl_neigh_get(&ns->rtnl, oif, via, &n->n))
		n->n = (struct rtnl_neigh){.ifindex = oif, .addr = via};
	write_neigh(ns, n);
}

static struct neigh *make(struct ns *ns, u32 oif, be32 via)
{
	struct neigh *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->n = (struct rtnl_neigh){.ifindex = oif, .addr = via};
	n->index = bpf_ns_neigh_take(ns->bpf);
	if (n->index && !htab_add(&ns->neighs, &n->node, key_of(oif, via))) {
		look(ns, n);
		return n;
	}
	if (n->index)
		bpf_ns_neigh_give(ns->bpf, n->index);
	free(n);
	return NULL;
}

struct neigh *neigh_take(struct ns *ns, u32 oif, be32 via)
{
	struct neigh *n = find(ns, oif, via);

	if (!n)
		n = make(ns, oif, via);
	if (n)
		n->tunnels++;
	return n;
}

void neigh_give(struct ns *ns, struct neigh *n)
{
	if (!n || --n->tunnels)
		return;
	htab_del(&ns->neighs, &n->node);
	if (ns->bpf)
		bpf_ns_neigh_give(ns->bpf, n->index);
	free(n);
}

u32 neigh_index(const struct neigh *n)
{
	return n ? n->index : 0;
}

void neigh_event(struct ns *ns, const struct nlmsghdr *nlh)
{
	struct rtnl_neigh new;
	struct neigh *n;

	if (!ns->bpf || rtnl_neigh_parse(nlh, &new))
		return;
	n = find(ns, new.ifindex, new.addr);
	if (!n)
		return;
	n->n = new;
	write_neigh(ns, n);
}

void neigh_refresh(struct ns *ns, u32 ifindex)
{
	if (!ns->bpf)
		return;
	htab_for_each (i, &ns->neighs) {
		struct neigh *n = container_of(i, struct neigh, node);

		if (!ifindex)
			look(ns, n);
		else if (n->n.ifindex == ifindex)
			write_neigh(ns, n);
	}
}

void neigh_free(struct ns *ns)
{
	htab_for_each (i, &ns->neighs)
		free(container_of(i, struct neigh, node));
	htab_fini(&ns->neighs);
}

/* BEAT_HOLDS_MS in the kernel's ticks: what its coarse clock moves on by. */
static u32 holds_ticks(void)
{
	struct timespec tick = {.tv_nsec = 1000000};

	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	return (u32)(BEAT_HOLDS_MS * 1000000LL / max_of(tick.tv_nsec, 1L));
}

void neigh_beat_init(struct bpf_ns_state *st)
{
	st->beat = (u32)uv_hrtime() | 1; /* not what an earlier daemon left */
	st->beat_ticks = holds_ticks();
}

static void on_beat(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	list_for_each (n, &d->namespaces) {
		struct ns *ns = list_entry(n, struct ns, node);

		if (!ns->bpf || !ns->neighs.count)
			continue;
		ns->bpf_state.beat++;
		bpf_ns_set_state(ns->bpf, &ns->bpf_state);
	}
}

void neigh_beat_start(struct daemon *d)
{
	uv_timer_init(&d->loop, &d->beat);
	d->beat.data = d;
	uv_timer_start(&d->beat, on_beat, BEAT_MS, BEAT_MS);
	uv_unref((uv_handle_t *)&d->beat);
}
