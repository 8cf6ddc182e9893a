/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inner packet in, ESP packets out (spec datapath 9.1, 9.2): policy, association,
 * route, size, then each packet or segment by itself.
 */
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "engine/esp.h"
#include "engine/frag.h"
#include "engine/icmp_out.h"
#include "engine/mss.h"
#include "engine/segment.h"
#include "wire/ecn.h"
#include "wire/esp.h"
#include "wire/icmp.h"
#include "wire/udp.h"

enum { TTL_DEFAULT = 64 };

struct esp_tx {
	struct engine_tunnel *t;
	struct packet *p;
	struct mode_inner in;
	struct sa *sa;
	struct ip4_fields outer;
	u32 mtu;  /* of the path */
	u32 mark; /* of the outer packet */
	u32 room; /* for an inner packet */
};

static enum reason classify(struct esp_tx *x)
{
	const struct packet *p = x->p;

	x->in = (struct mode_inner){.len = p->len, .ethertype = p->ethertype};
	if (p->ethertype != ETH_P_IP && p->ethertype != ETH_P_IPV6)
		return R_TX_INNER_TYPE;
	if (p->len < (p->ethertype == ETH_P_IP ? (u32)IP4_HLEN : (u32)IP6_HLEN))
		return R_TX_INNER_SHORT;
	if (p->ethertype == ETH_P_IP)
		x->in.in4 = (const void *)p->data;
	else
		x->in.in6 = (const void *)p->data;
	return R_NONE;
}

static void unreachable(struct esp_tx *x)
{
	if (x->in.in4)
		icmp_to_inner(x->t->ns, x->p->data, x->p->len, ICMP4_C_HOST, 0);
	else
		icmp6_to_inner(x->t->ns, x->p->data, x->p->len, ICMP6_T_UNREACH, 0);
}

/* Step 2: an association of tunnel mode between the tunnel's own ends. */
static bool is_between(const struct tunnel_cfg *cfg, const struct sa_cfg *sa)
{
	be32 src = xfrm_addr4(&sa->src), dst = xfrm_addr4(&sa->dst);

	if (sa->mode != XFRM_TUNNEL || sa->family != XFRM_IP4)
		return false;
	if (be32_is_zero(cfg->remote))
		return be32_eq(src, cfg->local);
	return be32_eq(dst, cfg->remote) &&
	       (be32_is_zero(cfg->local) || be32_is_zero(src) || be32_eq(src, cfg->local));
}

static enum reason find_sa(struct esp_tx *x)
{
	struct engine_ns *ns = x->t->ns;
	struct xfrm_flow flow;
	struct policy *p;

	flow_of_packet(x->p->data, x->p->len, x->in.in4 ? XFRM_IP4 : XFRM_IP6, &flow);
	flow.mark = be32_host(x->t->cfg.okey);
	flow.oif = x->t->link.ifindex;
	p = db_policy_find(&ns->xfrm, POLICY_OUT, &flow);
	if (!p || !p->cfg.ntmpls)
		return R_TX_NO_POLICY;
	if (p->cfg.action == POLICY_BLOCK) {
		ns->mib->count[MIB_OUT_POL_BLOCK]++;
		return R_TX_NO_POLICY;
	}
	x->sa = db_sa_for(&ns->xfrm, p, &flow);
	if (!x->sa) {
		ns->mib->count[MIB_OUT_NO_STATES]++;
		return R_TX_NO_SA;
	}
	return is_between(&x->t->cfg, &x->sa->cfg) ? R_NONE : R_TX_NO_SA;
}

/* Of the association's own (xfrm's output-mark), over the flow's, which is the key. */
static u32 outer_mark(const struct esp_tx *x)
{
	const struct sa_cfg *sa = &x->sa->cfg;

	if (!sa->has_out_mark)
		return 0;
	return (sa->out_mark.value & sa->out_mark.mask) |
	       (be32_host(x->t->cfg.okey) & ~sa->out_mark.mask);
}

