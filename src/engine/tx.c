/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inner packet in, outer packets out: the steps of spec datapath 2 in their
 * order, which decides what is counted; what differs between modes is the
 * mode's (mode/mode.h). A packet leaves whole, in segments (where the stack
 * merged it), or in fragments:
 *
 *	outer DF off	the outer packet is fragmented
 *	outer DF on	the inner packet is, if it may be (the driver loses it there)
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "engine/env.h"
#include "engine/esp.h"
#include "engine/frag.h"
#include "engine/icmp_out.h"
#include "engine/mss.h"
#include "engine/segment.h"
#include "engine/trace.h"
#include "wire/ecn.h"
#include "wire/icmp.h"
#include "wire/ip6.h"

enum { SOFT_MS = 30000, ROUTE_TOS = 0xfc, TTL_DEFAULT = 64, TELL_MS = 10 };

/* One inner packet on its way out. */
struct tx {
	struct engine_tunnel *t;
	struct packet *p;
	struct mode_inner in;
	struct ip4_fields outer;
	u32 mtu;	    /* of the path, outer header included */
	bool sums, numbers; /* what the mode's header wants */
	u32 number;	    /* with has_number: of the next packet on the wire */
	bool has_number;
	bool accounted; /* a piece carries the count */
};

static bool inner_df(const struct tx *x)
{
	return x->in.in4 && ip4_has_df(x->in.in4);
}

/* Bytes that an inner packet has at least. */
static u32 least(u16 ethertype)
{
	return ethertype == ETH_P_IP	    ? (u32)IP4_HLEN
	       : ethertype == ETH_P_IPV6    ? (u32)IP6_HLEN
	       : ethertype == ETH_P_MPLS_UC ? 4
					    : 0;
}

/* Step 1: what is inside, and which outer protocol carries that. */
static enum reason classify(struct tx *x)
{
	const struct mode *m = x->t->mode;
	struct packet *p = x->p;

	x->in = (struct mode_inner){.len = p->len, .ethertype = p->ethertype};
	x->outer.proto = mode_carries(&x->t->cfg, p->ethertype);
	if (!x->outer.proto)
		return R_TX_INNER_TYPE;
	if (p->len < least(p->ethertype))
		return m->too_short ? m->too_short : R_TX_INNER_SHORT;
	if (p->ethertype == ETH_P_IP)
		x->in.in4 = (const void *)p->data;
	if (p->ethertype == ETH_P_IPV6)
		x->in.in6 = (const void *)p->data;
	return R_NONE;
}

/* Step 2: the number is used up, whatever comes of the packet. */
static void take_number(struct tx *x)
{
	const struct mode *m = x->t->mode;

	x->sums = m->sums && m->sums(&x->t->cfg);
	x->numbers = m->numbers && m->numbers(&x->t->cfg);
	x->has_number = x->numbers;
	if (x->numbers)
		x->number = engine_number(x->t);
}

static void tell_nexthop(struct tx *x)
{
	struct engine_event ev = {
		.op = ENGINE_NEXTHOP,
		.slot = x->t->slot,
		.dst = x->outer.dst,
		.inner_is_v6 = x->in.in6,
	};

	if (x->in.in4)
		ev.inner = x->in.in4->dst;
	else
		ev.inner6 = x->in.in6->dst;
	x->t->ns->engine->io->event(x->t->ns, &ev);
}

/* Of a next hop the parent is told once; of IPv6, which is not looked up here, at some rate. */
static bool is_worth_telling(struct tx *x, bool fresh)
{
	u64 now = x->t->ns->engine->now_ms;

	if (!be32_is_zero(x->t->cfg.remote) || !x->t->fast || !(x->in.in4 || x->in.in6))
		return false;
	if (!fresh && (x->in.in4 || now < x->t->told_ms + TELL_MS))
		return false;
	x->t->told_ms = now;
	return true;
}

