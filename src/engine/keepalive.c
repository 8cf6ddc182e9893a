/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/keepalive.h"

#include <string.h>

#include "wire/gre.h"
#include "wire/icmp.h"
#include "wire/udp.h"

enum {
	PROBE_TTL = 255,
	PROBE_PORT = 33434,   /* traceroute's: nobody listens there */
	PROBE_FROM = 0xc000,  /* source port: this and 14 bits of the slot; ... */
	PROBE_SLOT_BITS = 14, /* ... the others are the IP id */
	PROBE_ROOM = 8,	      /* behind the GRE header: Linux wants 12 bytes behind IP's */
	PROBE_MAX = 64,
	ICMP6_ECHO_REQUEST = 128,
};

struct icmp6_echo {
	u8 type, code;
	be16 check, id, seq;
} __attribute__((packed));

static void tell_heard(struct engine_ns *ns, u32 slot, be32 from)
{
	struct engine_event ev = {.op = ENGINE_HEARD, .slot = slot, .dst = from};

	ns->engine->io->event(ns, &ev);
}

/* The outer source: as configured, else as routed; zero where there is no route. */
static be32 own_address(struct engine_tunnel *t)
{
	const struct tunnel_cfg *cfg = &t->cfg;
	const struct route *rt;

	if (!be32_is_zero(cfg->local))
		return cfg->local;
	rt = route_get(t->ns,
		       &(struct route_key){
			       .dst = cfg->remote,
			       .oif = cfg->link,
			       .mark = cfg->fwmark,
			       .proto = mode_info(cfg->mode)->proto,
		       },
		       NULL);
	return rt->error ? (be32){0} : rt->src;
}

/* Cisco's: a GRE packet of type 0 from the other end to us, for it to send on. */
static u32 build_gre(struct engine_tunnel *t, be32 own, u8 *at)
{
	struct gre_fields g = {.flags = t->cfg.iflags & GRE_K, .key = t->cfg.ikey};
	struct ip4_fields f = {
		.src = t->cfg.remote,
		.dst = own,
		.ttl = PROBE_TTL,
		.proto = PROTO_GRE,
		.len = (u16)(IP4_HLEN + gre_hlen(g.flags) + PROBE_ROOM),
	};

	gre_build(at + IP4_HLEN, &g);
	ip4_build((struct ip4 *)at, &f);
	return f.len;
}

/* To a port of the other end where nobody listens: it says so. */
static u32 build_udp(struct engine_tunnel *t, be32 own, u8 *at)
{
	struct udp u = {
		.sport = be16_of((u16)(PROBE_FROM | (t->slot & ((1 << PROBE_SLOT_BITS) - 1)))),
		.dport = be16_of(PROBE_PORT),
		.len = be16_of(sizeof(u) + PROBE_ROOM),
	};
	struct ip4_fields f = {
		.src = own,
		.dst = t->cfg.remote,
		.id = (u16)(t->slot >> PROBE_SLOT_BITS),
		.ttl = PROBE_TTL,
		.proto = PROTO_UDP,
		.len = IP4_HLEN + sizeof(u) + PROBE_ROOM,
	};
	u32 sum;

	memcpy(at + IP4_HLEN, &u, sizeof(u));
	sum = csum_add(ip4_pseudo(f.src, f.dst, PROTO_UDP, f.len - IP4_HLEN), at + IP4_HLEN,
		       f.len - IP4_HLEN);
	u.check = udp_csum_finish(sum);
	memcpy(at + IP4_HLEN, &u, sizeof(u));
	ip4_build((struct ip4 *)at, &f);
	return f.len;
}

static bool is_link_local(const struct ip6_addr *a)
{
	return (be32_host(a->w[0]) & 0xffc00000) == 0xfe800000;
}

