/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP errors about our outer packets (spec datapath 5.2, 5.3). The kernel has
 * them too, and lowers the path MTU by itself because of our raw socket of that
 * protocol; here the answers that we kept are forgotten, so that the very next
 * packet asks anew, and the parent is told.
 */
#include <string.h>

#include "engine/demux.h"
#include "engine/keepalive.h"
#include "wire/icmp.h"

enum { SOFT_MS = 30000, QUOTE_PAYLOAD = 8 };

/* An ICMP error taken apart; data points into the packet. */
struct icmp_error {
	const struct icmp_hdr *icmp;
	const struct ip4 *quote; /* the header of our packet */
	struct cur payload;	 /* what is quoted behind it */
};

/* The IPv4 header at c with its options, consumed; NULL: it is none. */
static const struct ip4 *take_ip4(struct cur *c)
{
	const struct ip4 *h = cur_take(c, IP4_HLEN);

	if (!h || ip4_hlen(h) < IP4_HLEN || !cur_take(c, ip4_hlen(h) - IP4_HLEN))
		return NULL;
	return h;
}

static bool parse(struct icmp_error *x, const u8 *data, u32 len)
{
	struct cur c = {data, data + len};
	const struct ip4 *h = take_ip4(&c);
	u32 hlen = h ? ip4_hlen(h) : 0;

	if (!h || h->proto != PROTO_ICMP || ip4_is_fragment(h))
		return false;
	if (be16_host(h->len) > len || be16_host(h->len) < hlen)
		return false;
	c.end = data + be16_host(h->len);
	if (!csum_ok(csum_add(0, c.p, cur_left(&c))))
		return false;
	x->icmp = cur_take(&c, ICMP_HLEN);
	if (!x->icmp || !icmp4_has_quote(x->icmp->type))
		return false;
	x->quote = take_ip4(&c);
	x->payload = c;
	return x->quote && cur_left(&c) >= QUOTE_PAYLOAD;
}

/* It says something about the way to the destination: which or how wide it is. */
static bool is_path_change(const struct icmp_hdr *h)
{
	return h->type == ICMP4_T_REDIRECT ||
	       (h->type == ICMP4_T_UNREACH && h->code == ICMP4_C_FRAG);
}

static void soft_error(struct engine_tunnel *t)
{
	struct engine_slot *s = t->shared;
	u64 now = t->ns->engine->now_ms;
	struct engine_event ev = {.op = ENGINE_SOFT, .slot = t->slot, .active = true};

	s->err_count = s->err_count && now < s->err_time_ms + SOFT_MS ? s->err_count + 1 : 1;
	s->err_time_ms = now;
	t->ns->engine->io->event(t->ns, &ev);
}

static bool is_soft(const struct engine_tunnel *t, const struct icmp_hdr *h)
{
	return (t->mode->soft ? t->mode->soft : mode_soft)(&t->cfg, h->type, h->code);
}

/* The tunnel whose packet is quoted. */
static enum reason find_tunnel(struct engine_ns *ns, u32 iif, const struct icmp_error *x,
			       struct demux *d)
{
	struct demux_ask ask = {
		.src = x->quote->dst,
		.dst = x->quote->src,
		.iif = iif,
		.proto = x->quote->proto,
		.payload = x->payload,
	};

	return demux(ns, &ask, d);
}

/*
 * The kernel keeps a path MTU by destination, so whatever is sent there is
 * concerned: also what no tunnel is found by, since a quote has the okey of what
 * was sent, and the lookup goes by ikey (spec datapath 5.3).
 */
static void tell_path(struct engine_ns *ns, const struct engine_tunnel *t, be32 dst)
{
	struct engine_event ev = {
		.op = ENGINE_PMTU,
		.slot = t ? t->slot : ENGINE_NO_SLOT,
		.dst = dst,
	};

	ns->engine->io->event(ns, &ev);
}

void engine_icmp(struct engine_ns *ns, u32 iif, const u8 *data, u32 len)
{
	struct icmp_error x;
	struct demux d;
	enum reason r;

	if (!parse(&x, data, len))
		return;
	if (is_path_change(x.icmp))
		route_forget(ns, x.quote->dst);
	if (keepalive_refused(ns, x.icmp, x.quote, x.payload))
		return;
	r = find_tunnel(ns, iif, &x, &d);
	if (is_path_change(x.icmp) && (d.t || r == R_RX_NO_TUNNEL))
		tell_path(ns, d.t, x.quote->dst);
	else if (r == R_NONE && d.t && is_soft(d.t, x.icmp))
		soft_error(d.t);
}
