/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tunl asks of rtnetlink, over libmnl. Knows nothing of tunnels. A struct
 * rtnl is one socket in one network namespace: the one its opener stood in.
 * Requests wait for their answer, at most RTNL_TIMEOUT_MS.
 *
 *	rtnl.c		sockets, requests, notifications
 *	rtnl_route.c	route lookups
 *	rtnl_link.c	devices and addresses
 */
#ifndef TUNL_LIB_RTNL_H
#define TUNL_LIB_RTNL_H

#include <stddef.h>

#include "lib/types.h"

enum { RTNL_TIMEOUT_MS = 2000 };

struct nlmsghdr;

struct rtnl {
	int fd;
	u32 seq;
};

/*
 * Open a request socket in the calling thread's namespace. 0 or -errno.
 * rtnl_of() wraps a descriptor that somebody else opened (and owns).
 */
int rtnl_open(struct rtnl *r);
struct rtnl rtnl_of(int fd);
void rtnl_close(struct rtnl *r);

/* What a route lookup is asked with; zero fields are "not given". */
struct route_key {
	be32 dst, src;
	u32 oif; /* outgoing device it is bound to */
	u32 mark;
	u8 tos;
	u8 proto; /* IP protocol, for rules that look at it */
};

/* What the kernel's routing answers for an outgoing packet. */
struct route {
	int error;    /* positive errno of a failed lookup; the rest is then void */
	u8 type;      /* RTN_UNICAST, RTN_LOCAL, ... */
	be32 src;     /* source address it selects */
	be32 via;     /* next hop: the gateway, or the destination itself */
	bool has_via; /* an IPv4 gateway was named */
	bool via6;    /* an IPv6 gateway was named: via is void */
	u32 oif;
	u32 mtu; /* path MTU: learned, else of the route, else of the device; <= 65535 */
	bool mtu_locked;
	u32 expires_ms; /* a learned path MTU is forgotten after this; 0: never */
};

/*
 * Ask the kernel as an outgoing packet would (RTM_GETROUTE; FIB rules, learned
 * path MTUs and the check that src is local included). 0 with *rt filled (look
 * at rt->error), or -errno when the kernel could not be asked.
 */
int rtnl_route_get(struct rtnl *r, const struct route_key *key, struct route *rt);

/* The parts of a route answer (RTM_NEWROUTE); for tests and rtnl_route_get. */
int rtnl_route_parse(const struct nlmsghdr *nlh, struct route *rt);

/* A device as the kernel describes it. */
struct rtnl_link {
	u32 ifindex;
	char name[16];
	u16 type;  /* ARPHRD_* */
	u32 flags; /* IFF_* */
	u32 mtu;
	u32 master; /* ifindex of its bridge, bond, VRF; 0: none */
	u32 qlen;
	char kind[16]; /* "veth", "tun", ...; "" for hardware */
	bool gone;     /* an RTM_DELLINK: it left this namespace */
};

typedef void rtnl_link_fn(const struct rtnl_link *l, void *arg);

/* Fill *l from an RTM_NEWLINK or RTM_DELLINK. -EINVAL: it is neither. */
int rtnl_link_parse(const struct nlmsghdr *nlh, struct rtnl_link *l);

/* One device, by index or (ifindex 0) by name. -ENODEV: there is none. */
int rtnl_link_get(struct rtnl *r, u32 ifindex, const char *name, struct rtnl_link *l);

/* fn for every device, in index order. */
int rtnl_link_each(struct rtnl *r, rtnl_link_fn *fn, void *arg);

/* What to change of a device; zero is "leave it". */
struct rtnl_link_set {
	u32 flags_off, flags_on; /* IFF_* */
	u32 mtu;
	u32 qlen;
	bool set_broadcast;
	be32 broadcast; /* shown as `brd` or `peer` */
	const char *rename;
};

int rtnl_link_set(struct rtnl *r, u32 ifindex, const struct rtnl_link_set *s);
int rtnl_link_del(struct rtnl *r, u32 ifindex);

typedef void rtnl_addr_fn(be32 addr, u32 ifindex, void *arg);

/* fn for every IPv4 address of the namespace. */
int rtnl_addr_each(struct rtnl *r, rtnl_addr_fn *fn, void *arg);

/*
 * A nonblocking socket that hears the given RTNLGRP_* groups (0 ends the list)
 * of the calling thread's namespace. The descriptor, or -errno.
 */
int rtnl_listen(const u32 *groups);

typedef void rtnl_event_fn(const struct nlmsghdr *nlh, void *arg);

/*
 * fn for each notification waiting on fd. 0; -ENOBUFS: some were lost, the
 * caller has to look at everything again; else -errno.
 */
int rtnl_hear(int fd, rtnl_event_fn *fn, void *arg);

/*
 * Send request nlh (its sequence number is filled in) and run fn, which may be
 * NULL, on each message of the answer. 0, or the kernel's -errno. -EAGAIN: no
 * answer in time.
 */
int rtnl_request(struct rtnl *r, struct nlmsghdr *nlh, rtnl_event_fn *fn, void *arg);

#endif
