/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gre: any kind of packet behind a header with optional checksum, key and
 * sequence number (RFC 2784, 2890; spec datapath 7).
 */
#include "mode/mode.h"

#include "wire/eth.h"
#include "wire/gre.h"
#include "wire/icmp.h"

_Static_assert((int)TUNL_F_CSUM == (int)GRE_C && (int)TUNL_F_KEY == (int)GRE_K &&
		       (int)TUNL_F_SEQ == (int)GRE_S,
	       "a configuration's flags are the header's bits");
_Static_assert((int)GRE_MAX_HLEN <= (int)MODE_HEAD, "the header has room");

static u16 gre_mode_hlen(const struct tunnel_cfg *cfg)
{
	return (u16)gre_hlen(cfg->oflags);
}

/*
 * WCCP's type says IPv4, behind 4 bytes of its own in version 2, where an IPv4
 * header cannot begin (spec datapath 7.1).
 */
static enum reason parse_wccp(struct cur *c, struct mode_head *h)
{
	struct cur at = *c;
	const u8 *first = cur_take(&at, 1);

	if (!first)
		return R_RX_OUTER_SHORT;
	h->ethertype = ETYPE_IP4;
	if (*first >> 4 != 4) {
		if (!cur_take(c, 4))
			return R_RX_OUTER_SHORT;
		h->hlen += 4;
	}
	return R_NONE;
}

/* Spec datapath 7.2, rules 1 to 3; the sum is for the caller, who has the whole packet. */
static enum reason gre_mode_parse(struct cur *c, const struct mode_proto *p, struct mode_head *h)
{
	const u8 *begin = c->p;
	struct gre_fields f;
	bool whole = gre_parse(c, &f);

	(void)p;
	if (gre_is_refused(f.flags))
		return R_RX_VERSION;
	if (!whole)
		return R_RX_OUTER_SHORT;
	h->ethertype = f.type;
	h->hlen = (u16)(c->p - begin);
	h->flags = f.flags & (GRE_C | GRE_K | GRE_S);
	h->key = f.key;
	h->seq = f.seq;
	h->summed = f.flags & GRE_C;
	h->nobody = f.type == ETYPE_ERSPAN || f.type == ETYPE_ERSPAN2;
	return !f.flags && f.type == ETYPE_WCCP ? parse_wccp(c, h) : R_NONE;
}

/* Nothing accepted yet, or exactly wrapped: any number will do (spec datapath 7.2). */
static bool is_stale(const struct mode_state *st, u32 seq)
{
	return st->expected_seq && (s32)(seq - st->expected_seq) < 0;
}

static enum reason gre_mode_accept(const struct tunnel_cfg *cfg, const struct mode_env *env,
				   const struct mode_received *r, struct mode_state *st)
{
	const struct mode_head *h = &r->head;

	(void)env;
	if ((h->flags ^ cfg->iflags) & TUNL_F_CSUM)
		return R_RX_CSUM_FLAG;
	if (!(cfg->iflags & TUNL_F_SEQ))
		return R_NONE;
	if (!(h->flags & TUNL_F_SEQ) || is_stale(st, h->seq))
		return R_RX_SEQ;
	st->expected_seq = h->seq + 1;
	return R_NONE;
}

static u8 gre_mode_carries(const struct tunnel_cfg *cfg, u16 ethertype)
{
	(void)cfg;
	(void)ethertype;
	return PROTO_GRE;
}

/*
 * A gateway without an entry is itself the outer destination, unless a route over
 * the device to it names one (spec datapath 2.1; a TUN device has no IPv4 neighbours).
 */
static bool by_gateway(const struct mode_env *env, const struct mode_inner *in, be32 hop, be32 *dst)
{
	if (be32_eq(hop, in->in4->dst))
		return false;
	return env->ops->next_hop4(env, hop, dst);
}

static bool by_gateway6(const struct mode_inner *in, const struct ip6_addr *hop, be32 *dst)
{
	bool compat = !(hop->w[0].raw | hop->w[1].raw | hop->w[2].raw);

	*dst = hop->w[3];
	return compat && !ip6_addr_eq(hop, &in->in6->dst);
}

static bool has_entry(bool found, be32 lladdr)
{
	return found && !be32_is_zero(lladdr);
}

static enum reason dest4(const struct mode_env *env, const struct mode_inner *in, be32 *dst)
{
	be32 hop;

