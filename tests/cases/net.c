/* SPDX-License-Identifier: BSD-2-Clause */
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NET_BUFFER = 64 << 20, NET_QUEUE = 4000 };

extern char **environ;

static const char real_ip[] = "/usr/sbin/ip";

static void add_line(struct net_batch *b, const char *fmt, va_list ap)
{
	char line[NET_LINE], *more;
	int len = vsnprintf(line, sizeof(line) - 1, fmt, ap);

	if (len < 0 || len >= (int)sizeof(line) - 1)
		return;
	line[len++] = '\n';
	more = realloc(b->text, b->len + (size_t)len);
	if (!more)
		return;
	b->text = more;
	memcpy(b->text + b->len, line, (size_t)len);
	b->len += (size_t)len;
}

void net_ip(struct net *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(&n->batch[0], fmt, ap);
	va_end(ap);
}

void net_ip6(struct net *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(&n->batch[1], fmt, ap);
	va_end(ap);
}

static int spawn(const char *const *argv, int in)
{
	posix_spawn_file_actions_t files;
	pid_t pid;
	int status, err;

	posix_spawn_file_actions_init(&files);
	if (in >= 0)
		posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	err = posix_spawn(&pid, argv[0], &files, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	if (err)
		return -err;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

int net_run(const char *const *argv)
{
	return spawn(argv, -1);
}

static int do_batch(struct net_batch *b, const char *family)
{
	const char *const argv[] = {real_ip, family, "-batch", "-", NULL};
	int fd, err = 0;

	if (!b->len)
		return 0;
	fd = memfd_create("batch", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, b->text, b->len) != (ssize_t)b->len || lseek(fd, 0, SEEK_SET) ||
	    spawn(argv, fd)) {
		fprintf(stderr, "# ip %s -batch of:\n%.*s", family, (int)b->len, b->text);
		err = -EINVAL;
	}
	close(fd);
	b->len = 0;
	return err;
}

int net_do(struct net *n)
{
	int err = do_batch(&n->batch[0], "-4"), err6 = do_batch(&n->batch[1], "-6");

	return err ? err : err6;
}

void net_sysctl(const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, value, strlen(value)) < 0)
		fprintf(stderr, "# %s: %s\n", path, strerror(errno));
	close(fd);
}

void net_sysctl6(const char *dev, const char *name, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), "ipv6/conf/%s/%s", dev, name);
	net_sysctl(path, value);
}

static int packet_socket(u32 ifindex)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)ifindex,
	};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int size = NET_BUFFER, one = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	if (!bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return fd;
	close(fd);
	return -errno;
}

