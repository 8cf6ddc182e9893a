/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A parent for the engine that is one page long: makes one tunnel device in the
 * network namespace it stands in, starts the engine, hands everything over, and
 * tells the engine when the device comes up. Prints what the engine says.
 * `engine_parent NAME CONFIG...`; ends when its standard input does.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/proto.h"
#include "engine/sockets.h"
#include "model/grammar.h"

enum { WAIT_MS = 100, NSID = 1 };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int checked(int v, const char *what)
{
	if (v < 0) {
		errno = errno ? errno : -v;
		die(what);
	}
	return v;
}

static void tell(int ctl, const struct engine_msg *m, const int *fds, unsigned n)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {0};
	struct iovec iov = {(void *)m, sizeof(*m)};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n) {
		struct cmsghdr *c = (void *)control;

		h.msg_control = control;
		h.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	if (sendmsg(ctl, &h, 0) < 0)
		die("sendmsg");
}

static int open_tun(const char *name)
{
	struct ifreq r = {.ifr_flags = (short)ENGINE_TUN_FLAGS};
	int fd = checked(open("/dev/net/tun", O_RDWR | O_CLOEXEC), "/dev/net/tun");

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	checked(ioctl(fd, TUNSETIFF, &r), "TUNSETIFF");
	checked(engine_setup_tun(fd), "engine_setup_tun");
	return fd;
}

static struct engine_link device(const char *name)
{
	struct ifreq r = {0};
	int s = checked(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	struct engine_link l = {.ifindex = if_nametoindex(name)};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(s, SIOCGIFFLAGS, &r) == 0)
		l.up = r.ifr_flags & IFF_UP;
	if (ioctl(s, SIOCGIFMTU, &r) == 0)
		l.mtu = (u32)r.ifr_mtu;
	close(s);
	return l;
}

static int shared_file(void)
{
	struct engine_shared *m;
	int fd = checked(memfd_create("counters", MFD_CLOEXEC), "memfd");

	checked(ftruncate(fd, sizeof(*m)), "ftruncate");
	m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (m == MAP_FAILED)
		die("mmap");
	m->version = ENGINE_SHARED_VERSION;
	m->slot_size = sizeof(struct engine_slot);
	return fd;
}

static int start_engine(int shared)
{
	int pair[2];

	checked(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), "socketpair");
	if (checked(fork(), "fork"))
		return close(pair[1]), pair[0];
	close(pair[0]);
	/* out of each other's way first */
	pair[1] = checked(fcntl(pair[1], F_DUPFD, 10), "dup");
	shared = checked(fcntl(shared, F_DUPFD, 10), "dup");
	dup2(pair[1], ENGINE_FD);
	dup2(shared, ENGINE_SHARED_FD);
	close_range(5, ~0U, 0);
	_exit(engine_main());
}

static void hand_over(int ctl, const struct tunnel_cfg *cfg)
{
	struct engine_msg m = {
		.op = ENGINE_NS_ADD, .nsid = NSID, .cfg = *cfg, .rates = icmp_rates_usual()};
	struct rtnl r;
	int fds[4];

	checked(rtnl_open(&r), "rtnl");
	fds[0] = checked(engine_open_packet(), "packet");
	fds[1] = checked(engine_open_raw_out(0), "raw");
	fds[2] = checked(engine_open_icmp(), "icmp");
	fds[3] = r.fd;
	tell(ctl, &m, fds, 4);
	m.op = ENGINE_PROTO_ADD;
	m.proto = 4;
	fds[0] = checked(engine_open_guard(4), "guard");
	tell(ctl, &m, fds, 1);
	if (!cfg->fwmark)
		return;
	m.op = ENGINE_MARK_ADD;
	fds[0] = checked(engine_open_raw_out(cfg->fwmark), "raw with mark");
	tell(ctl, &m, fds, 1);
}

static void print_event(int ctl)
{
	struct engine_event ev;

	if (recv(ctl, &ev, sizeof(ev), 0) != sizeof(ev)) {
		puts("engine gone");
		exit(1);
	}
	printf("event %d slot %u dst %08x inner %08x active %d %s\n", ev.op, ev.slot,
	       be32_host(ev.dst), be32_host(ev.inner), ev.active, ev.text);
	fflush(stdout);
}

static void print_stats(const struct engine_shared *m)
{
	const struct tunnel_stats *s = &m->slot[0].stats;

	printf("rx %llu %llu tx %llu %llu", s->rx_packets, s->rx_bytes, s->tx_packets, s->tx_bytes);
	for (int r = 1; r < R__MAX; r++)
		if (s->reason[r] || m->unmatched[r])
			printf(" %s=%llu/%llu", reason_info((enum reason)r)->word, s->reason[r],
			       m->unmatched[r]);
	puts("");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct engine_msg m = {.op = ENGINE_TUNNEL_SET, .nsid = NSID, .order = 1};
	char line[GRAMMAR_LINE] = "";
	int shared = shared_file(), ctl = start_engine(shared), tun;
	struct engine_shared *map = mmap(NULL, sizeof(*map), PROT_READ, MAP_SHARED, shared, 0);
	struct engine_link link = {0};
	struct err e;

	for (int i = 1; i < argc; i++) {
		strncat(line, argv[i], sizeof(line) - strlen(line) - 2);
		strcat(line, " ");
	}
	if (argc < 2 || grammar_line(line, &m.cfg, &e)) {
		fprintf(stderr, "%s\n", argc < 2 ? "no tunnel" : e.text);
		return 1;
	}
	m.cfg.link = m.cfg.dev[0] ? if_nametoindex(m.cfg.dev) : 0;
	tun = open_tun(m.cfg.name);
	hand_over(ctl, &m.cfg);
	m.link = link = device(m.cfg.name);
	tell(ctl, &m, &tun, 1);
	for (;;) {
		struct pollfd p[] = {{ctl, POLLIN, 0}, {0, POLLIN, 0}};
		char buf[64];

		poll(p, 2, WAIT_MS);
		if (p[0].revents)
			print_event(ctl);
		if (p[1].revents) {
			if (read(0, buf, sizeof(buf)) <= 0)
				return 0;
			print_stats(map);
		}
		link = device(m.cfg.name);
		if (link.up != m.link.up || link.mtu != m.link.mtu) {
			m.link = link;
			tell(ctl, &m, NULL, 0);
			tell(ctl, &(struct engine_msg){.op = ENGINE_NS_FLUSH, .nsid = NSID}, NULL,
			     0);
		}
	}
}