/* Step 3. */
static enum reason find_route(struct esp_tx *x)
{
	const struct sa_cfg *sa = &x->sa->cfg;
	struct route_key key = {
		.dst = xfrm_addr4(&sa->dst),
		.src = xfrm_addr4(&sa->src),
		.tos = mode_inner_tos(&x->in) & (u8)~ECN_MASK,
		.proto = esp_udp_len(x->sa) ? PROTO_UDP : PROTO_ESP,
	};
	const struct route *rt;

	x->mark = key.mark = outer_mark(x);
	rt = route_get(x->t->ns, &key, NULL);
	if (rt->error)
		return R_TX_NO_ROUTE;
	if (rt->oif == x->t->link.ifindex)
		return R_TX_LOOP;
	x->outer.proto = key.proto;
	x->outer.dst = key.dst;
	x->outer.src = be32_is_zero(key.src) ? rt->src : key.src;
	x->mtu = rt->mtu;
	x->room = esp_mtu(x->sa, rt->mtu);
	if (!rt->mtu_locked && !(sa->flags & SA_NOPMTUDISC) && (x->in.in6 || ip4_has_df(x->in.in4)))
		x->outer.frag = IP4_DF;
	return R_NONE;
}

/* Step 4; len: of the largest packet that leaves. */
static enum reason check_size(struct esp_tx *x, u32 len, bool merged)
{
	struct engine_ns *ns = x->t->ns;

	if (len <= x->room)
		return R_NONE;
	if (x->in.in4 ? !ip4_has_df(x->in.in4) : len <= IP6_MIN_MTU) {
		x->outer.frag = 0; /* fragments of the ESP packet */
		return R_NONE;
	}
	if (merged)
		segment_cut(x->p, len);
	len = min_of(len, x->p->len);
	if (x->in.in4)
		icmp_to_inner(ns, x->p->data, len, ICMP4_C_FRAG, (u16)x->room);
	else
		icmp6_to_inner(ns, x->p->data, len, ICMP6_T_TOOBIG,
			       max_of(x->room, (u32)IP6_MIN_MTU));
	return R_TX_TOO_BIG;
}

/* 9.2 */
static void fill_outer(struct esp_tx *x)
{
	const struct sa_cfg *sa = &x->sa->cfg;
	u8 tos = mode_inner_tos(&x->in);

	x->outer.tos = ecn_encap(sa->extra & SA_DONT_ENCAP_DSCP ? 0 : tos, tos);
	if (sa->flags & SA_NOECN)
		x->outer.tos &= (u8)~ECN_MASK;
	x->outer.ttl = TTL_DEFAULT;
}

static struct outgoing *next_out(struct esp_tx *x, u32 account)
{
	struct outgoing *o = x->t->ns->engine->io->out(x->t->ns);

	o->tunnel = x->t;
	o->src = x->outer.src;
	o->dst = x->outer.dst;
	o->mark = x->mark;
	o->oif = 0;
	o->tos = x->outer.tos & (u8)~ECN_MASK;
	o->account = account;
	return o;
}

/* Room for size bytes that stay until they are sent. */
static u8 *room_for(struct engine_ns *ns, u32 size)
{
	struct engine *e = ns->engine;
	u8 *at;

	if (e->esp_used + size > sizeof(e->esp)) {
		e->io->flush(ns);
		e->esp_used = 0;
	}
	at = e->esp + e->esp_used;
	e->esp_used += (size + 15) & ~15U;
	return at;
}

static void send_frags(struct esp_tx *x, const u8 *payload, u32 len, u32 account)
{
	u8 head[IP4_MAX_HLEN];
	const u8 *body;
	struct ip4 h;
	struct frag f;
	u32 n;

	ip4_build(&h, &x->outer);
	if (!frag_init(&f, (const u8 *)&h, payload, len, x->mtu)) {
		engine_drop(x->t->ns, x->t, R_TX_ESP);
		return;
	}
	while ((n = frag_next(&f, head, &body, &len))) {
		struct outgoing *o = next_out(x, account);

		account = 0;
		memcpy(o->head, head, n);
		o->head_len = n;
		o->body = body;
		o->body_len = len;
		x->t->ns->engine->io->send(x->t->ns, o);
	}
}