/* Step 3 with 2.1. */
static enum reason destination(struct tx *x)
{
	const struct mode *m = x->t->mode;
	struct engine_env env = engine_env(x->t);
	enum reason r =
		(m->dest ? m->dest : mode_dest)(&x->t->cfg, &env.env, &x->in, &x->outer.dst);

	if (r == R_NONE && is_worth_telling(x, env.fresh))
		tell_nexthop(x);
	return r;
}

/* Tell the sender that there is no way to the other end. */
static void host_unreachable(struct tx *x)
{
	struct engine_ns *ns = x->t->ns;

	if (x->in.in4)
		icmp_to_inner(ns, x->p->data, x->p->len, ICMP4_C_HOST, 0);
	if (x->in.in6)
		icmp6_to_inner(ns, x->p->data, x->p->len, ICMP6_T_UNREACH, 0);
}

/* A route that the mode can use: of some, only one to a host. */
static bool is_usable(const struct tx *x, const struct route *rt)
{
	return !rt->error && (!x->t->mode->needs_host || !x->in.in6 || rt->type == RTN_UNICAST ||
			      rt->type == RTN_LOCAL);
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

	if (!is_usable(x, rt)) {
		if (x->t->mode->tells_no_route && x->in.in6)
			host_unreachable(x);
		return R_TX_NO_ROUTE;
	}
	if (rt->oif == x->t->link.ifindex)
		return R_TX_LOOP;
	x->outer.src = be32_is_zero(cfg->local) ? rt->src : cfg->local;
	x->outer.frag = cfg->pmtudisc || (inner_df(x) && !cfg->ignore_df) ? IP4_DF : 0;
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
 * Step 8 with 2.4 and 6.2: the sender of a packet that must not be fragmented is
 * told. The driver leaves out merged packets, and loses their segments instead.
 */
static enum reason check_size(struct tx *x, const struct segments *s)
{
	u32 around = (u32)IP4_HLEN + x->t->hlen, len = largest(x, s);
	const struct mode *m = x->t->mode;
	struct mode_fit f = {
		.len = len,
		.room = x->mtu - min_of(x->mtu, around),
		.df = x->outer.frag & IP4_DF,
	};
	enum reason r = (m->fit ? m->fit : mode_fit)(&x->t->cfg, &x->in, &f);

	if (!f.df)
		x->outer.frag &= (u16)~IP4_DF;
	if (r != R_TX_TOO_BIG)
		return r;
	if (s)
		segment_cut(x->p, len);
	len = min_of(x->p->len, len);
	if (x->in.in4)
		icmp_to_inner(x->t->ns, x->p->data, len, ICMP4_C_FRAG, (u16)f.mtu);
	else
		icmp6_to_inner(x->t->ns, x->p->data, len, ICMP6_T_TOOBIG, f.mtu);
	return r;
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
		host_unreachable(x);
	} else {
		s->err_count = 0;
	}
	if (!s->err_count)
		ns->engine->io->event(ns, &ev);
}

static u16 reserve_ids(struct tx *x, u32 n)
{
	return engine_ids(x->t->ns, &x->outer, n);
}

/* Step 10. */
static void fill_outer(struct tx *x, u32 ids)
{
	u8 ttl = x->t->cfg.ttl;

	x->outer.tos = ecn_encap(x->outer.tos, mode_inner_tos(&x->in));
	if (!ttl)
		ttl = x->in.in4 ? x->in.in4->ttl : x->in.in6 ? x->in.in6->hops : TTL_DEFAULT;
	x->outer.ttl = ttl;
	x->outer.id = reserve_ids(x, ids);
}

/*
 * A piece that begins an outer packet around len inner bytes. Numbered packets
 * are counted each, others by what came from the stack.
 */
static struct outgoing *next_out(struct tx *x, u32 len)
{
	struct outgoing *o = x->t->ns->engine->io->out(x->t->ns);

