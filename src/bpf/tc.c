/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters by libbpf's calls. Whether the clsact qdisc of a device is our making
 * has to outlive this process: the filter's handle says it. The dump of what
 * else hangs on a clsact is the one thing that libbpf does not offer.
 */
#include "bpf/tc.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <bpf/libbpf.h>
#include <libmnl/libmnl.h>

/* Priority and handles of our own: "tl". */
enum {
	TC_PRIORITY = 0x746c,
	TC_HANDLE_GUEST = 0x746c01, /* clsact was there before us */
	TC_HANDLE_OWNER = 0x746c02, /* we made it */
};

static enum bpf_tc_attach_point point_of(enum tc_side side)
{
	return side == TC_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

/* The program under one of our handles; 0: none. */
static u32 query_handle(u32 ifindex, enum tc_side side, u32 handle)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point_of(side));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = handle, .priority = TC_PRIORITY);

	return bpf_tc_query(&hook, &opts) ? 0 : opts.prog_id;
}

u32 tc_query(u32 ifindex, enum tc_side side)
{
	u32 id = query_handle(ifindex, side, TC_HANDLE_OWNER);

	return id ? id : query_handle(ifindex, side, TC_HANDLE_GUEST);
}

static bool is_owner(u32 ifindex)
{
	return query_handle(ifindex, TC_INGRESS, TC_HANDLE_OWNER) ||
	       query_handle(ifindex, TC_EGRESS, TC_HANDLE_OWNER);
}

int tc_attach(u32 ifindex, enum tc_side side, int prog_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd, .priority = TC_PRIORITY,
		    .flags = BPF_TC_F_REPLACE);
	int r = bpf_tc_hook_create(&hook);

	if (r && r != -EEXIST)
		return r == -EINVAL ? -ENODEV : r;
	opts.handle = !r || is_owner(ifindex) ? TC_HANDLE_OWNER : TC_HANDLE_GUEST;
	hook.attach_point = point_of(side);
	return bpf_tc_attach(&hook, &opts);
}

static void remove_filter(u32 ifindex, enum tc_side side, u32 handle)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point_of(side));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = handle, .priority = TC_PRIORITY);

	if (query_handle(ifindex, side, handle))
		bpf_tc_detach(&hook, &opts);
}

static int count_one(const struct nlmsghdr *nlh, void *data)
{
	if (nlh->nlmsg_type == RTM_NEWTFILTER)
		++*(u32 *)data;
	return MNL_CB_OK;
}

static int dump_filters(struct mnl_socket *nl, u32 ifindex, u32 parent, u32 *count)
{
	char buf[32768];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct tcmsg *tc = mnl_nlmsg_put_extra_header(nlh, sizeof(*tc));
	u32 seq = (u32)time(0), port = mnl_socket_get_portid(nl);
	int r = MNL_CB_OK;

	nlh->nlmsg_type = RTM_GETTFILTER;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = seq;
	tc->tcm_family = AF_UNSPEC;
	tc->tcm_ifindex = (int)ifindex;
	tc->tcm_parent = parent;
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (r > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));

		if (n < 0)
			return -errno;
		r = mnl_cb_run(buf, (size_t)n, seq, port, count_one, count);
	}
	return r < 0 ? -errno : 0;
}

/* Filters of anybody on a device's clsact; -errno when that cannot be told. */
static int count_filters(u32 ifindex, u32 *count)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int r;

	*count = 0;
	if (!nl)
		return -errno;
	r = mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) ? -errno : 0;
	if (!r)
		r = dump_filters(nl, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), count);
	if (!r)
		r = dump_filters(nl, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS), count);
	mnl_socket_close(nl);
	return r;
}

void tc_detach(u32 ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	bool owner = is_owner(ifindex);
	u32 others;

	remove_filter(ifindex, TC_INGRESS, TC_HANDLE_OWNER);
	remove_filter(ifindex, TC_INGRESS, TC_HANDLE_GUEST);
	remove_filter(ifindex, TC_EGRESS, TC_HANDLE_OWNER);
	remove_filter(ifindex, TC_EGRESS, TC_HANDLE_GUEST);
	if (owner && !count_filters(ifindex, &others) && others == 0)
		bpf_tc_hook_destroy(&hook);
}

int tc_explain(struct err *e, u32 ifindex, int code)
{
	if (code == ENOENT || code == EOPNOTSUPP)
		return err_set(e, code,
			       "no BPF program can be put on device %u: the kernel has no clsact "
			       "(CONFIG_NET_SCH_INGRESS, CONFIG_NET_CLS_BPF; modules sch_ingress, "
			       "cls_bpf)",
			       ifindex);
	if (code == EPERM)
		return err_set(e, code,
			       "no BPF program may be put on device %u: tunld needs CAP_NET_ADMIN "
			       "in its namespace",
			       ifindex);
	return err_set(e, code, "no BPF program can be put on device %u: %s", ifindex,
		       strerror(code));
}
