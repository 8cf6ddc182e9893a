/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/rules.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "wire/ip4.h"

/* The device's class (spec cli 4.5): what a change may not alter. */
enum { CLASS_POINT = 1, CLASS_BROADCAST = 2 };

static bool proto_is_driver(const struct mode_info *m, u8 proto)
{
	switch (m->driver) {
	case MODE_IPIP:
		return proto == PROTO_IPIP || proto == PROTO_ANY || proto == PROTO_MPLS;
	case MODE_SIT:
		return proto == PROTO_IPV6 || proto == PROTO_IPIP || proto == PROTO_ANY ||
		       proto == PROTO_MPLS;
	case MODE_GRE:
	case MODE_VTI:
		return proto == m->proto;
	case MODE_NONE:
	case MODE_ISATAP:
	case MODE__MAX:
		break;
	}
	return false;
}

int rules_adopt(const struct tunnel_cfg *old, struct tunnel_cfg *want, struct err *e)
{
	const struct mode_info *m = mode_info(old->mode);

	if (!m || !proto_is_driver(m, want->proto))
		return err_set(e, EINVAL, "the mode of a tunnel cannot be changed");
	want->mode = old->mode;
	return 0;
}

static void drop_what_is_not_used(struct tunnel_cfg *cfg, const struct mode_info *m)
{
	u16 keep = TUNL_F_KEY;

	if (m->has_flags)
		keep |= TUNL_F_CSUM | TUNL_F_SEQ;
	if (m->driver == MODE_IPIP)
		keep = 0;
	cfg->iflags &= keep;
	cfg->oflags &= keep;
	if (!(cfg->iflags & TUNL_F_KEY))
		cfg->ikey = be32_of(0);
	if (!(cfg->oflags & TUNL_F_KEY))
		cfg->okey = be32_of(0);
	if (!m->has_6rd)
		memset(&cfg->sixrd, 0, sizeof(cfg->sixrd));
}

int rules_accept(struct tunnel_cfg *cfg, struct err *e)
{
	const struct mode_info *m = mode_info(cfg->mode);

	if (!m)
		return err_set(e, EINVAL, "the request names no mode");
	if (!proto_is_driver(m, cfg->proto))
		return err_set(e, EINVAL, "mode %s does not carry protocol %u", m->word,
			       cfg->proto);
	drop_what_is_not_used(cfg, m);
	if (cfg->ignore_df && (!m->has_flags || cfg->pmtudisc))
		return err_set(e, EINVAL, "ignore-df needs mode gre and nopmtudisc");
	if (cfg->peers.n && !be32_is_zero(cfg->remote))
		return err_set(e, EINVAL,
			       "peers are of tunnels without remote: this one takes packets of its "
			       "remote alone");
	if (cfg->keep_s && (be32_is_zero(cfg->remote) || ip4_is_multicast(cfg->remote)))
		return err_set(e, EINVAL, "keepalive needs a remote, which is asked: a host's");
	if (m->has_6rd && !sixrd_is_valid(&cfg->sixrd))
		return err_set(e, EINVAL, "the 6rd prefix is too long or has host bits set");
	return 0;
}

int rules_name(const char *name)
{
	const char *percent = strchr(name, '%');

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return -E2BIG;
	/* net.ipv4.conf.NAME: these two are the kernel's own */
	if (!strcmp(name, "all") || !strcmp(name, "default"))
		return -EINVAL;
	for (const char *p = name; *p; p++)
		if (*p == '/' || *p == ':' || isspace((unsigned char)*p))
			return -E2BIG;
	if (percent && (percent[1] != 'd' || strchr(percent + 1, '%')))
		return -EINVAL;
	return 0;
}

bool rules_unit_name(const struct tunnel_cfg *cfg, u32 n, char out[static TUNL_NAME_LEN])
{
	const struct mode_info *m = mode_info(cfg->mode);
	const char *name = cfg->name[0] || !m ? cfg->name : m->template;
	const char *percent = strchr(name, '%');

	if (!percent) {
		memmove(out, name, strnlen(name, TUNL_NAME_LEN - 1) + 1);
		return false;
	}
	snprintf(out, TUNL_NAME_LEN, "%.*s%u%s", (int)(percent - name), name, n, percent + 2);
	return true;
}

u32 rules_first_unit(const struct tunnel_cfg *cfg)
{
	char name[TUNL_NAME_LEN];

	return rules_unit_name(cfg, 0, name) && mode_is_fallback_name(name);
}

static bool same_input_key(const struct tunnel_cfg *a, const struct tunnel_cfg *b)
{
	bool keyed = a->iflags & TUNL_F_KEY;

	if (keyed != !!(b->iflags & TUNL_F_KEY))
		return false;
	return !keyed || be32_eq(a->ikey, b->ikey);
}

