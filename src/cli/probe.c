/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/probe.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wire/csum.h"
#include "wire/icmp.h"
#include "wire/ip4.h"

enum { SMALL = 64, LARGEST = 9216, HEARD = 2048 };

int probe_open(struct probe *p)
{
	*p = (struct probe){.in6 = -1, .id = (u16)getpid()};
	p->in = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);
	if (p->in < 0)
		return -errno;
	p->in6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	return 0;
}

void probe_close(struct probe *p)
{
	if (p->in >= 0)
		close(p->in);
	if (p->in6 >= 0)
		close(p->in6);
	p->in = p->in6 = -1;
}

static u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
}

/* A socket that sends as asked, and hears nothing of worth. -errno. */
static int out_socket(const struct echo_ask *a)
{
	int how = a->df ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT;
	struct sockaddr_in src = {.sin_family = AF_INET, .sin_addr = {a->src.raw}};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP), err;

	if (fd < 0)
		return -errno;
	if (!setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &how, sizeof(how)) &&
	    (!a->dev ||
	     !setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, a->dev, (socklen_t)strlen(a->dev))) &&
	    (!a->src.raw || !bind(fd, (struct sockaddr *)&src, sizeof(src))))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int send_echo(struct probe *p, const struct echo_ask *a)
{
	static u8 packet[LARGEST];
	struct icmp_hdr *h = (struct icmp_hdr *)packet;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {a->dst.raw}};
	u32 len = min_of(max_of(a->len, (u32)SMALL), (u32)LARGEST) - IP4_HLEN;
	int fd = out_socket(a), err = 0;

	if (fd < 0)
		return fd;
	memset(packet, 0, len);
	h->type = ICMP4_T_ECHO;
	h->u.echo.id = be16_of(p->id);
	h->u.echo.seq = be16_of(++p->seq);
	h->check = csum_finish(csum_add(0, packet, len));
	if (sendto(fd, packet, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Whether what an error quotes is our echo, or of the protocol asked for. */
static bool is_quoted(const struct probe *p, const struct echo_ask *a, struct cur c)
{
	const struct ip4 *ip = cur_take(&c, IP4_HLEN);
	const struct icmp_hdr *h;

	if (!ip || ip4_hlen(ip) < IP4_HLEN || !cur_take(&c, ip4_hlen(ip) - IP4_HLEN))
		return false;
	if (a->proto)
		return ip->proto == a->proto && be32_eq(ip->dst, a->outer);
	h = cur_take(&c, ICMP_HLEN);
	return h && ip->proto == PROTO_ICMP && be32_eq(ip->dst, a->dst) &&
	       be16_host(h->u.echo.id) == p->id && be16_host(h->u.echo.seq) == p->seq;
}

/* Whether a packet that was heard settles it. */
static bool settle(const struct probe *p, const struct echo_ask *a, struct cur c, struct echo *e)
{
	const struct ip4 *ip = cur_take(&c, IP4_HLEN);
	const struct icmp_hdr *h;

	if (!ip || ip4_hlen(ip) < IP4_HLEN || !cur_take(&c, ip4_hlen(ip) - IP4_HLEN))
		return false;
	h = cur_take(&c, ICMP_HLEN);
	if (!h)
		return false;
	*e = (struct echo){.from = ip->src, .code = h->code};
	if (h->type == ICMP4_T_ECHOREPLY) {
		e->fate = ECHO_ANSWERED;
		return be32_eq(ip->src, a->dst) && be16_host(h->u.echo.id) == p->id &&
		       be16_host(h->u.echo.seq) == p->seq;
	}
	if (h->type != ICMP4_T_UNREACH || !is_quoted(p, a, c))
		return false;
	e->fate = h->code == ICMP4_C_FRAG ? ECHO_TOO_BIG : ECHO_UNREACHABLE;
	e->mtu = h->code == ICMP4_C_FRAG ? be16_host(h->u.frag.mtu) : 0;
	return true;
}

struct echo probe_echo(struct probe *p, const struct echo_ask *a)
{
	u64 end = now_ms() + a->wait_ms, now;
	struct echo e = {.error = send_echo(p, a)};
	u8 heard[HEARD];

	if (e.error) {
		e.fate = ECHO_UNSENT;
		return e;
	}
	while ((now = now_ms()) < end) {
		struct pollfd f = {p->in, POLLIN, 0};
		ssize_t n = poll(&f, 1, (int)(end - now)) > 0
				    ? recv(p->in, heard, sizeof(heard), MSG_DONTWAIT)
				    : -1;

		if (n > 0 && settle(p, a, (struct cur){heard, heard + n}, &e))
			return e;
	}
	return (struct echo){.fate = ECHO_SILENT};
}

static int send_echo6(struct probe *p, const char *dev)
{
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6,
		.sin6_addr = {{{0xff, 0x02, [15] = 1}}},
		.sin6_scope_id = if_nametoindex(dev),
	};
	struct icmp_hdr h = {.type = ICMP6_T_ECHO};
	/* the outer TTL may be inherited from it: more than one hop */
	int off = 0, hops = 64;

	h.u.echo.id = be16_of(p->id);
	h.u.echo.seq = be16_of(++p->seq);
	setsockopt(p->in6, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &off, sizeof(off));
	setsockopt(p->in6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
	return sendto(p->in6, &h, sizeof(h), 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno
											: 0;
}

bool probe_nodes6(struct probe *p, const char *dev, u32 wait_ms)
{
	u64 end = now_ms() + wait_ms, now;

	if (p->in6 < 0 || send_echo6(p, dev))
		return false;
	while ((now = now_ms()) < end) {
		struct pollfd f = {p->in6, POLLIN, 0};
		struct icmp_hdr h;

		if (poll(&f, 1, (int)(end - now)) > 0 &&
		    recv(p->in6, &h, sizeof(h), MSG_DONTWAIT) == sizeof(h) &&
		    h.type == ICMP6_T_ECHOREPLY && be16_host(h.u.echo.id) == p->id &&
		    be16_host(h.u.echo.seq) == p->seq)
			return true;
	}
	return false;
}
