/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sit: IPv6 in IPv4 (RFC 4213), with 6to4 (RFC 3056) and 6rd (RFC 5969) where
 * there is no remote. IPv4 and MPLS inside go by the rules of ipip.
 */
#include "mode/sit.h"

#include <linux/if_ether.h>

#include "wire/isatap.h"
#include "wire/sixrd.h"

/* Sending does not ask for the protocol parameter (spec datapath 6.3). */
u8 sit_carries(const struct tunnel_cfg *cfg, u16 ethertype)
{
	(void)cfg;
	switch (ethertype) {
	case ETH_P_IPV6:
		return PROTO_IPV6;
	case ETH_P_IP:
		return PROTO_IPIP;
	case ETH_P_MPLS_UC:
		return PROTO_MPLS;
	default:
		return 0;
	}
}

/* Receiving does (spec datapath 6.3, 3.4.1). */
bool sit_takes(const struct tunnel_cfg *cfg, u8 proto)
{
	return cfg->proto == PROTO_ANY || cfg->proto == proto;
}

/* ::a.b.c.d as next hop says where the packet goes. */
static enum reason dest_by_next_hop(const struct mode_env *env, const struct mode_inner *in,
				    be32 *dst)
{
	struct ip6_addr hop;

	if (!env->ops->next_hop6(env, &in->in6->dst, &hop) || !ip6_is_compat(&hop))
		return R_TX_NEXT_HOP;
	*dst = ip6_embedded(&hop);
	return R_NONE;
}

/* Spec datapath 6.1: the remote; what the destination itself says; what its next hop says. */
enum reason sit_dest(const struct tunnel_cfg *cfg, const struct mode_env *env,
		     const struct mode_inner *in, be32 *dst)
{
	if (!in->in6)
		return mode_dest(cfg, env, in, dst);
	*dst = cfg->remote;
	if (!be32_is_zero(*dst))
		return R_NONE;
	if (sixrd_extract(&cfg->sixrd, &in->in6->dst, dst) && !be32_is_zero(*dst))
		return R_NONE;
	return dest_by_next_hop(env, in, dst);
}

/* Of IPv6 the class is inherited by the word alone: inherit/0x10 is 0x10 (spec datapath 2.2). */
u8 sit_tos(const struct tunnel_cfg *cfg, const struct mode_inner *in)
{
	if (!in->in6)
		return mode_tos(cfg, in);
	return cfg->tos == TUNL_TOS_INHERIT ? mode_inner_tos(in) : cfg->tos;
}

/*
 * Spec datapath 6.2: a path below 1280 carries IPv6 in fragments of the outer
 * packet; one that is too small for IPv4 itself carries nothing.
 */
enum reason sit_fit(const struct tunnel_cfg *cfg, const struct mode_inner *in, struct mode_fit *f)
{
	if (!in->in6)
		return mode_fit(cfg, in, f);
	if (!cfg->pmtudisc)
		return R_NONE;
	if (f->room < IP4_MIN_MTU)
		return R_TX_PATH_MTU;
	if (f->room < IP6_MIN_MTU)
		f->df = false;
	f->mtu = max_of(f->room, (u32)IP6_MIN_MTU);
	return f->len > f->mtu ? R_TX_TOO_BIG : R_NONE;
}

/* An address within the 6rd prefix that names another IPv4 address than is. */
static bool is_spoofed(const struct tunnel_cfg *cfg, const struct ip6_addr *addr, be32 is)
{
	be32 named;

	return sixrd_extract(&cfg->sixrd, addr, &named) && !be32_eq(named, is);
}

/*
 * Spec datapath 6.4. The destination may name the address of a NAT before us, if
 * it is in the prefix that the device was given.
 */
static enum reason sit_accept(const struct tunnel_cfg *cfg, const struct mode_env *env,
			      const struct mode_received *r, struct mode_state *st)
{
	const struct ip6 *in6 = r->in.in6;

	(void)st;
	if (!in6 || !be32_is_zero(cfg->remote))
		return R_NONE;
	if (is_spoofed(cfg, &in6->src, r->src))
		return R_RX_SPOOFED;
	if (is_spoofed(cfg, &in6->dst, r->dst) &&
	    !env->ops->on_device(env, &in6->dst, sixrd_delegated_len(&cfg->sixrd)))
		return R_RX_SPOOFED;
	return R_NONE;
}

void sit_fast(const struct tunnel_cfg *cfg, struct mode_fast *how)
{
	how->proto4 = PROTO_IPIP;
	how->proto6 = PROTO_IPV6;
	how->rules = FAST_MPLS | FAST_TELLS | FAST_TOS_EXACT | FAST_1280 | FAST_SHORT;
	how->sixrd = cfg->sixrd;
}

static bool sit_mode_fast(const struct tunnel_cfg *cfg, struct mode_fast *how)
{
	sit_fast(cfg, how);
	if (be32_is_zero(cfg->remote))
		how->rules |= FAST_EMBEDS | FAST_CHECK_6RD;
	return true;
}

const struct mode mode_sit = {
	.id = MODE_SIT,
	.probe = PROBE_ECHO6,
	.proto = {{PROTO_IPV6, IP6_HLEN, ETH_P_IPV6},
		  {PROTO_IPIP, IP4_HLEN, ETH_P_IP},
		  {PROTO_MPLS, 4, ETH_P_MPLS_UC}},
	.lookup = LOOKUP_FILTERED,
	.takes = sit_takes,
	.accept = sit_accept,
	.carries = sit_carries,
	.dest = sit_dest,
	.tos = sit_tos,
	.fit = sit_fit,
	.fast = sit_mode_fast,
	.needs_host = true,
	.tells_no_route = true,
};
