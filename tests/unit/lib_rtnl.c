/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading what the kernel says about devices and routes, true and torn. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "lib/rtnl.h"

static _Alignas(struct nlmsghdr) char buf[1024];

static struct nlmsghdr *message(u16 type, size_t extra, void **payload)
{
	struct nlmsghdr *nlh;

	memset(buf, 0, sizeof(buf));
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = type;
	*payload = mnl_nlmsg_put_extra_header(nlh, extra);
	return nlh;
}

static void t_route_with_learned_mtu(void **state)
{
	struct rta_cacheinfo ci = {.rta_expires = 250};
	struct nlattr *metrics;
	struct rtmsg *rtm;
	struct nlmsghdr *nlh = message(RTM_NEWROUTE, sizeof(*rtm), (void **)&rtm);
	struct route rt = {.via = be32_of(0x0a000002)};

	(void)state;
	rtm->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(nlh, RTA_OIF, 7);
	mnl_attr_put_u32(nlh, RTA_PREFSRC, be32_of(0x0a000001).raw);
	mnl_attr_put_u32(nlh, RTA_GATEWAY, be32_of(0x0a0000fe).raw);
	metrics = mnl_attr_nest_start(nlh, RTA_METRICS);
	mnl_attr_put_u32(nlh, RTAX_LOCK, 1U << RTAX_MTU);
	mnl_attr_put_u32(nlh, RTAX_MTU, 552);
	mnl_attr_nest_end(nlh, metrics);
	mnl_attr_put(nlh, RTA_CACHEINFO, sizeof(ci), &ci);
	assert_int_equal(rtnl_route_parse(nlh, &rt), 0);
	assert_int_equal(rt.type, RTN_UNICAST);
	assert_int_equal(rt.oif, 7);
	assert_int_equal(be32_host(rt.src), 0x0a000001);
	assert_int_equal(be32_host(rt.via), 0x0a0000fe);
	assert_true(rt.has_via);
	assert_int_equal(rt.mtu, 552);
	assert_true(rt.mtu_locked);
	assert_int_equal(rt.expires_ms, 2500);
}

static void t_route_by_ipv6_gateway(void **state)
{
	struct rtmsg *rtm;
	struct nlmsghdr *nlh = message(RTM_NEWROUTE, sizeof(*rtm), (void **)&rtm);
	struct route rt = {0};

	(void)state;
	mnl_attr_put(nlh, RTA_VIA, 18, buf);
	assert_int_equal(rtnl_route_parse(nlh, &rt), 0);
	assert_true(rt.via6);
	assert_false(rt.has_via);
}

/* Attributes shorter than their kind are as if not there. */
static void t_short_attributes(void **state)
{
	struct rtmsg *rtm;
	struct nlmsghdr *nlh = message(RTM_NEWROUTE, sizeof(*rtm), (void **)&rtm);
	struct route rt = {.via = be32_of(0x01020304)};

	(void)state;
	mnl_attr_put(nlh, RTA_OIF, 1, "x");
	mnl_attr_put(nlh, RTA_GATEWAY, 2, "xy");
	mnl_attr_put(nlh, RTA_CACHEINFO, 3, "xyz");
	mnl_attr_put(nlh, RTA_METRICS, 2, "zz");
	assert_int_equal(rtnl_route_parse(nlh, &rt), 0);
	assert_int_equal(rt.oif, 0);
	assert_int_equal(be32_host(rt.via), 0x01020304);
	assert_int_equal(rt.expires_ms, 0);
	nlh->nlmsg_len = NLMSG_HDRLEN + 2;
	assert_int_equal(rtnl_route_parse(nlh, &rt), -EINVAL);
}

static void t_link(void **state)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh = message(RTM_DELLINK, sizeof(*ifi), (void **)&ifi);
	struct nlattr *info;
	struct rtnl_link l;

	(void)state;
	ifi->ifi_index = 12;
	ifi->ifi_type = 768;
	ifi->ifi_flags = 1;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "a-name-of-more-than-15-bytes");
	mnl_attr_put_u32(nlh, IFLA_MTU, 1480);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "tun");
	mnl_attr_nest_end(nlh, info);
	assert_int_equal(rtnl_link_parse(nlh, &l), 0);
	assert_int_equal(l.ifindex, 12);
	assert_int_equal(l.type, 768);
	assert_int_equal(l.mtu, 1480);
	assert_true(l.gone);
	assert_string_equal(l.kind, "tun");
	assert_string_equal(l.name, "a-name-of-more-");
}

