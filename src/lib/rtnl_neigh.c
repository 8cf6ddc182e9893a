/* SPDX-License-Identifier: BSD-2-Clause */
/* Neighbour entries: RTM_GETNEIGH for one. */
#include "lib/rtnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

struct answer {
	u8 *lladdr;
	u32 len;
	int err;
};

int rtnl_neighbour_parse(const struct nlmsghdr *nlh, u8 *lladdr, u32 len)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;

	if (nlh->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm))
		return -EINVAL;
	if (ndm->ndm_state & (NUD_FAILED | NUD_INCOMPLETE))
		return -ENOENT;
	mnl_attr_for_each(a, nlh, sizeof(*ndm))
	{
		if (mnl_attr_get_type(a) != NDA_LLADDR || mnl_attr_get_payload_len(a) != len)
			continue;
		memcpy(lladdr, mnl_attr_get_payload(a), len);
		return 0;
	}
	return -ENOENT;
}

static void take_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct answer *x = arg;

	x->err = rtnl_neighbour_parse(nlh, x->lladdr, x->len);
}

static struct nlmsghdr *ask(void *buf, u32 ifindex, u8 family, const void *addr)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));

	nlh->nlmsg_type = RTM_GETNEIGH;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	ndm->ndm_family = family;
	ndm->ndm_ifindex = (int)ifindex;
	mnl_attr_put(nlh, NDA_DST, family == AF_INET ? 4 : 16, addr);
	return nlh;
}

int rtnl_neighbour_get(struct rtnl *r, u32 ifindex, u8 family, const void *addr, be32 *lladdr)
{
	struct answer x = {.lladdr = (u8 *)lladdr, .len = sizeof(*lladdr), .err = -ENOENT};
	char buf[256];
	int err = rtnl_request(r, ask(buf, ifindex, family, addr), take_answer, &x);

	return err ? err : x.err;
}

static void take_attr(const struct nlattr *a, struct rtnl_neigh *n)
{
	u32 len = mnl_attr_get_payload_len(a);

	if (mnl_attr_get_type(a) == NDA_DST && len == sizeof(n->addr))
		memcpy(&n->addr, mnl_attr_get_payload(a), sizeof(n->addr));
	if (mnl_attr_get_type(a) == NDA_LLADDR && len == sizeof(n->mac)) {
		memcpy(n->mac, mnl_attr_get_payload(a), sizeof(n->mac));
		n->has_mac = true;
	}
}

int rtnl_neigh_parse(const struct nlmsghdr *nlh, struct rtnl_neigh *n)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;

	if ((nlh->nlmsg_type != RTM_NEWNEIGH && nlh->nlmsg_type != RTM_DELNEIGH) ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm) || ndm->ndm_family != AF_INET)
		return -EINVAL;
	*n = (struct rtnl_neigh){.ifindex = (u32)ndm->ndm_ifindex};
	if (nlh->nlmsg_type == RTM_NEWNEIGH)
		n->state = ndm->ndm_state;
	mnl_attr_for_each(a, nlh, sizeof(*ndm)) take_attr(a, n);
	return 0;
}

static void take_neigh(const struct nlmsghdr *nlh, void *arg)
{
	struct rtnl_neigh n;

	if (rtnl_neigh_parse(nlh, &n) == 0)
		*(struct rtnl_neigh *)arg = n;
}

int rtnl_neigh_get(struct rtnl *r, u32 ifindex, be32 addr, struct rtnl_neigh *n)
{
	char buf[256];
	int err;

	*n = (struct rtnl_neigh){.ifindex = ifindex, .addr = addr};
	err = rtnl_request(r, ask(buf, ifindex, AF_INET, &addr), take_neigh, n);
	return err == -ENOENT ? 0 : err;
}
