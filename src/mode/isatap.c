/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * isatap (RFC 5214): sit whose IPv4 address stands in the interface identifiers,
 * with a list of the routers that are believed.
 */
#include "mode/sit.h"

#include "wire/isatap.h"

/*
 * Spec datapath 6.1.1: the next hop says where the packet goes. A group says
 * nothing: routers are asked one by one.
 */
static enum reason isatap_dest(const struct tunnel_cfg *cfg, const struct mode_env *env,
			       const struct mode_inner *in, be32 *dst)
{
	struct ip6_addr hop;

	if (!in->in6)
		return mode_dest(cfg, env, in, dst);
	if (!env->ops->next_hop6(env, &in->in6->dst, &hop) || ip6_is_multicast(&hop) ||
	    !isatap_is(&hop))
		return R_TX_NEXT_HOP;
	*dst = ip6_embedded(&hop);
	return be32_is_zero(*dst) ? sit_dest(cfg, env, in, dst) : R_NONE;
}

/*
 * Spec datapath 8.2: from a router of the list anything; else an identifier with
 * the outer source in a prefix of the device, and then no advertisement.
 */
static enum reason isatap_accept(const struct tunnel_cfg *cfg, const struct mode_env *env,
				 const struct mode_received *r, struct mode_state *st)
{
	const struct ip6 *in6 = r->in.in6;

	(void)cfg;
	(void)st;
	if (!in6 || env->ops->router(env, r->src))
		return R_NONE;
	if (isatap_is(&in6->src) && be32_eq(ip6_embedded(&in6->src), r->src) &&
	    env->ops->on_device(env, &in6->src, 0))
		return R_NONE;
	return R_RX_NO_NEIGHBOUR;
}

/*
 * What a router of the list advertises counts in full where it is a default
 * router. One that is none may tell of routes only, which the kernel does not
 * take unless it is told to.
 */
static bool isatap_believes(const struct tunnel_cfg *cfg, const struct mode_env *env,
			    const struct mode_received *r)
{
	const struct prl_entry *e = env->ops->router(env, r->src);

	(void)cfg;
	return e && e->is_default;
}

/* A remote is for what no next hop says where it goes: the engine's. */
static bool isatap_fast(const struct tunnel_cfg *cfg, struct mode_fast *how)
{
	sit_fast(cfg, how);
	how->rules |= FAST_CHECK_ISATAP;
	return be32_is_zero(cfg->remote);
}

const struct mode mode_isatap = {
	.id = MODE_ISATAP,
	.probe = PROBE_ECHO6,
	.takes = sit_takes,
	.accept = isatap_accept,
	.believes = isatap_believes,
	.carries = sit_carries,
	.dest = isatap_dest,
	.tos = sit_tos,
	.fit = sit_fit,
	.fast = isatap_fast,
	.needs_host = true,
	.tells_no_route = true,
};
