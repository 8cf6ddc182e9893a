/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/group.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "lib/log.h"
#include "mode/mode.h"

void group_leave(struct membership *g)
{
	if (g->joined)
		close(g->fd);
	*g = (struct membership){0};
}

/* The device that the group is reached by; 0: none. */
static u32 device_of(struct tunnel *t)
{
	struct route_key key = {
		.dst = t->cfg.remote,
		.src = t->cfg.local,
		.oif = t->cfg.link,
		.mark = t->cfg.fwmark,
		.tos = t->cfg.tos,
	};
	struct route rt;

	return rtnl_route_get(&t->home->rtnl, &key, &rt) || rt.error ? 0 : rt.oif;
}

static int join(struct membership *g, u32 ifindex)
{
	struct ip_mreqn m = {.imr_multiaddr = {g->addr.raw}, .imr_ifindex = (int)ifindex};
	int fd, err;

	if (!ifindex)
		return EADDRNOTAVAIL;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m))) {
		err = errno;
		close(fd);
		return err;
	}
	g->fd = fd;
	g->joined = true;
	return 0;
}

void group_follow(struct tunnel *t)
{
	bool want = t->link.up && mode_by_id(t->cfg.mode)->joins && ip4_is_multicast(t->cfg.remote);
	struct membership *g = &t->group;
	int err;

	if (g->joined && want && be32_eq(g->addr, t->cfg.remote))
		return;
	if (g->joined || !want)
		group_leave(g);
	if (!want)
		return;
	g->addr = t->cfg.remote;
	err = join(g, device_of(t));
	if (err && err != g->err)
		log_error("%s: its group cannot be joined (%s): is there a route to it?", t->ifname,
			  strerror(err));
	g->err = err;
}