	o->tunnel = x->t;
	o->src = x->t->cfg.local;
	o->dst = x->outer.dst;
	o->mark = x->t->cfg.fwmark;
	o->oif = x->t->cfg.link;
	o->tos = x->outer.tos & ROUTE_TOS;
	o->account = x->numbers ? len : x->accounted ? 0 : x->in.len;
	x->accounted = true;
	return o;
}

static void send_piece(struct tx *x, struct outgoing *o, const u8 *body, u32 body_len)
{
	o->body = body;
	o->body_len = body_len;
	x->t->ns->engine->io->send(x->t->ns, o);
}

/* The mode's header at `at`, before an inner packet in two pieces. */
static void push_header(struct tx *x, u8 *at, u32 sum)
{
	struct mode_push push = {.ethertype = x->in.ethertype, .sum = sum};

	if (x->numbers && !x->has_number)
		x->number = engine_number(x->t);
	x->has_number = false;
	push.seq = x->number;
	x->t->mode->build(&x->t->cfg, &push, at);
}

/* The outer header, the mode's, head_len bytes that already stand behind them in o, body. */
static void send_whole(struct tx *x, struct outgoing *o, u32 head_len, const u8 *body, u32 body_len)
{
	u8 *inner = o->head + IP4_HLEN + x->t->hlen;

	if (x->t->hlen)
		push_header(x, o->head + IP4_HLEN,
			    x->sums ? csum_add(csum_add(0, inner, head_len), body, body_len) : 0);
	o->head_len = IP4_HLEN + x->t->hlen + head_len;
	x->outer.len = (u16)(o->head_len + body_len);
	ip4_build((struct ip4 *)o->head, &x->outer);
	send_piece(x, o, body, body_len);
}

/* The inner packet at data with the mode's header before it, in the engine's scratch. */
static const u8 *wrapped(struct tx *x, const u8 *data, u32 len)
{
	u8 *inner = x->t->ns->engine->scratch + MODE_HEAD;

	if (!x->t->hlen)
		return data;
	if (data != inner)
		memcpy(inner, data, len);
	push_header(x, inner - x->t->hlen, x->sums ? csum_add(0, inner, len) : 0);
	return inner - x->t->hlen;
}

/* Fragments of the outer packet around the inner one at data (spec 2.5). */
static enum reason send_outer_frags(struct tx *x, const u8 *data, u32 len)
{
	const u8 *payload = wrapped(x, data, len), *body;
	u32 account = len, n;
	struct outgoing *o;
	struct ip4 h;
	struct frag f;
	u8 head[IP4_MAX_HLEN];

	ip4_build(&h, &x->outer);
	if (!frag_init(&f, (const u8 *)&h, payload, x->t->hlen + len, x->mtu))
		return R_TX_OUTPUT;
	while ((n = frag_next(&f, head, &body, &len))) {
		o = next_out(x, account);
		account = 0;
		memcpy(o->head, head, n);
		o->head_len = n;
		send_piece(x, o, body, len);
	}
	if (payload != data)
		x->t->ns->engine->io->flush(x->t->ns);
	return R_NONE;
}

/* Each fragment of the inner packet in an outer packet of its own. */
static enum reason send_inner_frags(struct tx *x, const u8 *data, u32 len)
{
	u32 hlen = len < IP4_HLEN ? 0 : ip4_hlen((const struct ip4 *)data);
	u32 around = (u32)IP4_HLEN + x->t->hlen;
	struct outgoing *o;
	struct frag f;
	u8 head[IP4_MAX_HLEN];
	const u8 *body;
	u32 n;

	if (!x->in.in4 || hlen > len || x->mtu < around ||
	    !frag_init(&f, data, data + hlen, len - hlen, x->mtu - around))
		return R_TX_OUTPUT;
	while ((n = frag_next(&f, head, &body, &len))) {
		o = next_out(x, n + len);
		memcpy(o->head + around, head, n);
		send_whole(x, o, n, body, len);
		x->outer.id = reserve_ids(x, 1);
	}
	return R_NONE;
}

