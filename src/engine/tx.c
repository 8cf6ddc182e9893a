/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inner packet in, outer packets out: the steps of spec datapath 2 in their
 * order, which decides what is counted. A packet leaves whole, in segments
 * (where the stack merged it), or in fragments:
 *
 *	outer DF off	the outer packet is fragmented
 *	outer DF on	the inner packet is, if it may be (the driver loses it there)
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#include "engine/demux.h"
#include "engine/frag.h"
#include "engine/icmp_out.h"
#include "engine/segment.h"
#include "wire/ecn.h"
#include "wire/icmp.h"
#include "wire/ip6.h"

enum { SOFT_MS = 30000, ROUTE_TOS = 0xfc, TTL_DEFAULT = 64 };

/* One inner packet on its way out. */
struct tx {
	struct engine_tunnel *t;
	struct packet *p;
	const struct ip4 *in4; /* the inner header where it is IPv4, else NULL */
	const struct ip6 *in6;
	struct ip4_fields outer;
	u32 mtu; /* of the path, outer header included */
	bool inner_df;
	u32 inner_len;	/* as it came: what is counted */
	bool accounted; /* a piece carries the count */
};

/* Step 1: what is inside, and which outer protocol carries that. */
static enum reason classify(struct tx *x)
{
	struct packet *p = x->p;
	const struct demux *d = demux_by_ethertype(p->ethertype);
	const struct tunnel_cfg *cfg = &x->t->cfg;

	if (!d || !(x->t->mode->takes ? x->t->mode->takes(cfg, d->proto)
				      : d->proto == mode_info(x->t->mode->id)->proto))
		return R_TX_INNER_TYPE;
	x->outer.proto = d->proto;
	if (p->len < d->min_payload)
		return R_TX_INNER_SHORT;
	if (p->ethertype == ETH_P_IP)
		x->in4 = (const void *)p->data;
	if (p->ethertype == ETH_P_IPV6)
		x->in6 = (const void *)p->data;
	x->inner_df = x->in4 && ip4_has_df(x->in4);
	return R_NONE;
}

static void tell_nexthop(struct tx *x)
{
	struct engine_event ev = {
		.op = ENGINE_NEXTHOP,
		.slot = x->t->slot,
		.inner = x->in4->dst,
		.dst = x->outer.dst,
	};

	x->t->ns->engine->io->event(x->t->ns, &ev);
}

/* Step 3 with 2.1: without a remote, the gateway of the inner route. */
static enum reason destination(struct tx *x)
{
	struct route_key key = {.oif = x->t->link.ifindex};
	const struct route *rt;
	bool fresh;

	x->outer.dst = x->t->cfg.remote;
	if (!be32_is_zero(x->outer.dst))
		return R_NONE;
	if (!x->in4)
		return R_TX_INNER_TYPE;
	key.dst = x->in4->dst;
	rt = route_get(x->t->ns, &key, &fresh);
	if (rt->error)
		return R_TX_NBMA;
	x->outer.dst = rt->has_via ? rt->via : x->in4->dst;
	if (fresh)
		tell_nexthop(x);
	return R_NONE;
}

static u8 inner_tos(const struct tx *x)
{
	return x->in4 ? x->in4->tos : x->in6 ? ip6_tclass(x->in6) : 0;
}

/* Step 4 with 2.2; the ECN bits come after the route lookup. */
static u8 chosen_tos(const struct tx *x)
{
	u8 tos = x->t->cfg.tos;

	if (!(tos & TUNL_TOS_INHERIT))
		return tos;
	return x->in4 || x->in6 ? inner_tos(x) : (u8)(tos & ~TUNL_TOS_INHERIT);
}

/* Steps 6 and 7. */
static enum reason find_route(struct tx *x)
{
	const struct tunnel_cfg *cfg = &x->t->cfg;
	struct route_key key = {
		.dst = x->outer.dst,
		.src = cfg->local,
		.oif = cfg->link,
		.mark = cfg->fwmark,
		.tos = x->outer.tos & ROUTE_TOS,
		.proto = mode_info(x->t->mode->id)->proto,
	};
	const struct route *rt = route_get(x->t->ns, &key, NULL);

	if (rt->error)
		return R_TX_NO_ROUTE;
	if (rt->oif == x->t->link.ifindex)
		return R_TX_LOOP;
	x->outer.src = be32_is_zero(cfg->local) ? rt->src : cfg->local;
	x->outer.frag = cfg->pmtudisc || (x->inner_df && !cfg->ignore_df) ? IP4_DF : 0;
	x->mtu = rt->mtu;
	if (rt->mtu_locked) /* 2.3; the checks of 2.4 have DF's word nevertheless */
		x->outer.frag &= (u16)~IP4_DF;
	return R_NONE;
}

