/* SPDX-License-Identifier: BSD-2-Clause */
/* Outer packet in, inner packet out (spec datapath 3 and 4). */
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#include "engine/demux.h"
#include "engine/env.h"
#include "engine/esp.h"
#include "engine/icmp_out.h"
#include "engine/keepalive.h"
#include "engine/mss.h"
#include "engine/trace.h"
#include "lib/addr.h"
#include "wire/ecn.h"
#include "wire/icmp.h"
#include "wire/ip6.h"

/*
 * The outer header, checked as the kernel's IP input does; the packet is cut to
 * the length it states. NULL: it is none.
 */
static const struct ip4 *outer_header(struct packet *p)
{
	struct cur c = {p->data, p->data + p->len};
	const struct ip4 *h = cur_take(&c, IP4_HLEN);
	u32 hlen, len;

	if (!h || h->ver_ihl >> 4 != 4)
		return NULL;
	hlen = ip4_hlen(h);
	if (hlen < IP4_HLEN || !cur_take(&c, hlen - IP4_HLEN) || !csum_ok(csum_add(0, h, hlen)))
		return NULL;
	len = be16_host(h->len);
	if (len < hlen || len > p->len || ip4_is_fragment(h))
		return NULL;
	p->len = len;
	return h;
}

static bool routed_local(struct engine_ns *ns, be32 addr, u32 oif)
{
	const struct route *rt = route_get(ns, &(struct route_key){.dst = addr, .oif = oif}, NULL);

	return !rt->error && rt->type == RTN_LOCAL;
}

/*
 * Routing says that the address is this host's own: as such, or to the device that the
 * packet came in by, whose VRF has addresses of its own.
 */
static bool is_local(struct engine_ns *ns, be32 addr, u32 iif)
{
	return routed_local(ns, addr, 0) || (iif && routed_local(ns, addr, iif));
}

static void log_ecn(struct engine_tunnel *t, const struct ip4 *outer)
{
	char src[ADDR4_TEXT];

	engine_log(t->ns, "%s: a packet from %s whose inner sender does not do ECN has TOS 0x%02x",
		   t->cfg.name, addr4_print(outer->src, src), outer->tos);
}

/* Length of the inner packet's own header at least; other kinds have no rule. */
static u32 inner_min(u16 ethertype)
{
	return ethertype == ETH_P_IP ? IP4_HLEN : ethertype == ETH_P_IPV6 ? IP6_HLEN : 0;
}

static u8 inner_tos(const struct packet *p)
{
	return p->ethertype == ETH_P_IP ? ((const struct ip4 *)p->data)->tos
					: ip6_tclass((const void *)p->data);
}

static void set_inner_ecn(struct packet *p, u8 ecn)
{
	if (p->ethertype == ETH_P_IP)
		ip4_set_ecn((struct ip4 *)p->data, ecn);
	else
		ip6_set_ecn((struct ip6 *)p->data, ecn);
}

static enum reason decap_ecn(struct engine_tunnel *t, const struct ip4 *outer, struct packet *p)
{
	u8 to;

	if (!inner_min(p->ethertype))
		return R_NONE;
	switch (ecn_decap(outer->tos, inner_tos(p), &to)) {
	case ECN_KEEP:
		return R_NONE;
	case ECN_KEEP_LOG:
		log_ecn(t, outer);
		return R_NONE;
	case ECN_SET:
		set_inner_ecn(p, to);
		return R_NONE;
	case ECN_DROP:
		log_ecn(t, outer);
		return R_RX_ECN;
	}
	return R_NONE;
}

/* The packet without its outer headers, as the mode's hooks see it. */
static struct mode_inner inner_of(const struct packet *p)
{
	struct mode_inner in = {.len = p->len, .ethertype = p->ethertype};

	if (p->len < inner_min(p->ethertype))
		return in;
	if (p->ethertype == ETH_P_IP)
		in.in4 = (const void *)p->data;
	if (p->ethertype == ETH_P_IPV6)
		in.in6 = (const void *)p->data;
	return in;
}

static enum reason accept(struct engine_tunnel *t, const struct mode_received *r)
{
	struct engine_env env = engine_env(t);
	enum reason why;

	if (!t->mode->accept)
		return R_NONE;
	why = t->mode->accept(&t->cfg, &env.env, r, t->state);
	engine_keep_state(t);
	return why;
}

/*
 * Routers' advertisements and redirects count with hop limit 255 only, which says
 * that nobody forwarded them (RFC 4861 6.1.2, 8.1): that is taken from the packet.
 */
static void mute(struct packet *p)
{
	struct cur c = {p->data, p->data + p->len};
	struct ip6 *h = (void *)p->data;
	struct ip6_upper up;
	const u8 *type;

	if (!cur_take(&c, IP6_HLEN) || h->hops != 255 || ip6_walk(&c, h->next, &up) ||
	    up.next != PROTO_ICMPV6 || up.offset)
		return;
	type = cur_take(&c, 1);
	if (type && (*type == ICMP6_T_RA || *type == ICMP6_T_REDIRECT))
		h->hops--;
}

static void mute_unbelieved(struct engine_tunnel *t, const struct mode_received *r,
			    struct packet *p)
{
	struct engine_env env = engine_env(t);

	if (t->mode->believes && r->in.in6 && !t->mode->believes(&t->cfg, &env.env, r))
		mute(p);
}

