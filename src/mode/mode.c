/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of the modes, and what a hook that is NULL does. */
#include "mode/mode.h"

#include "wire/icmp.h"

/* In the order in which the kernel's handlers of one protocol stand (spec datapath 3.1). */
static const struct mode *const modes[] = {
	&mode_ipip, &mode_gre, &mode_sit, &mode_isatap, &mode_vti,
};

const struct mode *mode_by_id(enum mode_id id)
{
	for (u32 i = 0; i < countof(modes); i++)
		if (modes[i]->id == id)
			return modes[i];
	return NULL;
}

static const struct mode_proto *proto_row(const struct mode *m, u8 proto)
{
	for (u32 i = 0; i < MODE_PROTOS && m->proto[i].proto; i++)
		if (m->proto[i].proto == proto)
			return &m->proto[i];
	return NULL;
}

const struct mode *mode_receiver(u8 proto, u32 i, const struct mode_proto **p)
{
	for (u32 k = 0; k < countof(modes); k++) {
		*p = proto_row(modes[k], proto);
		if (*p && i-- == 0)
			return modes[k];
	}
	return NULL;
}

u16 mode_hlen(const struct tunnel_cfg *cfg)
{
	const struct mode *m = mode_by_id(cfg->mode);

	return m && m->hlen ? m->hlen(cfg) : 0;
}

bool mode_takes(const struct tunnel_cfg *cfg, u8 proto)
{
	const struct mode *m = mode_by_id(cfg->mode);

	return m->takes ? m->takes(cfg, proto) : proto == mode_info(cfg->mode)->proto;
}

u8 mode_carries(const struct tunnel_cfg *cfg, u16 ethertype)
{
	const struct mode *m = mode_by_id(cfg->mode);

	if (m->carries)
		return m->carries(cfg, ethertype);
	for (u32 i = 0; i < MODE_PROTOS && m->proto[i].proto; i++)
		if (m->proto[i].ethertype == ethertype && mode_takes(cfg, m->proto[i].proto))
			return m->proto[i].proto;
	return 0;
}

enum reason mode_dest(const struct tunnel_cfg *cfg, const struct mode_env *env,
		      const struct mode_inner *in, be32 *dst)
{
	*dst = cfg->remote;
	if (!be32_is_zero(*dst))
		return R_NONE;
	if (!in->in4)
		return R_TX_INNER_TYPE;
	return env->ops->next_hop4(env, in->in4->dst, dst) ? R_NONE : R_TX_NBMA;
}

u8 mode_inner_tos(const struct mode_inner *in)
{
	return in->in4 ? in->in4->tos : in->in6 ? ip6_tclass(in->in6) : 0;
}

u8 mode_tos(const struct tunnel_cfg *cfg, const struct mode_inner *in)
{
	if (!(cfg->tos & TUNL_TOS_INHERIT))
		return cfg->tos;
	return in->in4 || in->in6 ? mode_inner_tos(in) : (u8)(cfg->tos & ~TUNL_TOS_INHERIT);
}

static enum reason fit_ip6(struct mode_fit *f)
{
	f->mtu = max_of(f->room, (u32)IP6_MIN_MTU);
	if (f->len > f->mtu)
		return R_TX_TOO_BIG;
	if (f->room < IP6_MIN_MTU)
		f->df = false;
	return R_NONE;
}

enum reason mode_fit(const struct tunnel_cfg *cfg, const struct mode_inner *in, struct mode_fit *f)
{
	if (in->in6 && cfg->pmtudisc)
		return fit_ip6(f);
	f->mtu = f->room;
	if (!in->in4 || !ip4_has_df(in->in4) || cfg->ignore_df || f->len <= f->room)
		return R_NONE;
	return R_TX_TOO_BIG;
}

bool mode_soft(const struct tunnel_cfg *cfg, u8 type, u8 code)
{
	if (be32_is_zero(cfg->remote))
		return false;
	if (type == ICMP4_T_UNREACH)
		return code != ICMP4_C_SRCROUTE && code != ICMP4_C_FRAG;
	return type == ICMP4_T_EXCEEDED && code == ICMP_C_TTL && cfg->ttl;
}
