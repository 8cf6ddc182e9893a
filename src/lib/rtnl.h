/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tunl asks of rtnetlink, over libmnl. Knows nothing of tunnels. A struct
 * rtnl is one socket in one network namespace: the one its opener stood in.
 */
#ifndef TUNL_LIB_RTNL_H
#define TUNL_LIB_RTNL_H

#include <stddef.h>

#include "lib/types.h"

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
	u32 oif;	/* outgoing device it is bound to */
	u32 mark;
	u8 tos;
	u8 proto;	/* IP protocol, for rules that look at it */
};

/* What the kernel's routing answers for an outgoing packet. */
struct route {
	int error;	/* positive errno of a failed lookup; the rest is then void */
	u8 type;	/* RTN_UNICAST, RTN_LOCAL, ... */
	be32 src;	/* source address it selects */
	be32 via;	/* next hop: the gateway, or the destination itself */
	bool has_via;	/* an IPv4 gateway was named */
	u32 oif;
	u32 mtu;	/* path MTU: learned, else of the route, else of the device; <= 65535 */
	bool mtu_locked;
	u32 expires_ms;	/* a learned path MTU is forgotten after this; 0: never */
};

/*
 * Ask the kernel as an outgoing packet would (RTM_GETROUTE; FIB rules, learned
 * path MTUs and the check that src is local included). 0 with *rt filled (look
 * at rt->error), or -errno when the kernel could not be asked.
 */
int rtnl_route_get(struct rtnl *r, const struct route_key *key, struct route *rt);

#endif