/* A bridge speaks of its ports as AF_BRIDGE: not about the device's existence. */
static void t_link_of_others(void **state)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh = message(RTM_DELLINK, sizeof(*ifi), (void **)&ifi);
	struct rtnl_link l;

	(void)state;
	ifi->ifi_index = 12;
	ifi->ifi_family = AF_BRIDGE;
	assert_int_equal(rtnl_link_parse(nlh, &l), -EINVAL);
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = 0;
	assert_int_equal(rtnl_link_parse(nlh, &l), -EINVAL);
	nlh->nlmsg_type = RTM_NEWROUTE;
	assert_int_equal(rtnl_link_parse(nlh, &l), -EINVAL);
}

/* The kernel itself: lo is there in every namespace, and 127.0.0.1 leads nowhere else. */
static void t_kernel_answers(void **state)
{
	struct route_key key = {.dst = be32_of(0x7f000001), .proto = 4};
	struct rtnl_link l;
	struct route rt;
	struct rtnl r;

	(void)state;
	assert_int_equal(rtnl_open(&r), 0);
	assert_int_equal(rtnl_link_get(&r, 0, "lo", &l), 0);
	assert_int_equal(l.ifindex, 1);
	assert_int_equal(rtnl_link_get(&r, 0, "no-such-device", &l), -ENODEV);
	assert_int_equal(rtnl_route_get(&r, &key, &rt), 0);
	if (!rt.error) { /* lo may be down */
		assert_int_equal(rt.type, RTN_LOCAL);
		assert_int_equal(rt.oif, 1);
		assert_true(rt.mtu <= 65535 && rt.mtu > 0);
	}
	rtnl_close(&r);
}

static void t_route6_gateway(void **state)
{
	static const u8 gateway[16] = {0xfe, 0x80, [8] = 2, [11] = 0x5e, [12] = 0xfe};
	struct rtmsg *rtm;
	struct nlmsghdr *nlh = message(RTM_NEWROUTE, sizeof(*rtm), (void **)&rtm);
	struct route6 rt = {.next = {0x20, 1}};

	(void)state;
	rtm->rtm_family = AF_INET6;
	rtm->rtm_type = RTN_UNICAST;
	assert_int_equal(rtnl_route6_parse(nlh, &rt), 0);
	assert_int_equal(rt.next[0], 0x20); /* none named: what was asked for */
	mnl_attr_put(nlh, RTA_GATEWAY, 4, gateway);
	assert_int_equal(rtnl_route6_parse(nlh, &rt), 0);
	assert_int_equal(rt.next[0], 0x20); /* too short to be one */
	mnl_attr_put(nlh, RTA_GATEWAY, sizeof(gateway), gateway);
	assert_int_equal(rtnl_route6_parse(nlh, &rt), 0);
	assert_memory_equal(rt.next, gateway, sizeof(gateway));
	assert_int_equal(rt.type, RTN_UNICAST);
	rtm->rtm_family = AF_INET;
	assert_int_equal(rtnl_route6_parse(nlh, &rt), -EINVAL);
}