/* Echo to all nodes on the link, which is the other end alone. */
static u32 build_echo6(struct engine_tunnel *t, u8 *at)
{
	struct inner6_addr have[8];
	u32 n = t->ns->engine->io->addresses6(t, have, countof(have)), i;
	struct icmp6_echo echo = {.type = ICMP6_ECHO_REQUEST};
	struct ip6 h = {
		.vtf = be32_of(6U << 28),
		.len = be16_of(sizeof(echo)),
		.next = PROTO_ICMPV6,
		.hops = PROBE_TTL,
		.dst = {{be32_of(0xff020000), {0}, {0}, be32_of(1)}},
	};

	for (i = 0; i < n && !is_link_local(&have[i].addr); i++)
		;
	if (i == n)
		return 0;
	h.src = have[i].addr;
	echo.check = csum_finish(csum_add(ip6_pseudo(&h.src, &h.dst, PROTO_ICMPV6, sizeof(echo)),
					  &echo, sizeof(echo)));
	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), &echo, sizeof(echo));
	return sizeof(h) + sizeof(echo);
}

static u32 build(struct engine_tunnel *t, u8 *at)
{
	be32 own = own_address(t);

	if (be32_is_zero(own))
		return 0;
	switch (t->mode->probe) {
	case PROBE_GRE:
		return build_gre(t, own, at);
	case PROBE_ECHO6:
		return build_echo6(t, at);
	case PROBE_UDP:
		return build_udp(t, own, at);
	}
	return 0;
}

void keepalive_probe(struct engine_tunnel *t)
{
	_Alignas(16) u8 buf[PROBE_MAX] = {0};
	struct packet p = {.data = buf,
			   .ethertype = t->mode->probe == PROBE_ECHO6 ? 0x86dd : 0x0800};

	p.len = build(t, buf);
	if (!p.len)
		return;
	engine_tx(t, &p);
	t->ns->engine->io->flush(t->ns);
}

bool keepalive_returned(struct engine_tunnel *t, const struct ip4 *outer, const struct packet *p)
{
	if (t->mode->probe != PROBE_GRE || !t->cfg.keep_s || p->ethertype)
		return false;
	tell_heard(t->ns, t->slot, outer->src);
	return true;
}

/* An inner packet whose way is ours back, with nothing in it but a GRE header of type 0. */
static bool is_probe(const struct ip4 *outer, const struct packet *p)
{
	struct cur c = {p->data, p->data + p->len};
	const struct ip4 *h = cur_take(&c, IP4_HLEN);
	struct gre_fields g;

	return h && h->ver_ihl == 0x45 && h->proto == PROTO_GRE && be16_host(h->len) == p->len &&
	       p->len <= PROBE_MAX && be32_eq(h->src, outer->dst) && be32_eq(h->dst, outer->src) &&
	       !ip4_is_fragment(h) && csum_ok(ip4_sum(h)) && gre_parse(&c, &g) && !g.type;
}

bool keepalive_answer(struct engine_tunnel *t, const struct ip4 *outer, const struct packet *p)
{
	const struct engine_io *io = t->ns->engine->io;
	struct outgoing *o;

	if (t->mode->probe != PROBE_GRE || p->ethertype != 0x0800 || !is_probe(outer, p))
		return false;
	o = io->out(t->ns);
	o->tunnel = NULL;
	o->src = (be32){0};
	o->dst = outer->src;
	o->mark = t->cfg.fwmark;
	o->oif = t->cfg.link;
	o->tos = 0;
	o->account = 0;
	o->body = NULL;
	o->body_len = 0;
	o->head_len = p->len;
	memcpy(o->head, p->data, p->len);
	io->send(t->ns, o);
	io->flush(t->ns);
	return true;
}

bool keepalive_refused(struct engine_ns *ns, const struct icmp_hdr *icmp, const struct ip4 *quote,
		       struct cur rest)
{
	const struct udp *u = cur_take(&rest, sizeof(*u));
	u32 low;

	if (icmp->type != ICMP4_T_UNREACH || icmp->code != ICMP4_C_PORT ||
	    quote->proto != PROTO_UDP || !u || be16_host(u->dport) != PROBE_PORT ||
	    be16_host(u->sport) < PROBE_FROM)
		return false;
	low = be16_host(u->sport) & ((1 << PROBE_SLOT_BITS) - 1);
	tell_heard(ns, (u32)be16_host(quote->id) << PROBE_SLOT_BITS | low, quote->dst);
	return true;
}
