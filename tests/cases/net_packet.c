/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets into the namespace of net.h and out of it. */
#include <errno.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net.h"
#include "runner.h"
#include "wire/eth.h"
#include "wire/gre.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum { NET_PACKET = 70000 };

int net_arrive(struct net_tap *t, u16 ethertype, const void *data, u32 len)
{
	u8 head[ETH_LEN] = {[6] = 2, [11] = 1, [12] = (u8)(ethertype >> 8), [13] = (u8)ethertype};
	struct iovec iov[] = {{head, sizeof(head)}, {(void *)data, len}};
	const u8 *h = data;

	memcpy(head, t->mac, sizeof(t->mac));
	/* a group's packet has the group's address */
	if (ethertype == ETYPE_IP4 && len >= IP4_HLEN && h[16] >> 4 == 0xe) {
		const u8 group[] = {1, 0, 0x5e, h[17] & 0x7f, h[18], h[19]};

		memcpy(head, group, sizeof(group));
	}
	return writev(t->fd, iov, 2) < 0 ? -errno : 0;
}

/* By a raw socket: with a route, hence with errors to its sender. */
static int send_raw(const struct net *n, u32 ifindex, const struct net_packet *p)
{
	_Alignas(struct cmsghdr) u8 control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {0};
	bool v6 = p->ethertype == ETYPE_IP6;
	struct sockaddr_in to4 = {.sin_family = AF_INET};
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_scope_id = ifindex};
	struct in_pktinfo info4 = {.ipi_ifindex = (int)ifindex};
	/* some address of this host's, so that none is chosen: there may be none that fits */
	struct in6_pktinfo info6 = {.ipi6_addr.s6_addr = {0x20, 0x01, 0x0d, 0xb8, [15] = 1},
				    .ipi6_ifindex = ifindex};
	struct iovec iov = {(void *)p->data, p->len};
	struct msghdr m = {
		.msg_name = v6 ? (void *)&to6 : &to4,
		.msg_namelen = v6 ? sizeof(to6) : sizeof(to4),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = v6 ? CMSG_SPACE(sizeof(info6)) : CMSG_SPACE(sizeof(info4)),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	c->cmsg_type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
	c->cmsg_len = v6 ? CMSG_LEN(sizeof(info6)) : CMSG_LEN(sizeof(info4));
	memcpy(CMSG_DATA(c), v6 ? (void *)&info6 : &info4, v6 ? sizeof(info6) : sizeof(info4));
	memcpy(&to4.sin_addr, p->data + 16, 4);
	memcpy(&to6.sin6_addr, p->data + 24, v6 ? 16 : 0);
	return sendmsg(v6 ? n->raw6 : n->raw4, &m, 0) < 0 ? -errno : 0;
}

/* By a packet socket: as it is, and nobody knows where it came from. */
static int send_link(const struct net *n, u32 ifindex, const struct net_packet *p)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(p->ethertype),
		.sll_ifindex = (int)ifindex,
	};
	struct virtio_net_hdr none = {0};
	struct iovec iov[] = {{p->vnet ? (void *)p->vnet : &none, sizeof(none)},
			      {(void *)p->data, p->len}};
	struct msghdr m = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = iov, .msg_iovlen = 2};

	return sendmsg(n->link, &m, 0) < 0 ? -errno : 0;
}

/* Whether a raw socket sends it as it is: it fills in what is wrong or missing. */
bool net_is_routed(const struct net_packet *p)
{
	const struct ip4 *h = (const void *)p->data;
	const u8 *dst = p->data + 16;

	if (p->vnet && (p->vnet->flags || p->vnet->gso_type))
		return false;
	if (p->ethertype == ETYPE_IP6)
		return p->len >= IP6_HLEN && p->data[0] >> 4 == 6;
	if (p->ethertype != ETYPE_IP4 || p->len < IP4_HLEN || h->ver_ihl >> 4 != 4 ||
	    (h->ver_ihl & 15) < 5 || (h->ver_ihl & 15) * 4U > p->len || be16_host(h->len) != p->len)
		return false;
	if (csum_fold(csum_add(0, p->data, (h->ver_ihl & 15) * 4U)) != 0xffff ||
	    be32_is_zero(h->src) || !dst[0])
		return false;
	return h->id.raw || be16_host(h->frag) & IP4_DF;
}

