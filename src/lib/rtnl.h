/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tunl asks of rtnetlink, over libmnl. Knows nothing of tunnels. A struct
 * rtnl is one socket in one network namespace: the one its opener stood in.
 * Requests wait for their answer, at most RTNL_TIMEOUT_MS.
 *
 *	rtnl.c		sockets, requests, notifications
 *	rtnl_route.c	route lookups
 *	rtnl_neigh.c	neighbours
 *	rtnl_link.c	devices and addresses
 *	rtnl_addr.c	addresses of both families
 *	rtnl_dev.c	giving a device addresses and routes
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

/* The next hop of an IPv6 packet. */
struct route6 {
	int error;   /* positive errno of a failed lookup; the rest is then void */
	u8 type;     /* RTN_UNICAST, RTN_MULTICAST, ... */
	u8 next[16]; /* the gateway, or the destination itself */
};

/*
 * Ask for the route of an IPv6 packet to dst that leaves by device oif. 0 with
 * *rt filled (look at rt->error), or -errno when the kernel could not be asked.
 */
int rtnl_route6_get(struct rtnl *r, const u8 dst[16], u32 oif, struct route6 *rt);

/* The parts of its answer; rt->next is left where no gateway is named. */
int rtnl_route6_parse(const struct nlmsghdr *nlh, struct route6 *rt);

/*
 * The link-layer address, as long as an IPv4 address, of a neighbour on a
 * device. addr: 4 or 16 bytes by family. -ENOENT: it has no entry with one.
 */
int rtnl_neighbour_get(struct rtnl *r, u32 ifindex, u8 family, const void *addr, be32 *lladdr);

/* The same from an answer (RTM_NEWNEIGH), for addresses of len bytes. */
int rtnl_neighbour_parse(const struct nlmsghdr *nlh, u8 *lladdr, u32 len);

/* An entry of IPv4 on an Ethernet device. */
struct rtnl_neigh {
	u32 ifindex;
	be32 addr;
	u16 state; /* NUD_*; 0: it is gone */
	u8 mac[6]; /* with has_mac */
	bool has_mac;
};

/* Fill *n from an RTM_NEWNEIGH or RTM_DELNEIGH. -EINVAL: it is not of IPv4. */
int rtnl_neigh_parse(const struct nlmsghdr *nlh, struct rtnl_neigh *n);

/* The entry of addr on a device; where there is none, one of state 0. 0 or -errno. */
int rtnl_neigh_get(struct rtnl *r, u32 ifindex, be32 addr, struct rtnl_neigh *n);

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
	u8 mac[6];     /* its address, where that is as long as Ethernet's */
	u32 tun_group; /* of a TUN device: the group that may attach to it; 0: not set */
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
	u32 gso_segs; /* segments that a merged packet may have */
	bool set_broadcast;
	be32 broadcast; /* shown as `brd` or `peer` */
	const char *rename;
};

int rtnl_link_set(struct rtnl *r, u32 ifindex, const struct rtnl_link_set *s);
int rtnl_link_del(struct rtnl *r, u32 ifindex);

typedef void rtnl_addr_fn(be32 addr, u32 ifindex, void *arg);

/* fn for every IPv4 address of the namespace. */
int rtnl_addr_each(struct rtnl *r, rtnl_addr_fn *fn, void *arg);

/* An address of a device. */
struct rtnl_addr {
	u32 ifindex;
	u8 family;     /* AF_INET (the first 4 bytes of addr), AF_INET6 */
	u8 prefix_len; /* bits */
	u8 scope;      /* RT_SCOPE_* */
	u8 addr[16];
};

typedef void rtnl_addr_full_fn(const struct rtnl_addr *a, void *arg);

/* Fill *a from an RTM_NEWADDR or RTM_DELADDR. -EINVAL: it is neither, or tells no address. */
int rtnl_addr_parse(const struct nlmsghdr *nlh, struct rtnl_addr *a);

/* fn for the addresses of a family; ifindex 0: of all devices. */
int rtnl_addr_dump(struct rtnl *r, u8 family, u32 ifindex, rtnl_addr_full_fn *fn, void *arg);

/* Give a device an IPv6 address with its prefix's route. -EEXIST: it has it. */
int rtnl_addr6_add(struct rtnl *r, const struct rtnl_addr *a);

/* The kernel shall make no IPv6 addresses of its own for the device (addr_gen_mode none). */
int rtnl_addr6_no_auto(struct rtnl *r, u32 ifindex);

/* An address for a device; those of IPv4 are the first 4 bytes. */
struct rtnl_dev_addr {
	u32 ifindex;
	u8 family, len;
	u8 addr[16];
	bool has_peer; /* then the prefix is the peer's */
	u8 peer[16], peer_len;
};

/* Give it (-EEXIST: it has it) or take it away (-EADDRNOTAVAIL: it has it not). */
int rtnl_addr_set(struct rtnl *r, const struct rtnl_dev_addr *a, bool there);

/* A route over a device. */
struct rtnl_dev_route {
	u32 ifindex;
	u8 family, len;
	u8 dst[16], via[16], src[16];
	bool has_via, has_src, onlink;
	u32 metric, table; /* 0: the usual */
};

/* Have it, in place of one with that destination, metric and table, or not (-ESRCH: it is not). */
int rtnl_route_set(struct rtnl *r, const struct rtnl_dev_route *rt, bool there);

/*
 * A nonblocking socket that hears the given RTNLGRP_* groups (0 ends the list)
 * of the calling thread's namespace. The descriptor, or -errno.
 */
int rtnl_listen(const u32 *groups);

/* Have such a socket hear one group more. 0 or -errno. */
int rtnl_listen_to(int fd, u32 group);

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