/* Bytes of the largest inner packet that leaves: of a segment, if merged. */
static u32 largest(const struct tx *x, const struct segments *s)
{
	return s ? s->hlen + min_of(s->size, s->len) : x->p->len;
}

/*
 * Step 8 with 2.4: the sender of a packet that must not be fragmented is told.
 * The driver leaves out merged packets, and loses their segments instead.
 */
static enum reason check_size(struct tx *x, const struct segments *s)
{
	u32 room = x->mtu - min_of(x->mtu, (u32)IP4_HLEN + x->t->hlen);
	struct packet *p = x->p;

	if (!x->inner_df || x->t->cfg.ignore_df || largest(x, s) <= room)
		return R_NONE;
	if (s) { /* quote what would have left: the first segment */
		struct ip4 *h = (void *)p->data;

		h->len = be16_of((u16)largest(x, s));
		h->check.raw = 0;
		h->check = csum_finish(csum_add(0, h, min_of(ip4_hlen(h), p->len)));
	}
	icmp_to_inner(x->t->ns, p->data, min_of(p->len, largest(x, s)), ICMP4_C_FRAG, (u16)room);
	return R_TX_TOO_BIG;
}

/* Step 9 with 5.2: errors that came back are told to senders, one each. */
static void replay_soft_error(struct tx *x)
{
	struct engine_slot *s = x->t->shared;
	struct engine_ns *ns = x->t->ns;
	struct engine_event ev = {.op = ENGINE_SOFT, .slot = x->t->slot};

	if (!s->err_count)
		return;
	if (ns->engine->now_ms < s->err_time_ms + SOFT_MS) {
		s->err_count--;
		if (x->in4)
			icmp_to_inner(ns, x->p->data, x->p->len, ICMP4_C_HOST, 0);
	} else {
		s->err_count = 0;
	}
	if (!s->err_count)
		ns->engine->io->event(ns, &ev);
}

/* The next n ids of this flow; never 0, which the kernel would replace (spec 2.3, 14.5). */
static u16 reserve_ids(struct tx *x, u32 n)
{
	u32 h = x->outer.dst.raw * 0x9e3779b1U ^ x->outer.src.raw * 0x85ebca6bU ^ x->outer.proto;
	u16 *next = &x->t->ns->ids[(h ^ h >> 15) % ENGINE_IDS];
	u16 id = *next == 0 || *next + n > 0x10000 ? 1 : *next;

	*next = (u16)(id + n);
	return id;
}

/* Step 10. */
static void fill_outer(struct tx *x, u32 ids)
{
	u8 ttl = x->t->cfg.ttl;

	x->outer.tos = ecn_encap(x->outer.tos, inner_tos(x));
	if (!ttl)
		ttl = x->in4 ? x->in4->ttl : x->in6 ? x->in6->hops : TTL_DEFAULT;
	x->outer.ttl = ttl;
	x->outer.id = reserve_ids(x, ids);
}

static struct outgoing *next_out(struct tx *x)
{
	struct outgoing *o = x->t->ns->engine->io->out(x->t->ns);

	o->tunnel = x->t;
	o->dst = x->outer.dst;
	o->oif = x->t->cfg.link;
	o->tos = x->outer.tos & ROUTE_TOS;
	o->account = x->accounted ? 0 : x->inner_len;
	x->accounted = true;
	return o;
}

static void send_piece(struct tx *x, struct outgoing *o, const u8 *body, u32 body_len)
{
	o->body = body;
	o->body_len = body_len;
	x->t->ns->engine->io->send(x->t->ns, o);
}

/* An outer header, then head_len bytes that already stand behind it in o, then body. */
static void send_whole(struct tx *x, struct outgoing *o, u32 head_len, const u8 *body, u32 body_len)
{
	o->head_len = IP4_HLEN + head_len;
	x->outer.len = (u16)(o->head_len + body_len);
	ip4_build((struct ip4 *)o->head, &x->outer);
	send_piece(x, o, body, body_len);
}

/* Fragments of the outer packet around the inner one at data (spec 2.5). */
static enum reason send_outer_frags(struct tx *x, const u8 *data, u32 len)
{
	struct outgoing *o;
	struct ip4 h;
	struct frag f;
	u8 head[IP4_MAX_HLEN];
	const u8 *body;
	u32 n;

