/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices and addresses. */
#include "lib/rtnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

static u32 attr_u32(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) >= sizeof(u32) ? mnl_attr_get_u32(a) : 0;
}

static void attr_str(const struct nlattr *a, char *to, size_t size)
{
	size_t len = strnlen(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));

	len = min_of(len, size - 1);
	memcpy(to, mnl_attr_get_payload(a), len);
	to[len] = '\0';
}

static void parse_tun(const struct nlattr *nest, struct rtnl_link *l)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest) if (mnl_attr_get_type(a) == IFLA_TUN_GROUP) l->tun_group =
		attr_u32(a);
}

static void parse_linkinfo(const struct nlattr *nest, struct rtnl_link *l)
{
	const struct nlattr *a, *data = NULL;

	mnl_attr_for_each_nested(a, nest)
	{
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
			attr_str(a, l->kind, sizeof(l->kind));
		else if (mnl_attr_get_type(a) == IFLA_INFO_DATA)
			data = a;
	}
	if (data && !strcmp(l->kind, "tun"))
		parse_tun(data, l);
}

static void parse_attr(const struct nlattr *a, struct rtnl_link *l)
{
	switch (mnl_attr_get_type(a)) {
	case IFLA_IFNAME:
		attr_str(a, l->name, sizeof(l->name));
		break;
	case IFLA_MTU:
		l->mtu = attr_u32(a);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(a) == sizeof(l->mac))
			memcpy(l->mac, mnl_attr_get_payload(a), sizeof(l->mac));
		break;
	case IFLA_MASTER:
		l->master = attr_u32(a);
		break;
	case IFLA_TXQLEN:
		l->qlen = attr_u32(a);
		break;
	case IFLA_LINKINFO:
		parse_linkinfo(a, l);
		break;
	default:
		break;
	}
}

int rtnl_link_parse(const struct nlmsghdr *nlh, struct rtnl_link *l)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;

	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return -EINVAL;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi) || ifi->ifi_index <= 0)
		return -EINVAL;
	/* a bridge speaks of its ports in messages of its own: not of the device */
	if (ifi->ifi_family != AF_UNSPEC)
		return -EINVAL;
	*l = (struct rtnl_link){
		.ifindex = (u32)ifi->ifi_index,
		.type = ifi->ifi_type,
		.flags = ifi->ifi_flags,
		.gone = nlh->nlmsg_type == RTM_DELLINK,
	};
	mnl_attr_for_each(a, nlh, sizeof(*ifi)) parse_attr(a, l);
	return 0;
}

static struct nlmsghdr *link_request(void *buf, u16 type, u16 flags, u32 ifindex)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = (int)ifindex;
	return nlh;
}

static void one_link(const struct nlmsghdr *nlh, void *arg)
{
	rtnl_link_parse(nlh, arg);
}

int rtnl_link_get(struct rtnl *r, u32 ifindex, const char *name, struct rtnl_link *l)
{
	char buf[256];
	struct nlmsghdr *nlh = link_request(buf, RTM_GETLINK, 0, ifindex);

	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (!ifindex)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	*l = (struct rtnl_link){0};
	return rtnl_request(r, nlh, one_link, l);
}

struct link_walk {
	rtnl_link_fn *fn;
	void *arg;
};

static void walk_link(const struct nlmsghdr *nlh, void *arg)
{
	const struct link_walk *w = arg;
	struct rtnl_link l;

	if (rtnl_link_parse(nlh, &l) == 0)
		w->fn(&l, w->arg);
}

int rtnl_link_each(struct rtnl *r, rtnl_link_fn *fn, void *arg)
{
	struct link_walk w = {fn, arg};
	char buf[256];
	struct nlmsghdr *nlh = link_request(buf, RTM_GETLINK, NLM_F_DUMP, 0);

	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return rtnl_request(r, nlh, walk_link, &w);
}

int rtnl_link_set(struct rtnl *r, u32 ifindex, const struct rtnl_link_set *s)
{
	char buf[256];
	struct nlmsghdr *nlh = link_request(buf, RTM_NEWLINK, NLM_F_ACK, ifindex);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	ifi->ifi_change = s->flags_off | s->flags_on;
	ifi->ifi_flags = s->flags_on;
	if (s->mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, s->mtu);
	if (s->qlen)
		mnl_attr_put_u32(nlh, IFLA_TXQLEN, s->qlen);
	if (s->gso_segs)
		mnl_attr_put_u32(nlh, IFLA_GSO_MAX_SEGS, s->gso_segs);
	if (s->set_broadcast)
		mnl_attr_put_u32(nlh, IFLA_BROADCAST, s->broadcast.raw);
	if (s->rename)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, s->rename);
	return rtnl_request(r, nlh, NULL, NULL);
}

int rtnl_link_del(struct rtnl *r, u32 ifindex)
{
	char buf[256];

	return rtnl_request(r, link_request(buf, RTM_DELLINK, NLM_F_ACK, ifindex), NULL, NULL);
}

struct addr_walk {
	rtnl_addr_fn *fn;
	void *arg;
};

static void walk_addr(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct addr_walk *w = arg;
	const struct nlattr *a;

	if (nlh->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa))
		return;
	mnl_attr_for_each(a, nlh,
			  sizeof(*ifa)) if (mnl_attr_get_type(a) == IFA_LOCAL && attr_u32(a))
		w->fn((be32){attr_u32(a)}, ifa->ifa_index, w->arg);
}

int rtnl_addr_each(struct rtnl *r, rtnl_addr_fn *fn, void *arg)
{
	struct addr_walk w = {fn, arg};
	char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *ifa;

	nlh->nlmsg_type = RTM_GETADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = AF_INET;
	return rtnl_request(r, nlh, walk_addr, &w);
}