/* Sockets that packets go in by; sizes and learned MTUs are not looked at there. */
static int open_sockets(struct net *n)
{
	int v4 = IP_PMTUDISC_PROBE, v6 = IPV6_PMTUDISC_PROBE, size = NET_BUFFER, one = 1;

	n->raw4 = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	n->raw6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	n->link = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (n->raw4 < 0 || n->raw6 < 0 || n->link < 0)
		return -errno;
	setsockopt(n->raw4, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	setsockopt(n->raw6, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	setsockopt(n->raw4, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
	if (setsockopt(n->raw4, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof(v4)) ||
	    setsockopt(n->raw6, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof(v6)) ||
	    setsockopt(n->link, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)))
		return -errno;
	return 0;
}

/* No address is looked for twice, nothing is announced, every source is believed. */
static void quiet(void)
{
	static const struct {
		const char *name, *value;
	} set[] = {
		{"ipv4/ip_forward", "0"},
		{"ipv4/conf/all/rp_filter", "0"},
		{"ipv4/conf/default/rp_filter", "0"},
		{"ipv4/conf/all/send_redirects", "0"},
		{"ipv4/conf/default/send_redirects", "0"},
		{"ipv6/conf/default/accept_dad", "0"},
		{"ipv6/conf/all/accept_dad", "0"},
		{"ipv6/conf/default/dad_transmits", "0"},
		{"ipv6/conf/default/router_solicitations", "0"},
		{"ipv6/conf/default/accept_ra", "0"},
		{"ipv6/conf/default/disable_ipv6", "0"},
		{"ipv6/conf/all/disable_ipv6", "0"},
		{"ipv6/auto_flowlabels", "0"},
		{"ipv6/conf/default/mldv2_unsolicited_report_interval", "1"},
	};

	for (size_t i = 0; i < countof(set); i++)
		net_sysctl(set[i].name, set[i].value);
}

int net_open(struct net *n)
{
	int err;

	*n = (struct net){.lo = -1, .raw4 = -1, .raw6 = -1, .link = -1};
	for (unsigned i = 0; i < NET_TUNNELS; i++)
		n->tunnel[i].fd = -1;
	if (unshare(CLONE_NEWNET))
		return -errno;
	quiet();
	net_ip(n, "link set lo up");
	err = net_do(n);
	if (err)
		return err;
	n->lo = packet_socket(if_nametoindex("lo"));
	return n->lo < 0 ? n->lo : open_sockets(n);
}

static void shut(int fd)
{
	if (fd >= 0)
		close(fd);
}

void net_close(struct net *n)
{
	for (unsigned i = 0; i < n->ntaps; i++)
		shut(n->tap[i].fd);
	for (unsigned i = 0; i < NET_TUNNELS; i++)
		shut(n->tunnel[i].fd);
	shut(n->lo);
	shut(n->raw4);
	shut(n->raw6);
	shut(n->link);
	free(n->batch[0].text);
	free(n->batch[1].text);
}

struct net_tap *net_tap_named(struct net *n, const char *name)
{
	for (unsigned i = 0; i < n->ntaps; i++)
		if (!strcmp(n->tap[i].name, name))
			return &n->tap[i];
	return NULL;
}

int net_tap(struct net *n, const char *name, u32 ifindex, u32 mtu)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	struct net_tap *t = &n->tap[n->ntaps];

	if (n->ntaps == NET_TAPS)
		return -ENOSPC;
	t->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (t->fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if ((ifindex && ioctl(t->fd, TUNSETIFINDEX, &ifindex)) || ioctl(t->fd, TUNSETIFF, &ifr)) {
		close(t->fd);
		return -errno;
	}
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->ifindex = if_nametoindex(name);
	if (!ioctl(t->fd, SIOCGIFHWADDR, &ifr))
		memcpy(t->mac, ifr.ifr_hwaddr.sa_data, sizeof(t->mac));
	n->ntaps++;
	net_sysctl6(name, "disable_ipv6", "1");
	net_ip(n, "link set dev %s arp off txqueuelen %d mtu %u up", name, NET_QUEUE, mtu);
	return net_do(n);
}

int net_watch(struct net *n, unsigned i, u32 ifindex)
{
	net_unwatch(n, i);
	n->tunnel[i].fd = packet_socket(ifindex);
	n->tunnel[i].ifindex = ifindex;
	return n->tunnel[i].fd < 0 ? n->tunnel[i].fd : 0;
}

void net_unwatch(struct net *n, unsigned i)
{
	shut(n->tunnel[i].fd);
	n->tunnel[i] = (struct net_tunnel){.fd = -1};
}

/* Whether no line of a table of sockets has a number of bytes waiting. */
static bool is_read(const char *path, const char *format)
{
	char line[256];
	unsigned waiting = 0, n;
	FILE *f = fopen(path, "re");

	while (f && !waiting && fgets(line, sizeof(line), f))
		if (sscanf(line, format, &n) == 1)
			waiting = n;
	if (f)
		fclose(f);
	return !waiting;
}

bool net_is_read(void)
{
	return is_read("/proc/thread-self/net/packet", "%*s %*s %*s %*s %*s %*s %u") &&
	       is_read("/proc/thread-self/net/raw", "%*s %*s %*s %*s %*x:%x");
}