static void t_addr6(void **state)
{
	static const u8 addr[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
	struct ifaddrmsg *ifa;
	struct nlmsghdr *nlh = message(RTM_NEWADDR, sizeof(*ifa), (void **)&ifa);
	struct rtnl_addr a;

	(void)state;
	*ifa = (struct ifaddrmsg){AF_INET6, 64, 0, RT_SCOPE_UNIVERSE, 7};
	assert_int_equal(rtnl_addr_parse(nlh, &a), -EINVAL); /* no address */
	mnl_attr_put(nlh, IFA_ADDRESS, 4, addr);
	assert_int_equal(rtnl_addr_parse(nlh, &a), -EINVAL); /* too short a one */
	mnl_attr_put(nlh, IFA_ADDRESS, sizeof(addr), addr);
	assert_int_equal(rtnl_addr_parse(nlh, &a), 0);
	assert_memory_equal(a.addr, addr, sizeof(addr));
	assert_int_equal(a.prefix_len, 64);
	assert_int_equal(a.ifindex, 7);
	nlh->nlmsg_type = RTM_NEWLINK;
	assert_int_equal(rtnl_addr_parse(nlh, &a), -EINVAL);
}

/* On a device with a peer the address is the local one, whichever is told first. */
static void t_addr_with_peer(void **state)
{
	struct ifaddrmsg *ifa;
	struct nlmsghdr *nlh = message(RTM_NEWADDR, sizeof(*ifa), (void **)&ifa);
	struct rtnl_addr a;

	(void)state;
	*ifa = (struct ifaddrmsg){AF_INET, 32, 0, RT_SCOPE_HOST, 7};
	mnl_attr_put_u32(nlh, IFA_ADDRESS, 1);
	mnl_attr_put_u32(nlh, IFA_LOCAL, 2);
	mnl_attr_put_u32(nlh, IFA_ADDRESS, 3);
	assert_int_equal(rtnl_addr_parse(nlh, &a), 0);
	assert_memory_equal(a.addr, &(u32){2}, sizeof(u32));
	assert_int_equal(a.scope, RT_SCOPE_HOST);
}

/* An address of the length asked for, and only of a neighbour that has one. */
static void t_neighbour(void **state)
{
	struct ndmsg *ndm;
	struct nlmsghdr *nlh = message(RTM_NEWNEIGH, sizeof(*ndm), (void **)&ndm);
	u8 lladdr[4] = {0};

	(void)state;
	ndm->ndm_state = NUD_PERMANENT;
	assert_int_equal(rtnl_neighbour_parse(nlh, lladdr, 4), -ENOENT);
	mnl_attr_put(nlh, NDA_LLADDR, 6, "abcdef");
	assert_int_equal(rtnl_neighbour_parse(nlh, lladdr, 4), -ENOENT);
	mnl_attr_put(nlh, NDA_LLADDR, 4, "abcd");
	assert_int_equal(rtnl_neighbour_parse(nlh, lladdr, 4), 0);
	assert_memory_equal(lladdr, "abcd", 4);
	ndm->ndm_state = NUD_FAILED;
	assert_int_equal(rtnl_neighbour_parse(nlh, lladdr, 4), -ENOENT);
	nlh->nlmsg_type = RTM_NEWLINK;
	assert_int_equal(rtnl_neighbour_parse(nlh, lladdr, 4), -EINVAL);
}

/* Of the kernel itself: the loopback device has ::1, and the way to it is known. */
static void t_kernel_ipv6(void **state)
{
	static const u8 loopback[16] = {[15] = 1};
	struct rtnl r;
	struct route6 rt;

	(void)state;
	assert_int_equal(rtnl_open(&r), 0);
	assert_int_equal(rtnl_route6_get(&r, loopback, 0, &rt), 0);
	if (!rt.error) {
		assert_memory_equal(rt.next, loopback, sizeof(loopback));
		assert_int_equal(rt.type, RTN_LOCAL);
	}
	assert_int_equal(rtnl_route6_get(&r, loopback, 0x7ffffff0, &rt), 0);
	assert_int_not_equal(rt.error, 0);
	rtnl_close(&r);
}

/* Of the kernel itself: nobody has no neighbour. */
static void t_kernel_neighbour(void **state)
{
	static const u8 nobody[4] = {192, 0, 2, 250};
	struct rtnl r;
	be32 lladdr;

	(void)state;
	assert_int_equal(rtnl_open(&r), 0);
	assert_int_equal(rtnl_neighbour_get(&r, 1, AF_INET, nobody, &lladdr), -ENOENT);
	rtnl_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_route6_gateway),
		cmocka_unit_test(t_addr6),
		cmocka_unit_test(t_addr_with_peer),
		cmocka_unit_test(t_kernel_ipv6),
		cmocka_unit_test(t_neighbour),
		cmocka_unit_test(t_kernel_neighbour),
		cmocka_unit_test(t_route_with_learned_mtu),
		cmocka_unit_test(t_route_by_ipv6_gateway),
		cmocka_unit_test(t_short_attributes),
		cmocka_unit_test(t_link),
		cmocka_unit_test(t_link_of_others),
		cmocka_unit_test(t_kernel_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
