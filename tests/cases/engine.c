/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine's core as a backend: its struct engine_io answers from the world. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core.h"
#include "runner.h"
#include "wire/icmp.h"

enum { SEED = 1 };

struct dp {
	struct engine engine;
	struct engine_ns ns;
	struct world *world;
	struct engine_tunnel tunnel[CASE_TUNNELS];
	struct engine_slot slot[CASE_TUNNELS];
	u64 unmatched[R__MAX];
	struct outgoing out;
};

static struct dp *dp_of(struct engine_ns *ns)
{
	return container_of(ns, struct dp, ns);
}

static int io_route(struct engine_ns *ns, const struct route_key *key, struct route *rt)
{
	world_route(dp_of(ns)->world, key, rt);
	return 0;
}

static int io_next_hop6(struct engine_tunnel *t, const struct ip6_addr *dst, struct ip6_addr *hop)
{
	return world_next_hop6(dp_of(t->ns)->world, dst, t->link.ifindex, hop);
}

static u32 io_addresses6(struct engine_tunnel *t, struct inner6_addr *a, u32 max)
{
	const struct world *w = dp_of(t->ns)->world;
	u32 n = 0;

	for (u32 i = 0; i < w->naddresses6 && n < max; i++)
		if (w->address6[i].ifindex == t->link.ifindex)
			a[n++] = (struct inner6_addr){w->address6[i].addr, w->address6[i].len};
	return n;
}

static int io_neighbour(struct engine_tunnel *t, u8 family, const void *addr, be32 *lladdr)
{
	return world_neighbour(dp_of(t->ns)->world, t->link.ifindex, family, addr, lladdr);
}

static struct outgoing *io_out(struct engine_ns *ns)
{
	return &dp_of(ns)->out;
}

/* As the kernel sends it: what does not fit is refused. */
static void io_send(struct engine_ns *ns, struct outgoing *o)
{
	static u8 buf[ENGINE_PACKET + ENGINE_HEAD];
	struct route rt;

	world_route(dp_of(ns)->world, &(struct route_key){.dst = o->dst, .oif = o->oif}, &rt);
	memcpy(buf, o->head, o->head_len);
	if (o->body_len)
		memcpy(buf + o->head_len, o->body, o->body_len);
	if (!rt.error && o->head_len + o->body_len > rt.mtu) {
		engine_sent(ns, o, EMSGSIZE);
		return;
	}
	case_output(CASE_WIRE, 0, buf, o->head_len + o->body_len);
	engine_sent(ns, o, 0);
}

static void io_flush(struct engine_ns *ns)
{
	(void)ns;
}

static int io_deliver(struct engine_tunnel *t, const struct packet *p)
{
	case_output_vnet(CASE_TUN, t->slot, p->data, p->len, &p->vnet);
	return 0;
}

/* The IP header and the checksum are the kernel's, the source is the world's one address. */
static void icmp6(const struct icmp_message *m)
{
	u8 buf[IP6_HLEN + sizeof(m->data)] = {0};
	struct ip6 *h = (void *)buf;
	struct icmp_hdr *icmp = (void *)(buf + IP6_HLEN);

	h->vtf = be32_of(0x60000000);
	h->len = be16_of((u16)m->len);
	h->next = PROTO_ICMPV6;
	h->hops = 64;
	h->src = world_addr6;
	h->dst = m->dst6;
	memcpy(icmp, m->data, m->len);
	icmp->check = csum_finish(
		csum_add(ip6_pseudo(&h->src, &h->dst, PROTO_ICMPV6, m->len), icmp, m->len));
	case_output(CASE_ICMP, 0, buf, IP6_HLEN + m->len);
}

/* The IP header is the kernel's: default TTL, no DF, the source that routing selects. */
static void io_icmp(struct engine_ns *ns, const struct icmp_message *m)
{
	struct ip4_fields f = {
		.src = m->src,
		.dst = m->dst,
		.len = (u16)(IP4_HLEN + m->len),
		.id = 1,
		.tos = m->tos,
		.ttl = 64,
		.proto = PROTO_ICMP,
	};
	u8 buf[IP4_HLEN + sizeof(m->data)];
	struct route rt;

	if (m->v6) {
		icmp6(m);
		return;
	}
	world_route(dp_of(ns)->world, &(struct route_key){.dst = m->dst}, &rt);
	if (be32_is_zero(f.src))
		f.src = rt.src;
	ip4_build((struct ip4 *)buf, &f);
	memcpy(buf + IP4_HLEN, m->data, m->len);
	case_output(CASE_ICMP, 0, buf, f.len);
}

