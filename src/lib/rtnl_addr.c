/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of devices: reading those of both families, adding IPv6 ones. */
#include "lib/rtnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static size_t family_len(u8 family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

int rtnl_addr_parse(const struct nlmsghdr *nlh, struct rtnl_addr *a)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const void *own = NULL;
	const struct nlattr *at;
	size_t len;

	if ((nlh->nlmsg_type != RTM_NEWADDR && nlh->nlmsg_type != RTM_DELADDR) ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa))
		return -EINVAL;
	len = family_len(ifa->ifa_family);
	*a = (struct rtnl_addr){
		.ifindex = ifa->ifa_index,
		.family = ifa->ifa_family,
		.prefix_len = ifa->ifa_prefixlen,
		.scope = ifa->ifa_scope,
	};
	mnl_attr_for_each(at, nlh, sizeof(*ifa))
	{
		u16 type = mnl_attr_get_type(at);

		/* where both are there, IFA_ADDRESS is the peer's */
		if (len && mnl_attr_get_payload_len(at) == len &&
		    (type == IFA_LOCAL || (type == IFA_ADDRESS && !own)))
			own = mnl_attr_get_payload(at);
	}
	if (!own)
		return -EINVAL;
	memcpy(a->addr, own, len);
	return 0;
}

struct walk {
	rtnl_addr_full_fn *fn;
	void *arg;
	u32 ifindex;
};

static void walk_addr(const struct nlmsghdr *nlh, void *arg)
{
	const struct walk *w = arg;
	struct rtnl_addr a;

	if (rtnl_addr_parse(nlh, &a) == 0 && (!w->ifindex || w->ifindex == a.ifindex))
		w->fn(&a, w->arg);
}

static struct ifaddrmsg *addr_request(void *buf, u16 type, u16 flags, u8 family)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	ifa->ifa_family = family;
	return ifa;
}

int rtnl_addr_dump(struct rtnl *r, u8 family, u32 ifindex, rtnl_addr_full_fn *fn, void *arg)
{
	struct walk w = {fn, arg, ifindex};
	char buf[256];

	addr_request(buf, RTM_GETADDR, NLM_F_DUMP, family);
	return rtnl_request(r, (struct nlmsghdr *)buf, walk_addr, &w);
}

int rtnl_addr6_add(struct rtnl *r, const struct rtnl_addr *a)
{
	char buf[256];
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	struct ifaddrmsg *ifa =
		addr_request(buf, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, AF_INET6);

	ifa->ifa_index = a->ifindex;
	ifa->ifa_prefixlen = a->prefix_len;
	ifa->ifa_scope = a->scope;
	ifa->ifa_flags = IFA_F_PERMANENT | IFA_F_NODAD;
	mnl_attr_put(nlh, IFA_LOCAL, sizeof(a->addr), a->addr);
	return rtnl_request(r, nlh, NULL, NULL);
}

int rtnl_addr6_no_auto(struct rtnl *r, u32 ifindex)
{
	char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	struct nlattr *spec, *inet6;

	nlh->nlmsg_type = RTM_NEWLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	ifi->ifi_index = (int)ifindex;
	spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(nlh, AF_INET6);
	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, spec);
	return rtnl_request(r, nlh, NULL, NULL);
}