/* len bytes from `at` behind an outer header, around an inner packet of inner bytes. */
static void send_esp(struct esp_tx *x, const u8 *at, u32 len, u32 inner)
{
	struct outgoing *o;

	x->outer.len = (u16)(IP4_HLEN + len);
	x->outer.id = x->outer.frag & IP4_DF ? 0 : engine_ids(x->t->ns, &x->outer, 1);
	x->sa->sent_ms = x->t->ns->engine->now_ms;
	if (IP4_HLEN + len > x->mtu) {
		send_frags(x, at, len, inner);
		return;
	}
	o = next_out(x, inner);
	ip4_build((struct ip4 *)o->head, &x->outer);
	o->head_len = IP4_HLEN;
	o->body = at;
	o->body_len = len;
	x->t->ns->engine->io->send(x->t->ns, o);
}

/* RFC 3948 2.1: without a checksum, which ESP has its own for. */
static u32 put_udp(const struct sa *sa, u8 *at, u32 len)
{
	struct udp h = {
		.sport = be16_of(sa->cfg.encap.sport),
		.dport = be16_of(sa->cfg.encap.dport),
		.len = be16_of((u16)(UDP_HLEN + len)),
	};

	memcpy(at, &h, sizeof(h));
	return UDP_HLEN + len;
}

/* One inner packet, in n pieces. */
static enum reason send_one(struct esp_tx *x, const struct crypt_piece *in, u32 n)
{
	struct engine_ns *ns = x->t->ns;
	struct esp_out o = {
		.in = in,
		.n = n,
		.next = x->in.in4 ? ESP_NEXT_IP4 : ESP_NEXT_IP6,
		.now = ns->engine->now_s,
	};
	u32 udp = esp_udp_len(x->sa), len = 0, inner = 0;
	enum mib m;
	u8 *at;

	for (u32 i = 0; i < n; i++)
		inner += in[i].len;
	if (IP4_HLEN + udp + esp_size(x->sa, inner) > IP4_MAX_LEN)
		return R_TX_ESP;
	at = room_for(ns, udp + esp_size(x->sa, inner));
	m = esp_seal(x->sa, &o, at + udp, &len);
	if (m != MIB__MAX) {
		ns->mib->count[m]++;
		return R_TX_ESP;
	}
	send_esp(x, at, udp ? put_udp(x->sa, at, len) : len, inner);
	return R_NONE;
}

static enum reason send_segments(struct esp_tx *x, struct segments *s)
{
	u8 head[ENGINE_HEAD];
	struct crypt_piece piece[2] = {{head, s->hlen}};
	enum reason r = R_NONE;

	while (r == R_NONE && segments_next(s, head, &piece[1].data, &piece[1].len))
		r = send_one(x, piece, 2);
	return r;
}

static enum reason send_packet(struct esp_tx *x)
{
	bool merged = (x->p->vnet.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) != VIRTIO_NET_HDR_GSO_NONE;
	struct crypt_piece whole;
	struct segments s;
	enum reason r;

	mss_bound(x->t, x->p, x->room + IP4_HLEN);
	if (merged && !segments_init(&s, x->p))
		return R_TX_INNER_SHORT;
	r = check_size(x, merged ? s.hlen + min_of(s.size, s.len) : x->p->len, merged);
	if (r != R_NONE)
		return r;
	if (!merged && !packet_checksum(x->p))
		return R_TX_INNER_SHORT;
	fill_outer(x);
	if (merged)
		return send_segments(x, &s);
	whole = (struct crypt_piece){x->p->data, x->p->len};
	return send_one(x, &whole, 1);
}

enum reason esp_transmit(struct engine_tunnel *t, struct packet *p)
{
	struct esp_tx x = {.t = t, .p = p};
	enum reason r = classify(&x);

	if (r != R_NONE)
		return r;
	r = find_sa(&x);
	if (r == R_NONE)
		r = find_route(&x);
	if (r == R_TX_NO_POLICY || r == R_TX_NO_SA || r == R_TX_NO_ROUTE)
		unreachable(&x);
	if (r != R_NONE)
		return r;
	r = send_packet(&x);
	esp_check_limits(t->ns, x.sa);
	return r;
}