/* An inner packet that is one piece in memory. */
static enum reason send_one(struct tx *x, const u8 *data, u32 len)
{
	if (IP4_HLEN + x->t->hlen + len <= x->mtu) {
		send_whole(x, next_out(x, len), 0, data, len);
		return R_NONE;
	}
	return x->outer.frag & IP4_DF ? send_inner_frags(x, data, len)
				      : send_outer_frags(x, data, len);
}

/* A segment that is too large: put together, sent in fragments, and out before the next. */
static enum reason send_large(struct tx *x, const u8 *head, u32 hlen, const u8 *body, u32 len)
{
	struct engine *e = x->t->ns->engine;
	u8 *at = e->scratch + MODE_HEAD;
	enum reason r;

	memcpy(at, head, hlen);
	memcpy(at + hlen, body, len);
	r = send_one(x, at, hlen + len);
	e->io->flush(x->t->ns);
	return r;
}

static enum reason send_segments(struct tx *x, struct segments *s)
{
	u32 first = x->outer.id, around = (u32)IP4_HLEN + x->t->hlen, len;
	u8 head[ENGINE_HEAD];
	const u8 *body;

	while (segments_next(s, head, &body, &len)) {
		x->outer.id = (u16)(first + s->index - 1);
		if (around + s->hlen + len > x->mtu) {
			enum reason r = send_large(x, head, s->hlen, body, len);

			if (r != R_NONE)
				return r;
		} else {
			struct outgoing *o = next_out(x, s->hlen + len);

			memcpy(o->head + around, head, s->hlen);
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

	mss_bound(x->t, x->p, x->mtu);
	if (merged && !segments_init(&s, x->p))
		return R_TX_INNER_SHORT;
	r = check_size(x, merged ? &s : NULL);
	if (r != R_NONE)
		return r;
	if (largest(x, merged ? &s : NULL) > (u32)IP4_MAX_LEN - IP4_HLEN - x->t->hlen)
		return R_TX_OUTPUT;
	if (!merged && !packet_checksum(x->p))
		return R_TX_INNER_SHORT;
	replay_soft_error(x);
	fill_outer(x, merged ? segments_count(&s) : 1);
	return merged ? send_segments(x, &s) : send_one(x, x->p->data, x->p->len);
}

static enum reason transmit(struct tx *x)
{
	const struct mode *m = x->t->mode;
	enum reason r = classify(x);

	if (r != R_NONE)
		return r;
	take_number(x);
	r = destination(x);
	if (r != R_NONE)
		return r;
	x->outer.tos = (m->tos ? m->tos : mode_tos)(&x->t->cfg, &x->in);
	r = find_route(x);
	return r == R_NONE ? send_packet(x) : r;
}

void engine_tx(struct engine_tunnel *t, struct packet *p)
{
	struct tx x = {.t = t, .p = p};
	struct trace_event ev;
	enum reason r;

	if (t->ns->traced)
		trace_take(&ev, p, 0);
	r = t->mode->esp ? esp_transmit(t, p) : transmit(&x);
	if (r != R_NONE)
		engine_drop(t->ns, t, r);
	if (t->ns->traced && (r != R_NONE || t->mode->esp))
		trace_inner(t, &ev, p->ethertype, r);
}

void engine_sent(struct engine_ns *ns, const struct outgoing *o, int err)
{
	enum reason lost = R_TX_OUTPUT;
	struct tunnel_stats *st;

	if (!o->tunnel)
		return;
	st = &o->tunnel->shared->stats;
	if (o->tunnel->mode->esp)
		lost = R_TX_ESP;
	if (ns->traced && (err || !o->tunnel->mode->esp))
		trace_piece(ns, o, err ? lost : R_NONE);
	if (err) {
		if (err != EAGAIN &&
		    err != ENOBUFS) /* what was known of the path is no longer so */
			route_forget(ns, o->dst);
		st->reason[lost]++;
	} else if (o->account) {
		st->tx_packets++;
		st->tx_bytes += o->account;
	}
}