int net_send(struct net *n, u32 ifindex, const struct net_packet *p)
{
	return net_is_routed(p) ? send_raw(n, ifindex, p) : send_link(n, ifindex, p);
}

static bool is_error4(const u8 *d, u32 len)
{
	u32 ihl = (d[0] & 15) * 4U;

	return len > ihl && d[9] == PROTO_ICMP &&
	       (d[ihl] == 3 || d[ihl] == 5 || d[ihl] == 11 || d[ihl] == 12);
}

static bool is_error6(const u8 *d, u32 len)
{
	return len > IP6_HLEN && d[6] == PROTO_ICMPV6 && d[IP6_HLEN] < 128;
}

/* What IPv6 says by itself on a device that comes up. */
static bool is_noise6(const u8 *d, u32 len)
{
	return len >= IP6_HLEN && d[0] >> 4 == 6 && d[6] == 0 && d[24] == 0xff;
}

/* The same inside of what a tunnel sends. */
static bool is_noise_inside(const u8 *d, u32 len)
{
	u32 at = (d[0] & 15) * 4U;

	if (d[9] == PROTO_GRE && len >= at + GRE_HLEN)
		at += gre_hlen((u16)(d[at] << 8));
	return len > at && (d[9] == PROTO_IPV6 || d[9] == PROTO_GRE) && is_noise6(d + at, len - at);
}

/* A packet by a wire or by lo. */
static unsigned outer(u16 ethertype, const u8 *d, u32 len, bool is_lo, net_output_fn *output)
{
	bool v6 = ethertype == ETYPE_IP6;
	bool is_error;

	if ((!v6 && ethertype != ETYPE_IP4) || len < (v6 ? IP6_HLEN : IP4_HLEN))
		return 0;
	is_error = v6 ? is_error6(d, len) : is_error4(d, len);
	if (is_error)
		output(CASE_ICMP, 0, d, len);
	else if (v6 || d[9] == 2 || is_noise_inside(d, len) ||
		 (is_lo && d[9] != PROTO_IPIP && d[9] != PROTO_IPV6 && d[9] != PROTO_GRE &&
		  d[9] != PROTO_MPLS))
		return 0; /* of this host's own: groups it joined, what it says to itself */
	else
		output(CASE_WIRE, 0, d, len);
	return 1;
}

static unsigned drain_tap(struct net_tap *t, u8 *buf, net_output_fn *output)
{
	unsigned count = 0;
	ssize_t got;

	while ((got = read(t->fd, buf, NET_PACKET)) > ETH_LEN)
		count += outer((u16)(buf[12] << 8 | buf[13]), buf + ETH_LEN, (u32)got - ETH_LEN,
			       false, output);
	return count;
}

static ssize_t take(int fd, u8 *buf, struct sockaddr_ll *from)
{
	socklen_t size = sizeof(*from);

	return recvfrom(fd, buf, NET_PACKET, MSG_DONTWAIT, (struct sockaddr *)from, &size);
}

static unsigned drain_tunnel(struct net *n, unsigned i, u8 *buf, net_output_fn *output)
{
	struct sockaddr_ll from;
	unsigned count = 0;
	ssize_t got;

	while ((got = take(n->tunnel[i].fd, buf, &from)) >= 0) {
		if (from.sll_pkttype == PACKET_OUTGOING || is_noise6(buf, (u32)got))
			continue;
		output(CASE_TUN, i, buf, (u32)got);
		count++;
	}
	return count;
}

unsigned net_drain(struct net *n, net_output_fn *output)
{
	static u8 buf[NET_PACKET];
	struct sockaddr_ll from;
	unsigned count = 0;
	ssize_t got;

	for (unsigned i = 0; i < n->ntaps; i++)
		count += drain_tap(&n->tap[i], buf, output);
	for (unsigned i = 0; i < NET_TUNNELS; i++)
		if (n->tunnel[i].ifindex)
			count += drain_tunnel(n, i, buf, output);
	while ((got = take(n->lo, buf, &from)) >= 0)
		if (from.sll_pkttype != PACKET_OUTGOING)
			count += outer(ntohs(from.sll_protocol), buf, (u32)got, true, output);
	return count;
}