static void io_event(struct engine_ns *ns, const struct engine_event *ev)
{
	(void)ns;
	if (ev->op == ENGINE_LOG)
		case_output(CASE_LOG, 0, ev->text, (u32)strlen(ev->text));
}

static const struct engine_io io = {
	.route = io_route,
	.next_hop6 = io_next_hop6,
	.addresses6 = io_addresses6,
	.neighbour = io_neighbour,
	.out = io_out,
	.send = io_send,
	.flush = io_flush,
	.deliver = io_deliver,
	.icmp = io_icmp,
	.event = io_event,
};

static void *dp_open(struct world *w, const char **why)
{
	struct dp *d = calloc(1, sizeof(*d));

	*why = "no memory";
	if (!d)
		return NULL;
	d->world = w;
	d->engine.io = &io;
	d->engine.random = SEED;
	d->engine.unmatched = d->unmatched;
	engine_ns_init(&d->ns, &d->engine, 1);
	return d;
}

static void dp_close(void *dp)
{
	struct dp *d = dp;

	for (unsigned i = 0; i < CASE_TUNNELS; i++)
		if (d->tunnel[i].ns)
			engine_tunnel_unset(&d->tunnel[i]);
	engine_ns_fini(&d->ns);
	free(d);
}

static int dp_set(void *dp, unsigned i, const struct case_tunnel *t)
{
	struct engine_msg m = {
		.op = ENGINE_TUNNEL_SET,
		.slot = i,
		.order = t->order,
		.link = {.ifindex = t->ifindex, .mtu = t->mtu, .up = t->up},
		.cfg = t->cfg,
	};
	struct dp *d = dp;

	return engine_tunnel_set(&d->tunnel[i], &d->ns, &m, &d->slot[i]);
}

static void dp_del(void *dp, unsigned i)
{
	engine_tunnel_unset(&((struct dp *)dp)->tunnel[i]);
}

static int dp_router(void *dp, unsigned i, const struct prl_entry *router)
{
	return engine_tunnel_router(&((struct dp *)dp)->tunnel[i], router);
}

static void dp_flush(void *dp)
{
	route_flush(&((struct dp *)dp)->ns);
}

/* A copy of exact size, so that the sanitizers see a step beyond its end. */
static struct packet exact(const struct case_packet *p)
{
	struct packet x = {malloc(p->len ? p->len : 1), p->len, p->ethertype, p->vnet};

	if (x.data)
		memcpy(x.data, p->data, p->len);
	return x;
}

static void dp_tx(void *dp, unsigned i, struct case_packet *p)
{
	struct packet x = exact(p);
	u8 *data = x.data;

	engine_tx(&((struct dp *)dp)->tunnel[i], &x);
	free(data);
}

static void dp_rx(void *dp, u32 iif, struct case_packet *p)
{
	struct packet x = exact(p);
	u8 *data = x.data;
	struct dp *d = dp;

	if (p->len > 9 && p->data[9] == PROTO_ICMP)
		engine_icmp(&d->ns, iif, x.data, x.len);
	else
		engine_rx(&d->ns, iif, &x);
	free(data);
}

static void dp_clock(void *dp, u64 now_ms)
{
	((struct dp *)dp)->engine.now_ms = now_ms;
}

static void dp_stats(void *dp, unsigned i, struct tunnel_stats *st)
{
	struct dp *d = dp;

	*st = (struct tunnel_stats){0};
	if (i < CASE_TUNNELS)
		*st = d->slot[i].stats;
	else
		memcpy(st->reason, d->unmatched, sizeof(st->reason));
}

static void dp_numbers(void *dp, struct mode_state *of)
{
	((struct dp *)dp)->engine.numbers = of;
}

const struct case_backend case_engine = {
	.name = "user",
	.open = dp_open,
	.close = dp_close,
	.set = dp_set,
	.del = dp_del,
	.numbers = dp_numbers,
	.router = dp_router,
	.flush = dp_flush,
	.tx = dp_tx,
	.rx = dp_rx,
	.clock = dp_clock,
	.stats = dp_stats,
};
