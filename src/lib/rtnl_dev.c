/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving a device addresses and routes, and taking them away. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/rtnl.h"

static u32 addr_len(u8 family)
{
	return family == AF_INET ? 4 : 16;
}

int rtnl_addr_set(struct rtnl *r, const struct rtnl_dev_addr *a, bool there)
{
	char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	nlh->nlmsg_type = there ? RTM_NEWADDR : RTM_DELADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	if (there)
		nlh->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	ifa->ifa_family = a->family;
	ifa->ifa_index = a->ifindex;
	ifa->ifa_prefixlen = a->has_peer ? a->peer_len : a->len;
	ifa->ifa_flags = a->family == AF_INET6 ? IFA_F_NODAD : 0;
	mnl_attr_put(nlh, IFA_LOCAL, addr_len(a->family), a->addr);
	mnl_attr_put(nlh, IFA_ADDRESS, addr_len(a->family), a->has_peer ? a->peer : a->addr);
	return rtnl_request(r, nlh, NULL, NULL);
}

static void put_route(struct nlmsghdr *nlh, const struct rtnl_dev_route *rt)
{
	u32 len = addr_len(rt->family);

	if (rt->len)
		mnl_attr_put(nlh, RTA_DST, len, rt->dst);
	mnl_attr_put_u32(nlh, RTA_OIF, rt->ifindex);
	if (rt->has_via)
		mnl_attr_put(nlh, RTA_GATEWAY, len, rt->via);
	if (rt->has_src)
		mnl_attr_put(nlh, RTA_PREFSRC, len, rt->src);
	if (rt->metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, rt->metric);
	if (rt->table)
		mnl_attr_put_u32(nlh, RTA_TABLE, rt->table);
}

int rtnl_route_set(struct rtnl *r, const struct rtnl_dev_route *rt, bool there)
{
	char buf[512];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	nlh->nlmsg_type = there ? RTM_NEWROUTE : RTM_DELROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	if (there)
		nlh->nlmsg_flags |= NLM_F_CREATE | NLM_F_REPLACE;
	rtm->rtm_family = rt->family;
	rtm->rtm_dst_len = rt->len;
	rtm->rtm_table = rt->table && rt->table < 256 ? (u8)rt->table : RT_TABLE_MAIN;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_scope = there ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE;
	if (there) {
		rtm->rtm_protocol = RTPROT_STATIC;
		rtm->rtm_flags = rt->onlink ? RTNH_F_ONLINK : 0;
		if (!rt->has_via && rt->family == AF_INET)
			rtm->rtm_scope = RT_SCOPE_LINK;
	}
	put_route(nlh, rt);
	return rtnl_request(r, nlh, NULL, NULL);
}
