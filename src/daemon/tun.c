/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/tun.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/auto6.h"
#include "daemon/link.h"
#include "daemon/netns.h"
#include "daemon/priv.h"
#include "lib/log.h"
#include "mode/mode.h"
#include "model/modes.h"
#include "model/rules.h"

enum {
	TUN_QLEN = 1000,
	UNITS = 32768,	/* numbers that a template may have: the kernel's own bound */
	NAME_TRIES = 8, /* with others making devices at the same time */
};

#define MARK_BASE 0x40000000U /* groups from here on: nobody's */

/* The MTU of the device that the route to the remote leaves by; 0: not known. */
static u32 base_mtu(struct ns *ns, const struct tunnel_cfg *cfg)
{
	struct route_key key = {
		.dst = cfg->remote,
		.src = cfg->local,
		.oif = cfg->link,
		.mark = cfg->fwmark,
		.tos = cfg->tos & 0xfc,
	};
	struct route rt;
	struct rtnl_link l;

	if (!be32_is_zero(cfg->remote) && rtnl_route_get(&ns->rtnl, &key, &rt) == 0 && !rt.error &&
	    rtnl_link_get(&ns->rtnl, rt.oif, NULL, &l) == 0)
		return l.mtu;
	if (cfg->link && rtnl_link_get(&ns->rtnl, cfg->link, NULL, &l) == 0)
		return l.mtu;
	return 0;
}

u32 tun_default_mtu(struct ns *ns, const struct tunnel_cfg *cfg)
{
	return rules_mtu(cfg, mode_hlen(cfg), base_mtu(ns, cfg));
}

u32 tun_rebound_mtu(struct ns *ns, const struct tunnel_cfg *cfg, u32 mtu)
{
	return rules_mtu_rebound(cfg, mode_hlen(cfg), base_mtu(ns, cfg), mtu);
}

void tun_show_peer(struct ns *place, u32 ifindex, be32 remote)
{
	struct rtnl_link_set set = {.set_broadcast = true, .broadcast = remote};

	rtnl_link_set(&place->rtnl, ifindex, &set);
}

/* Whether name is the template's with some number, and which. */
static bool unit_of(const struct tunnel_cfg *cfg, const char *name, u32 *unit)
{
	char zero[TUNL_NAME_LEN], back[TUNL_NAME_LEN];
	size_t prefix = 0;

	rules_unit_name(cfg, 0, zero);
	while (zero[prefix] && zero[prefix] == name[prefix])
		prefix++;
	/* a 0 of the number may have matched; the number begins at a digit */
	for (size_t i = 0; i <= prefix; i++) {
		if (name[i] < '0' || name[i] > '9')
			continue;
		*unit = (u32)strtoul(name + i, NULL, 10);
		if (*unit < UNITS && rules_unit_name(cfg, *unit, back) && !strcmp(back, name))
			return true;
	}
	return false;
}

/* The lowest free number at or above first; UNITS: none. */
static u32 free_unit(struct ns *ns, const struct tunnel_cfg *cfg, u32 first)
{
	u8 *used = calloc(1, UNITS / 8);
	u32 unit;

	if (!used)
		return UNITS;
	htab_for_each (n, &ns->links) {
		if (unit_of(cfg, container_of(n, struct link, node)->l.name, &unit))
			used[unit / 8] |= (u8)(1U << unit % 8);
	}
	for (unit = first; unit < UNITS && used[unit / 8] & 1U << unit % 8;)
		unit++;
	free(used);
	return unit;
}

static int open_in(struct ns *ns, const struct priv_tun *want, int *queue, struct err *e)
{
	int err = netns_enter(ns);

	if (err)
		return err_set(e, -err, "the network namespace cannot be entered: %s",
			       strerror(-err));
	*queue = priv_tun_open(want, e);
	priv_leave();
	return *queue < 0 ? *queue : 0;
}

/* One attempt at a device of that name. */
static int make_named(struct ns *ns, const char *name, const struct tunnel_cfg *cfg, int *queue,
		      struct err *e)
{
	struct priv_tun want = {.create = true, .link_type = mode_info(cfg->mode)->link_type};

	memcpy(want.name, name, sizeof(want.name));
	return open_in(ns, &want, queue, e);
}

static int make_device(struct ns *ns, const struct tunnel_cfg *cfg, int *queue, struct err *e)
{
	u32 unit = rules_first_unit(cfg);
	char name[TUNL_NAME_LEN];
	struct rtnl_link there;
	int err;

	if (!rules_unit_name(cfg, 0, name)) {
		/* a TUN device of that name would be attached to, another type be refused as EINVAL
		 */
		if (rtnl_link_get(&ns->rtnl, 0, name, &there) == 0)
			return err_set(e, EEXIST, "%s", "");
		return make_named(ns, name, cfg, queue, e);
	}
	for (int i = 0; i < NAME_TRIES; i++) {
		links_sync(ns);
		if (ns->links_lost)
			links_reload(ns);
		unit = free_unit(ns, cfg, unit);
		if (unit == UNITS)
			return err_set(e, ENFILE, "no number is free for a name");
		rules_unit_name(cfg, unit, name);
		err = make_named(ns, name, cfg, queue, e);
		if (err != -EEXIST)
			return err;
		unit++;
	}
	return err_set(e, EEXIST, "%s", "");
}

static int dress(struct ns *ns, const struct tunnel_cfg *cfg, struct rtnl_link *made, struct err *e)
{
	struct rtnl_link_set set = {
		.flags_off = IFF_MULTICAST,
		.mtu = tun_default_mtu(ns, cfg),
		.qlen = TUN_QLEN,
	};
	int err = rtnl_link_get(&ns->rtnl, 0, made->name, made);

	if (!err)
		err = rtnl_link_set(&ns->rtnl, made->ifindex, &set);
	if (err)
		return err_set(e, -err, "the device cannot be set up: %s", strerror(-err));
	made->mtu = set.mtu;
	auto6_prepare(ns, made->ifindex);
	tun_show_peer(ns, made->ifindex, cfg->remote);
	return 0;
}

int tun_create(struct ns *ns, const struct tunnel_cfg *cfg, struct rtnl_link *made, int *queue,
	       struct err *e)
{
	int err = rules_name(cfg->name);

	if (err)
		return err_set(e, -err, "%s", "");
	err = make_device(ns, cfg, queue, e);
	if (err)
		return err;
	err = priv_tun_name(*queue, made->name);
	if (!err)
		err = dress(ns, cfg, made, e);
	if (err)
		close(*queue);
	return err;
}

u32 tun_mark(const struct ns_identity *home, u32 slot, u64 order)
{
	u64 words[] = {home->cookie ? home->cookie : home->ino, home->dev, slot, order};
	u64 h = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < countof(words); i++)
		h = (h ^ words[i]) * 0x100000001b3ULL ^ h >> 29;
	return MARK_BASE | (u32)(h ^ h >> 32) % MARK_BASE;
}

int tun_keep(int queue, u32 mark)
{
	return priv_tun_persist(queue, mark);
}

int tun_attach(struct ns *ns, const char *name, int *queue, struct err *e)
{
	struct priv_tun want = {.create = false};

	memcpy(want.name, name, sizeof(want.name));
	return open_in(ns, &want, queue, e);
}

int tun_carrier(int queue, bool on)
{
	int value = on;

	return ioctl(queue, TUNSETCARRIER, &value) ? -errno : 0;
}
