/* SPDX-License-Identifier: BSD-2-Clause */
/* Namespaces and tunnels of the core, counting, and the log. */
#include "engine/core.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOG_INTERVAL_MS = 500, LOG_BURST = 10 };

u32 engine_random(struct engine *e)
{
	u64 x = e->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	e->random = x;
	return (u32)((x * 0x2545f4914f6cdd1dULL) >> 32);
}

u16 engine_ids(struct engine_ns *ns, const struct ip4_fields *outer, u32 n)
{
	u32 h = outer->dst.raw * 0x9e3779b1U ^ outer->src.raw * 0x85ebca6bU ^ outer->proto;
	u16 *next = &ns->ids[(h ^ h >> 15) % ENGINE_IDS];
	u16 id = *next == 0 || *next + n > 0x10000 ? 1 : *next;

	*next = (u16)(id + n);
	return id;
}

void engine_ns_init(struct engine_ns *ns, struct engine *e, u32 nsid)
{
	__builtin_memset(ns, 0, sizeof(*ns));
	ns->engine = e;
	ns->nsid = nsid;
	ns->routes.gen = 1;
	db_init(&ns->xfrm);
	ns->mib = &e->uncounted;
	ns->icmp_limits.rates = icmp_rates_usual();
	for (u32 id = 0; id < MODE__MAX; id++) {
		const struct mode *m = mode_by_id((enum mode_id)id);

		if (m && m->proto[0].proto)
			ns->lookup[id].kind = m->lookup;
	}
	for (u32 i = 0; i < ENGINE_IDS; i++)
		ns->ids[i] = (u16)engine_random(e);
}

void engine_ns_fini(struct engine_ns *ns)
{
	for (u32 i = 0; i < MODE__MAX; i++)
		lookup_free(&ns->lookup[i]);
	db_fini(&ns->xfrm);
}

static struct lookup *lookup_of(struct engine_tunnel *t)
{
	return &t->ns->lookup[mode_info(t->mode->id)->driver];
}

static void tunnel_out(struct engine_tunnel *t)
{
	if (t->in)
		lookup_del(lookup_of(t), &t->node);
	t->in = false;
}

int engine_tunnel_set(struct engine_tunnel *t, struct engine_ns *ns, const struct engine_msg *msg,
		      struct engine_slot *shared)
{
	const struct mode *m = mode_by_id(msg->cfg.mode);

	if (!m)
		return -EOPNOTSUPP;
	tunnel_out(t);
	t->ns = ns;
	t->mode = m;
	t->cfg = msg->cfg;
	t->link = msg->link;
	t->slot = msg->slot;
	t->fast = msg->fast;
	t->shared = shared;
	t->state = ns->engine->numbers ? &ns->engine->numbers[t->slot] : &shared->state;
	t->hlen = mode_hlen(&t->cfg);
	t->node = lookup_node(&t->cfg, msg->order);
	t->node.down = !t->link.up;
	if (t->node.down && !lookup_has_down(lookup_of(t)))
		return 0;
	if (lookup_add(lookup_of(t), &t->node))
		return -ENOMEM;
	t->in = true;
	return 0;
}

int engine_tunnel_risen(struct engine_tunnel *t)
{
	t->link.up = true;
	t->node.down = false;
	if (t->in)
		return 0;
	if (lookup_add(lookup_of(t), &t->node))
		return -ENOMEM;
	t->in = true;
	return 0;
}

void engine_tunnel_numbers(struct engine_tunnel *t)
{
	struct mode_state *from = t->state, *to = &t->ns->engine->numbers[t->slot];

	if (from == to)
		return;
	if ((s32)(from->next_seq - to->next_seq) > 0)
		to->next_seq = from->next_seq;
	if ((s32)(from->expected_seq - to->expected_seq) > 0)
		to->expected_seq = from->expected_seq;
	t->state = to;
}

void engine_keep_state(struct engine_tunnel *t)
{
	if (t->state != &t->shared->state)
		t->shared->state = *t->state;
}

u32 engine_number(struct engine_tunnel *t)
{
	u32 n = __atomic_fetch_add(&t->state->next_seq, 1, __ATOMIC_RELAXED);

	engine_keep_state(t);
	return n;
}

void engine_tunnel_unset(struct engine_tunnel *t)
{
	tunnel_out(t);
	free(t->routers);
	t->routers = NULL;
}

int engine_tunnel_router(struct engine_tunnel *t, const struct prl_entry *router)
{
	if (!router) {
		free(t->routers);
		t->routers = NULL;
		return 0;
	}
	if (!t->routers)
		t->routers = calloc(1, sizeof(*t->routers));
	return t->routers ? prl_add(t->routers, router->addr, router->is_default) : -ENOMEM;
}

void packet_strip(struct packet *p, u32 n)
{
	struct virtio_net_hdr *v = &p->vnet;

	p->data += n;
	p->len -= n;
	if (v->csum_start < n || (u32)v->csum_start - n + v->csum_offset + 2 > p->len ||
	    !(v->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) {
		/* whether a checksum is right is for the next to find out */
		v->flags = 0;
		v->csum_start = v->csum_offset = 0;
	} else {
		v->csum_start = (u16)(v->csum_start - n);
	}
	v->hdr_len = (u16)(v->hdr_len > n ? min_of(v->hdr_len - n, p->len) : 0);
}

void engine_drop(struct engine_ns *ns, struct engine_tunnel *t, enum reason r)
{
	if (t)
		t->shared->stats.reason[r]++;
	else
		ns->engine->unmatched[r]++;
}

void engine_log(struct engine_ns *ns, const char *fmt, ...)
{
	struct engine_event ev = {.op = ENGINE_LOG};
	va_list ap;

	if (!limit_take(&ns->engine->log, ns->engine->now_ms, LOG_INTERVAL_MS, LOG_BURST))
		return;
	va_start(ap, fmt);
	vsnprintf(ev.text, sizeof(ev.text), fmt, ap);
	va_end(ap);
	ns->engine->io->event(ns, &ev);
}
