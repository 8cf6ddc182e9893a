/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets: requests with their answers, and notifications. */
#include "lib/rtnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* The kernel fills at most 32 KB of a dump at a time. */
enum { RTNL_BUF = 32768 };

static int rtnl_socket(int flags)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE);
	int err;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int rtnl_open(struct rtnl *r)
{
	struct timeval tv = {.tv_sec = RTNL_TIMEOUT_MS / 1000};
	int fd = rtnl_socket(0);

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	*r = rtnl_of(fd);
	return 0;
}

struct rtnl rtnl_of(int fd)
{
	return (struct rtnl){.fd = fd};
}

void rtnl_close(struct rtnl *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static int rtnl_send(struct rtnl *r, struct nlmsghdr *nlh)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	nlh->nlmsg_seq = ++r->seq;
	if (sendto(r->fd, nlh, nlh->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	return 0;
}

/* One datagram of the kernel's (nobody else's); its length or -errno. */
static ssize_t rtnl_recv(int fd, void *buf)
{
	struct sockaddr_nl from;
	socklen_t len;
	ssize_t n;

	do {
		len = sizeof(from);
		n = recvfrom(fd, buf, RTNL_BUF, 0, (struct sockaddr *)&from, &len);
	} while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0));
	return n < 0 ? -errno : n;
}

/* The error code that ends an answer; NLMSG_DONE carries one too. */
static int rtnl_code(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	return mnl_nlmsg_get_payload_len(nlh) < sizeof(int) ? 0 : e->error;
}

int rtnl_request(struct rtnl *r, struct nlmsghdr *nlh, rtnl_event_fn *fn, void *arg)
{
	bool ack = nlh->nlmsg_flags & NLM_F_ACK;
	_Alignas(struct nlmsghdr) char buf[RTNL_BUF];
	int err = rtnl_send(r, nlh);

	if (err)
		return err;
	for (;;) {
		ssize_t got = rtnl_recv(r->fd, buf);
		int left = (int)got;

		if (got < 0)
			return (int)got;
		for (nlh = (void *)buf; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_seq != r->seq)
				continue; /* of an earlier request that timed out */
			if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE)
				return rtnl_code(nlh);
			if (fn)
				fn(nlh, arg);
			if (!ack && !(nlh->nlmsg_flags & NLM_F_MULTI))
				return 0;
		}
	}
}

int rtnl_listen_to(int fd, u32 group)
{
	return setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) ? -errno
											  : 0;
}

int rtnl_listen(const u32 *groups)
{
	int size = 1 << 20;
	int fd = rtnl_socket(SOCK_NONBLOCK);

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	for (; *groups; groups++) {
		int err = rtnl_listen_to(fd, *groups);

		if (err) {
			close(fd);
			return err;
		}
	}
	return fd;
}

int rtnl_hear(int fd, rtnl_event_fn *fn, void *arg)
{
	_Alignas(struct nlmsghdr) char buf[RTNL_BUF];

	for (;;) {
		ssize_t got = rtnl_recv(fd, buf);
		int left = (int)got;
		struct nlmsghdr *nlh;

		if (got == -EAGAIN)
			return 0;
		if (got < 0)
			return (int)got;
		for (nlh = (void *)buf; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			fn(nlh, arg);
	}
}