/* What the other side may send is bounded by the way there, as we send it. */
static void bound_mss(struct engine_tunnel *t, be32 src, struct packet *p)
{
	const struct tunnel_cfg *cfg = &t->cfg;
	const struct route *rt;

	if (!cfg->mss)
		return;
	rt = route_get(t->ns,
		       &(struct route_key){
			       .dst = src,
			       .src = cfg->local,
			       .oif = cfg->link,
			       .mark = cfg->fwmark,
			       .proto = mode_info(cfg->mode)->proto,
		       },
		       NULL);
	mss_bound(t, p, rt->error ? 0 : rt->mtu);
}

static void log_refused(struct engine_tunnel *t, const struct mode_received *r, enum reason why)
{
	char outer[ADDR4_TEXT], src[ADDR6_TEXT], dst[ADDR6_TEXT];

	if ((why != R_RX_SPOOFED && why != R_RX_NO_NEIGHBOUR) || !r->in.in6)
		return;
	engine_log(t->ns, "%s: a packet from %s, inside %s to %s, is refused: %s", t->cfg.name,
		   addr4_print(r->src, outer), addr6_print((const u8 *)&r->in.in6->src, src),
		   addr6_print((const u8 *)&r->in.in6->dst, dst), reason_info(why)->word);
}

static enum reason to_tunnel(struct engine_ns *ns, const struct ip4 *outer, const struct demux *d,
			     struct packet *p)
{
	struct mode_received rec = {.src = outer->src, .dst = outer->dst, .head = d->head};
	struct engine_tunnel *t = d->t;
	struct tunnel_stats *st = &t->shared->stats;
	enum reason r;

	st->multicast += ip4_is_multicast(outer->dst);
	if (!peers_admit(&t->cfg.peers, outer->src))
		return R_RX_PEER;
	if (t->mode->esp)
		return esp_receive(t, &(struct esp_received){outer, d->payload, d->udp}, p);
	if (!mode_takes(&t->cfg, outer->proto))
		return R_RX_PROTO;
	packet_strip(p, ip4_hlen(outer) + d->head.hlen);
	p->ethertype = d->head.ethertype;
	if (keepalive_returned(t, outer, p))
		return R_NONE;
	rec.in = inner_of(p);
	r = accept(t, &rec);
	if (r != R_NONE) {
		log_refused(t, &rec, r);
		return r;
	}
	if (p->len < inner_min(p->ethertype))
		return R_RX_INNER_SHORT;
	if (keepalive_answer(t, outer, p)) {
		st->rx_packets++;
		st->rx_bytes += p->len;
		return R_NONE;
	}
	r = decap_ecn(t, outer, p);
	if (r != R_NONE)
		return r;
	mute_unbelieved(t, &rec, p);
	bound_mss(t, outer->src, p);
	if (ns->engine->io->deliver(t, p))
		return R_RX_DELIVER;
	st->rx_packets++;
	st->rx_bytes += p->len;
	return R_NONE;
}

/* A packet to a group is for the tunnels of the group, unless it is our own come back. */
static bool is_for_group(struct engine_ns *ns, const struct ip4 *outer, const struct demux *d,
			 u32 iif)
{
	return d->t && be32_eq(d->t->cfg.remote, outer->dst) && !is_local(ns, outer->src, iif);
}

/* The sender is told; of ESP, which may be for others, the counter alone (spec 3.1). */
static void nobodys(struct engine_ns *ns, u8 proto, const struct packet *p)
{
	if (proto == PROTO_ESP)
		ns->mib->count[MIB_IN_NO_STATES]++;
	else
		icmp_no_tunnel(ns, p->data, p->len);
}

/* A packet for its tunnel, *t; that stays NULL, with R_NONE, of one that is none of ours. */
static enum reason receive(struct engine_ns *ns, u32 iif, struct packet *p,
			   struct engine_tunnel **t)
{
	const struct ip4 *outer = outer_header(p);
	struct demux_ask ask = {.iif = iif, .p = p};
	struct demux d;
	enum reason r;
	bool group;

	if (!outer)
		return R_NONE;
	group = ip4_is_multicast(outer->dst);
	if (!group && !is_local(ns, outer->dst, iif))
		return R_NONE;
	ask.src = outer->src;
	ask.dst = outer->dst;
	ask.payload = (struct cur){p->data + ip4_hlen(outer), p->data + p->len};
	d.udp = outer->proto == PROTO_UDP;
	if (d.udp && !esp_in_udp(&ask.payload))
		return R_NONE;
	ask.proto = d.udp ? PROTO_ESP : outer->proto;
	d.payload = (u8 *)ask.payload.p;
	r = demux(ns, &ask, &d);
	if (group && !is_for_group(ns, outer, &d, iif))
		return R_NONE;
	*t = d.t;
	if (r == R_RX_NO_TUNNEL)
		nobodys(ns, ask.proto, p);
	else if (r == R_NONE && d.t)
		r = to_tunnel(ns, outer, &d, p);
	return r;
}

void engine_rx(struct engine_ns *ns, u32 iif, struct packet *p)
{
	struct engine_tunnel *t = NULL;
	struct trace_event ev;
	enum reason r;

	if (ns->traced)
		trace_take(&ev, p, iif);
	r = receive(ns, iif, p, &t);
	if (r != R_NONE)
		engine_drop(ns, t, r);
	if (ns->traced && (t || r != R_NONE))
		trace_received(ns, &ev, p, t, r);
}
