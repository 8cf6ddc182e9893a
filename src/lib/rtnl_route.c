/* SPDX-License-Identifier: BSD-2-Clause */
/* Route lookups: RTM_GETROUTE, and the device's MTU where the route has none. */
#include "lib/rtnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { USER_HZ = 100 }; /* unit of times in the kernel's answers */

static bool has(const struct nlattr *a, size_t len)
{
	return mnl_attr_get_payload_len(a) >= len;
}

static be32 attr_be32(const struct nlattr *a)
{
	return (be32){mnl_attr_get_u32(a)};
}

static void parse_metrics(const struct nlattr *nest, struct route *rt)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest)
	{
		if (!has(a, sizeof(u32)))
			continue;
		if (mnl_attr_get_type(a) == RTAX_MTU)
			rt->mtu = mnl_attr_get_u32(a);
		if (mnl_attr_get_type(a) == RTAX_LOCK)
			rt->mtu_locked = mnl_attr_get_u32(a) & (1U << RTAX_MTU);
	}
}

static void parse_cacheinfo(const struct nlattr *a, struct route *rt)
{
	const struct rta_cacheinfo *ci = mnl_attr_get_payload(a);

	if (has(a, sizeof(*ci)) && ci->rta_expires > 0)
		rt->expires_ms = (u32)min_of((u64)ci->rta_expires * (1000 / USER_HZ), (u64)~0U);
}

static void parse_attr(const struct nlattr *a, struct route *rt)
{
	switch (mnl_attr_get_type(a)) {
	case RTA_OIF:
		rt->oif = has(a, sizeof(u32)) ? mnl_attr_get_u32(a) : 0;
		break;
	case RTA_PREFSRC:
		rt->src = has(a, sizeof(u32)) ? attr_be32(a) : rt->src;
		break;
	case RTA_GATEWAY:
		rt->has_via = has(a, sizeof(u32));
		rt->via = rt->has_via ? attr_be32(a) : rt->via;
		break;
	case RTA_VIA: /* a gateway of another family */
		rt->via6 = true;
		break;
	case RTA_METRICS:
		parse_metrics(a, rt);
		break;
	case RTA_CACHEINFO:
		parse_cacheinfo(a, rt);
		break;
	default:
		break;
	}
}

int rtnl_route_parse(const struct nlmsghdr *nlh, struct route *rt)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;

	if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
		return -EINVAL;
	rt->type = rtm->rtm_type;
	mnl_attr_for_each(a, nlh, sizeof(*rtm)) parse_attr(a, rt);
	return 0;
}

static void route_answer(const struct nlmsghdr *nlh, void *arg)
{
	rtnl_route_parse(nlh, arg);
}

static void put_key(struct nlmsghdr *nlh, const struct route_key *key)
{
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = 32;
	rtm->rtm_tos = key->tos & 0xfc; /* ECN is none of routing's business */
	mnl_attr_put_u32(nlh, RTA_DST, key->dst.raw);
	if (!be32_is_zero(key->src)) {
		rtm->rtm_src_len = 32;
		mnl_attr_put_u32(nlh, RTA_SRC, key->src.raw);
	}
	if (key->oif)
		mnl_attr_put_u32(nlh, RTA_OIF, key->oif);
	if (key->mark)
		mnl_attr_put_u32(nlh, RTA_MARK, key->mark);
	/* the kernel takes no other protocol here, though its rules would */
	if (key->proto == IPPROTO_TCP || key->proto == IPPROTO_UDP || key->proto == IPPROTO_ICMP)
		mnl_attr_put_u8(nlh, RTA_IP_PROTO, key->proto);
}

/* Not the lookup's answer: the asking went wrong. */
static bool is_asking_error(int err)
{
	return err == -EAGAIN || err == -ENOBUFS || err == -EBADF || err == -EPIPE;
}

/* 0 with an answer in rt; rt->error may be set. */
static int lookup(struct rtnl *r, const struct route_key *key, struct route *rt)
{
	char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	int err;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	put_key(nlh, key);
	*rt = (struct route){.src = key->src, .via = key->dst};
	err = rtnl_request(r, nlh, route_answer, rt);
	if (is_asking_error(err))
		return err;
	rt->error = -err;
	return 0;
}

int rtnl_route_get(struct rtnl *r, const struct route_key *key, struct route *rt)
{
	struct rtnl_link l;
	int err = lookup(r, key, rt);

	if (err || rt->error)
		return err;
	if (!rt->mtu && rtnl_link_get(r, rt->oif, NULL, &l) == 0)
		rt->mtu = l.mtu;
	rt->mtu = min_of(rt->mtu, 65535U);
	return 0;
}

int rtnl_route6_parse(const struct nlmsghdr *nlh, struct route6 *rt)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;

	if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) ||
	    rtm->rtm_family != AF_INET6)
		return -EINVAL;
	rt->type = rtm->rtm_type;
	mnl_attr_for_each(a, nlh, sizeof(*rtm)) if (mnl_attr_get_type(a) == RTA_GATEWAY &&
						    has(a, sizeof(rt->next)))
		memcpy(rt->next, mnl_attr_get_payload(a), sizeof(rt->next));
	return 0;
}

static void route6_answer(const struct nlmsghdr *nlh, void *arg)
{
	rtnl_route6_parse(nlh, arg);
}

int rtnl_route6_get(struct rtnl *r, const u8 dst[16], u32 oif, struct route6 *rt)
{
	char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	int err;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	rtm->rtm_family = AF_INET6;
	rtm->rtm_dst_len = 128;
	mnl_attr_put(nlh, RTA_DST, 16, dst);
	if (oif)
		mnl_attr_put_u32(nlh, RTA_OIF, oif);
	*rt = (struct route6){0};
	memcpy(rt->next, dst, sizeof(rt->next));
	err = rtnl_request(r, nlh, route6_answer, rt);
	if (is_asking_error(err))
		return err;
	rt->error = -err;
	return 0;
}