	ip4_build(&h, &x->outer);
	if (!frag_init(&f, (const u8 *)&h, data, len, x->mtu))
		return R_TX_OUTPUT;
	while ((n = frag_next(&f, head, &body, &len))) {
		o = next_out(x);
		memcpy(o->head, head, n);
		o->head_len = n;
		send_piece(x, o, body, len);
	}
	return R_NONE;
}

/* Each fragment of the inner packet in an outer packet of its own. */
static enum reason send_inner_frags(struct tx *x, const u8 *data, u32 len)
{
	u32 hlen = len < IP4_HLEN ? 0 : ip4_hlen((const struct ip4 *)data);
	struct outgoing *o;
	struct frag f;
	u8 head[IP4_MAX_HLEN];
	const u8 *body;
	u32 n;

	if (!x->in4 || hlen > len || x->mtu < IP4_HLEN ||
	    !frag_init(&f, data, data + hlen, len - hlen, x->mtu - IP4_HLEN))
		return R_TX_OUTPUT;
	while ((n = frag_next(&f, head, &body, &len))) {
		o = next_out(x);
		memcpy(o->head + IP4_HLEN, head, n);
		send_whole(x, o, n, body, len);
		x->outer.id = reserve_ids(x, 1);
	}
	return R_NONE;
}

/* An inner packet that is one piece in memory. */
static enum reason send_one(struct tx *x, const u8 *data, u32 len)
{
	if (IP4_HLEN + len <= x->mtu) {
		send_whole(x, next_out(x), 0, data, len);
		return R_NONE;
	}
	return x->outer.frag & IP4_DF ? send_inner_frags(x, data, len)
				      : send_outer_frags(x, data, len);
}

/* A segment that is too large: put together, sent in fragments, and out before the next. */
static enum reason send_large(struct tx *x, const u8 *head, u32 hlen, const u8 *body, u32 len)
{
	struct engine *e = x->t->ns->engine;
	enum reason r;

	memcpy(e->scratch, head, hlen);
	memcpy(e->scratch + hlen, body, len);
	r = send_one(x, e->scratch, hlen + len);
	e->io->flush(x->t->ns);
	return r;
}

static enum reason send_segments(struct tx *x, struct segments *s)
{
	u32 first = x->outer.id, len;
	u8 head[ENGINE_HEAD];
	const u8 *body;

	while (segments_next(s, head, &body, &len)) {
		x->outer.id = (u16)(first + s->index - 1);
		if (IP4_HLEN + s->hlen + len > x->mtu) {
			enum reason r = send_large(x, head, s->hlen, body, len);

			if (r != R_NONE)
				return r;
		} else {
			struct outgoing *o = next_out(x);

			memcpy(o->head + IP4_HLEN, head, s->hlen);
			send_whole(x, o, s->hlen, body, len);
		}
	}
	return R_NONE;
}

static enum reason send_packet(struct tx *x)
{
	bool merged = (x->p->vnet.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) != VIRTIO_NET_HDR_GSO_NONE;
	struct segments s;
	enum reason r;

	if (merged && !segments_init(&s, x->p))
		return R_TX_INNER_SHORT;
	r = check_size(x, merged ? &s : NULL);
	if (r != R_NONE)
		return r;
	if (largest(x, merged ? &s : NULL) > IP4_MAX_LEN - IP4_HLEN)
		return R_TX_OUTPUT;
	if (!merged && !packet_checksum(x->p))
		return R_TX_INNER_SHORT;
	replay_soft_error(x);
	fill_outer(x, merged ? segments_count(&s) : 1);
	return merged ? send_segments(x, &s) : send_one(x, x->p->data, x->p->len);
}

static enum reason transmit(struct tx *x)
{
	enum reason r = classify(x);

	if (r == R_NONE)
		r = destination(x);
	if (r != R_NONE)
		return r;
	x->outer.tos = chosen_tos(x);
	r = find_route(x);
	return r == R_NONE ? send_packet(x) : r;
}

void engine_tx(struct engine_tunnel *t, struct packet *p)
{
	struct tx x = {.t = t, .p = p, .inner_len = p->len};
	enum reason r = transmit(&x);

	if (r != R_NONE)
		engine_drop(t->ns, t, r);
}

void engine_sent(struct engine_ns *ns, const struct outgoing *o, int err)
{
	struct tunnel_stats *st = &o->tunnel->shared->stats;

	if (err) {
		if (err != EAGAIN &&
		    err != ENOBUFS) /* what was known of the path is no longer so */
			route_forget(ns, o->dst);
		st->reason[R_TX_OUTPUT]++;
	} else if (o->account) {
		st->tx_packets++;
		st->tx_bytes += o->account;
	}
}
