/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/auto6.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/link.h"
#include "lib/log.h"
#include "model/modes.h"
#include "wire/isatap.h"

enum { LINK_BITS = 64, COMPAT_BITS = 96 };

void auto6_prepare(struct ns *ns, u32 ifindex)
{
	rtnl_addr6_no_auto(&ns->rtnl, ifindex);
}

static void add(const struct tunnel *t, const struct ip6_addr *addr, u8 prefix_len)
{
	struct rtnl_addr a = {
		.ifindex = t->link.ifindex,
		.prefix_len = prefix_len,
		.scope = prefix_len == LINK_BITS ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
	};
	int err;

	memcpy(a.addr, addr, sizeof(a.addr));
	err = rtnl_addr6_add(&t->place->rtnl, &a);
	/* it has it; or IPv6 is not for this device, or not there at all */
	if (err && err != -EEXIST && err != -EACCES && err != -EOPNOTSUPP && err != -ENODEV)
		log_info("%s: its IPv6 address cannot be set: %s", t->ifname, strerror(-err));
}

/* fe80::A.B.C.D with a remote (RFC 4213 3.7), else ::A.B.C.D (RFC 4291 2.5.5.1). */
static void add_v4(const struct tunnel *t, be32 local)
{
	bool point = !be32_is_zero(t->cfg.remote);
	struct ip6_addr a = {{be32_of(point ? 0xfe800000 : 0), {0}, {0}, local}};

	add(t, &a, point ? LINK_BITS : COMPAT_BITS);
}

static void add_isatap(const struct tunnel *t)
{
	struct ip6_addr a = {{be32_of(0xfe800000), {0}, {0}, {0}}};

	if (be32_is_zero(t->cfg.local))
		return;
	isatap_set_ident(&a, t->cfg.local);
	add(t, &a, LINK_BITS);
}

/* An address of some device, for a tunnel whose local is any. */
static void add_one(const struct tunnel *t, const struct rtnl_addr *a)
{
	const struct link *l = link_find(t->place, a->ifindex);
	be32 local;

	if (!l || !(l->l.flags & IFF_UP) || a->scope == RT_SCOPE_LINK ||
	    (a->scope >= RT_SCOPE_HOST && !be32_is_zero(t->cfg.remote)))
		return;
	memcpy(&local, a->addr, sizeof(local));
	add_v4(t, local);
}

/* The addresses are collected first: a request cannot be made within another. */
struct collected {
	struct rtnl_addr addr[64];
	u32 n;
};

static void collect(const struct rtnl_addr *a, void *arg)
{
	struct collected *c = arg;

	if (c->n < countof(c->addr))
		c->addr[c->n++] = *a;
}

static void add_all_v4(const struct tunnel *t)
{
	struct collected c = {.n = 0};

	if (rtnl_addr_dump(&t->place->rtnl, AF_INET, 0, collect, &c))
		return;
	for (u32 i = 0; i < c.n; i++)
		add_one(t, &c.addr[i]);
}

void auto6_up(const struct tunnel *t)
{
	switch (mode_info(t->cfg.mode)->auto6) {
	case AUTO6_V4:
		if (be32_is_zero(t->cfg.local))
			add_all_v4(t);
		else
			add_v4(t, t->cfg.local);
		break;
	case AUTO6_ISATAP:
		add_isatap(t);
		break;
	case AUTO6_POINT:
		if (!be32_is_zero(t->cfg.remote))
			add_isatap(t);
		break;
	}
}