bool rules_same(const struct tunnel_cfg *a, const struct tunnel_cfg *b)
{
	const struct mode_info *ma = mode_info(a->mode), *mb = mode_info(b->mode);

	if (!ma || !mb || ma->driver != mb->driver)
		return false;
	if (!be32_eq(a->local, b->local) || !be32_eq(a->remote, b->remote) || a->link != b->link)
		return false;
	return ma->driver != MODE_GRE || same_input_key(a, b);
}

u64 rules_hash(const struct tunnel_cfg *cfg)
{
	const struct mode_info *m = mode_info(cfg->mode);
	u64 h = (u64)cfg->remote.raw << 32 | cfg->local.raw;

	h ^= (u64)cfg->link << 16 ^ (u64)(m ? m->driver : 0) << 56;
	if (!m || m->driver != MODE_GRE || !(cfg->iflags & TUNL_F_KEY))
		return h;
	return h ^ (cfg->ikey.raw + 1ULL) * 0x9e3779b97f4a7c15ULL;
}

bool rules_is_fallback(const struct tunnel_cfg *cfg)
{
	struct tunnel_cfg none = {.mode = cfg->mode};

	return rules_same(cfg, &none);
}

int rules_add_errno(enum mode_id mode, int err)
{
	const struct mode_info *m = mode_info(mode);

	if (m && m->driver == MODE_SIT && (err == EEXIST || err == EINVAL || err == E2BIG))
		return ENOBUFS;
	return err;
}

/* What the device is, by its tunnel as it was made. */
static u32 class_of_device(const struct tunnel_cfg *cfg)
{
	u32 class = be32_is_zero(cfg->remote) ? 0 : CLASS_POINT;

	if (cfg->mode == MODE_GRE && ip4_is_multicast(cfg->remote))
		class |= CLASS_BROADCAST;
	return class;
}

/* What the new endpoints would need it to be. To sit a group is a remote like others. */
static u32 class_wanted(const struct tunnel_cfg *cfg)
{
	if (ip4_is_multicast(cfg->remote) && mode_info(cfg->mode)->driver != MODE_SIT)
		return CLASS_BROADCAST;
	return be32_is_zero(cfg->remote) ? 0 : CLASS_POINT;
}

static void take_what_may_change(struct tunnel_cfg *out, const struct tunnel_cfg *want)
{
	const struct mode_info *m = mode_info(out->mode);

	out->local = want->local;
	out->remote = want->remote;
	out->ttl = want->ttl;
	out->tos = want->tos;
	out->pmtudisc = want->pmtudisc;
	out->ignore_df = want->ignore_df;
	out->link = want->link;
	memcpy(out->dev, want->dev, sizeof(out->dev));
	out->fwmark = want->fwmark;
	out->datapath = want->datapath;
	out->mss = want->mss;
	out->keep_s = want->keep_s;
	out->keep_n = want->keep_n;
	out->peers = want->peers;
	if (!m->has_keys)
		return;
	out->ikey = want->ikey;
	out->okey = want->okey;
	out->iflags = want->iflags;
	out->oflags = want->oflags;
	drop_what_is_not_used(out, m);
}

int rules_change(const struct tunnel_cfg *old, const struct tunnel_cfg *want,
		 struct tunnel_cfg *out, struct err *e)
{
	const struct mode_info *mo = mode_info(old->mode), *mw = mode_info(want->mode);
	struct tunnel_cfg next = *old;

	if (!mo || !mw || mo->driver != mw->driver)
		return err_set(e, EINVAL, "the mode of a tunnel cannot be changed");
	if (!rules_same(old, want) && class_of_device(old) != class_wanted(want))
		return err_set(e, EINVAL,
			       "a tunnel with a remote keeps one, and its kind; "
			       "one without stays without: delete it and add it anew");
	take_what_may_change(&next, want);
	*out = next;
	return 0;
}

u32 rules_mtu(const struct tunnel_cfg *cfg, u32 hlen, u32 base)
{
	const struct mode_info *m = mode_info(cfg->mode);
	u32 header = IP4_HLEN + hlen;

	if (!base)
		base = m->driver == MODE_SIT ? 1480 + header : 1500;
	if (m->driver != MODE_SIT)
		base = min_of(base, (u32)IP4_MAX_LEN);
	if (base < header)
		return m->mtu_min;
	return max_of(m->mtu_min, base - header);
}

u32 rules_mtu_rebound(const struct tunnel_cfg *cfg, u32 hlen, u32 base, u32 mtu)
{
	return base || mode_info(cfg->mode)->driver != MODE_SIT ? rules_mtu(cfg, hlen, base) : mtu;
}

u32 rules_mtu_max(const struct tunnel_cfg *cfg, u32 hlen)
{
	return mode_info(cfg->mode)->mtu_max - hlen;
}

u32 rules_mtu_min(const struct tunnel_cfg *cfg)
{
	return mode_info(cfg->mode)->mtu_min;
}