	if (ip4_is_multicast(in->in4->dst)) {
		*dst = in->in4->dst;
		return R_NONE;
	}
	if (!env->ops->next_hop4(env, in->in4->dst, &hop))
		return R_TX_NBMA;
	if (has_entry(env->ops->neighbour4(env, hop, dst), *dst) || by_gateway(env, in, hop, dst))
		return R_NONE;
	return R_TX_NEIGHBOUR;
}

static enum reason dest6(const struct mode_env *env, const struct mode_inner *in, be32 *dst)
{
	struct ip6_addr hop;

	if (!env->ops->next_hop6(env, &in->in6->dst, &hop))
		return R_TX_NBMA;
	if (has_entry(env->ops->neighbour6(env, &hop, dst), *dst) || by_gateway6(in, &hop, dst))
		return R_NONE;
	return R_TX_NEIGHBOUR;
}

/*
 * Without a remote the outer destination is the link-layer address of the next
 * hop; of an IPv4 multicast packet its own group. A neighbour that nobody named has
 * the device's own address, as on all devices without ARP (spec datapath 7.3).
 */
static enum reason gre_mode_dest(const struct tunnel_cfg *cfg, const struct mode_env *env,
				 const struct mode_inner *in, be32 *dst)
{
	enum reason r;

	*dst = cfg->remote;
	if (!be32_is_zero(*dst))
		return R_NONE;
	if (!in->in4 && !in->in6)
		return R_TX_INNER_TYPE;
	if (in->in6 && ip6_is_multicast(&in->in6->dst)) /* maps to no IPv4 address */
		return R_TX_NEIGHBOUR;
	r = in->in4 ? dest4(env, in, dst) : dest6(env, in, dst);
	if (r != R_TX_NEIGHBOUR || be32_is_zero(cfg->local))
		return r;
	*dst = cfg->local;
	return R_NONE;
}

static void gre_mode_build(const struct tunnel_cfg *cfg, const struct mode_push *push, u8 *at)
{
	struct gre_fields f = {
		.flags = cfg->oflags,
		.type = push->ethertype,
		.key = cfg->okey,
		.seq = push->seq,
	};
	u32 hlen = gre_build(at, &f);
	be16 check;

	if (!(cfg->oflags & TUNL_F_CSUM))
		return;
	check = csum_finish(csum_add(push->sum, at, hlen));
	__builtin_memcpy(at + GRE_HLEN, &check, sizeof(check));
}

static bool gre_mode_sums(const struct tunnel_cfg *cfg)
{
	return cfg->oflags & TUNL_F_CSUM;
}

static bool gre_mode_numbers(const struct tunnel_cfg *cfg)
{
	return cfg->oflags & TUNL_F_SEQ;
}

/* Spec datapath 5.3: a port is nothing to gre, and a group is many. */
static bool gre_mode_soft(const struct tunnel_cfg *cfg, u8 type, u8 code)
{
	if (ip4_is_multicast(cfg->remote) || (type == ICMP4_T_UNREACH && code == ICMP4_C_PORT))
		return false;
	return mode_soft(cfg, type, code);
}

/* Sums are the engine's. */
static bool gre_mode_fast(const struct tunnel_cfg *cfg, struct mode_fast *how)
{
	how->proto4 = how->proto6 = PROTO_GRE;
	how->rules = FAST_OTHERS | FAST_RETURNS | (cfg->ignore_df ? FAST_IGNORE_DF : 0) |
		     (be32_is_zero(cfg->remote) ? FAST_NEIGHBOURS : 0);
	how->oflags = cfg->oflags;
	how->iflags = cfg->iflags;
	how->okey = cfg->okey;
	how->hlen = (u8)gre_mode_hlen(cfg);
	return !((cfg->oflags | cfg->iflags) & TUNL_F_CSUM);
}

const struct mode mode_gre = {
	.id = MODE_GRE,
	.proto = {{PROTO_GRE, GRE_MIN_PAYLOAD, 0}},
	.probe = PROBE_GRE,
	.joins = true,
	.lookup = LOOKUP_KEYED,
	.hlen = gre_mode_hlen,
	.parse = gre_mode_parse,
	.accept = gre_mode_accept,
	.carries = gre_mode_carries,
	.too_short = R_TX_MALFORMED,
	.dest = gre_mode_dest,
	.build = gre_mode_build,
	.sums = gre_mode_sums,
	.numbers = gre_mode_numbers,
	.fast = gre_mode_fast,
	.soft = gre_mode_soft,
};
