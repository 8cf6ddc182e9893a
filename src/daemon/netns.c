/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "daemon/engtell.h"
#include "daemon/link.h"
#include "daemon/neigh.h"
#include "daemon/priv.h"
#include "daemon/reconcile.h"
#include "daemon/rxmap.h"
#include "daemon/scan.h"
#include "daemon/trace.h"
#include "daemon/xfrm.h"
#include "lib/log.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static u64 cookie_here(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	u64 cookie = 0;
	socklen_t len = sizeof(cookie);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		cookie = 0;
	close(fd);
	return cookie;
}

int netns_identify(int fd, struct ns_identity *id)
{
	struct statfs fs;
	struct stat st;
	int err;

	/* whatever file a client sent: no ioctl on it before it is known to be a namespace */
	if (fstatfs(fd, &fs) || fs.f_type != NSFS_MAGIC)
		return -EINVAL;
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET || fstat(fd, &st))
		return -EINVAL;
	err = priv_enter(fd);
	if (err)
		return err;
	*id = (struct ns_identity){st.st_dev, st.st_ino, cookie_here()};
	priv_leave();
	return 0;
}

int netns_identify_self(struct ns_identity *id)
{
	struct stat st;

	if (stat("/proc/self/ns/net", &st))
		return -errno;
	*id = (struct ns_identity){st.st_dev, st.st_ino, cookie_here()};
	return 0;
}

bool netns_is(const struct ns_identity *a, const struct ns_identity *b)
{
	if (a->cookie && b->cookie)
		return a->cookie == b->cookie;
	return a->dev == b->dev && a->ino == b->ino;
}

struct ns *netns_find(struct daemon *d, const struct ns_identity *id)
{
	list_for_each (n, &d->namespaces) {
		struct ns *ns = list_entry(n, struct ns, node);

		if (netns_is(&ns->id, id))
			return ns;
	}
	return NULL;
}

struct ns *netns_by_nsid(struct daemon *d, u32 nsid)
{
	list_for_each (n, &d->namespaces) {
		struct ns *ns = list_entry(n, struct ns, node);

		if (ns->nsid == nsid)
			return ns;
	}
	return NULL;
}

int netns_enter(struct ns *ns)
{
	return priv_enter(ns->fd);
}

/* Descriptors of the namespace entered. */
static int open_inside(struct ns *ns)
{
	static const u32 groups[] = {RTNLGRP_LINK,
				     RTNLGRP_IPV4_IFADDR,
				     RTNLGRP_IPV4_ROUTE,
				     RTNLGRP_IPV4_RULE,
				     RTNLGRP_IPV6_IFADDR,
				     RTNLGRP_IPV6_ROUTE,
				     RTNLGRP_IPV6_RULE,
				     RTNLGRP_NEXTHOP,
				     RTNLGRP_TC,
				     RTNLGRP_NEIGH,
				     0};
	int err = rtnl_open(&ns->rtnl);

	if (err)
		return err;
	ns->events_fd = rtnl_listen(groups);
	return ns->events_fd < 0 ? ns->events_fd : 0;
}

static struct ns *ns_new(struct daemon *d, const struct ns_identity *id)
{
	struct ns *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	ns->daemon = d;
	ns->id = *id;
	ns->fd = ns->rtnl.fd = ns->events_fd = -1;
	ns->addrs_changed = ns->routes_changed = ns->links_lost = true;
	list_init(&ns->home);
	list_init(&ns->here);
	list_init(&ns->touched);
	ns->whole = true;
	return ns;
}

static void ns_free(struct ns *ns)
{
	links_free(ns);
	rxmap_free(ns);
	xfrm_abandon(ns);
	neigh_free(ns);
	htab_fini(&ns->by_device);
	htab_fini(&ns->by_config);
	bpf_ns_close(ns->bpf);
	rtnl_close(&ns->rtnl);
	if (ns->events_fd >= 0)
		close(ns->events_fd);
	if (ns->fd >= 0)
		close(ns->fd);
	free(ns);
}

static int ns_open(struct ns *ns, int fd)
{
	int err;

	ns->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (ns->fd < 0)
		return -errno;
	err = netns_enter(ns);
	if (err)
		return err;
	err = open_inside(ns);
	priv_leave();
	return err;
}

int netns_take(struct daemon *d, int fd, struct ns **ns, struct err *e)
{
	struct ns_identity id;
	int err = netns_identify(fd, &id);

	if (err)
		return err_set(e, -err, "cannot enter the caller's network namespace: %s",
			       strerror(-err));
	*ns = netns_find(d, &id);
	if (*ns)
		return 0;
	*ns = ns_new(d, &id);
	if (!*ns)
		return err_set(e, ENOMEM, "out of memory");
	err = ns_open(*ns, fd);
	if (err) {
		ns_free(*ns);
		return err_set(e, -err, "cannot work in the network namespace: %s", strerror(-err));
	}
	(*ns)->nsid = ++d->next_nsid;
	list_add(&d->namespaces, &(*ns)->node);
	reconcile_watch(*ns);
	d->scan_mounts = true; /* its name was not looked for yet */
	scan_arm(d);
	return 0;
}

static void handle_closed(uv_handle_t *h)
{
	struct ns *ns = h->data;

	if (--ns->open_handles == 0)
		ns_free(ns);
}

/*
 * What holds the namespace goes now; the memory when libuv has let go of it.
 */
static void ns_close(struct ns *ns)
{
	trace_end_all(ns);
	list_del(&ns->node);
	uv_poll_stop(&ns->events);
	rtnl_close(&ns->rtnl);
	close(ns->events_fd);
	close(ns->fd);
	ns->fd = ns->events_fd = -1;
	bpf_ns_close(ns->bpf);
	ns->bpf = NULL;
	ns->open_handles = 2;
	uv_close((uv_handle_t *)&ns->events, handle_closed);
	uv_close((uv_handle_t *)&ns->timer, handle_closed);
}

void netns_drop_unused(struct ns *ns)
{
	struct daemon *d = ns->daemon;

	if (ns->busy || ns->fd < 0 || !list_is_empty(&ns->home) || !list_is_empty(&ns->here) ||
	    xfrm_has_any(ns))
		return;
	engtell_ns_del(ns);
	xfrm_free(ns);
	ns_close(ns);
	scan_arm(d);
}

void netns_abandon_all(struct daemon *d)
{
	list_for_each_safe (n, &d->namespaces)
		ns_close(list_entry(n, struct ns, node));
}
