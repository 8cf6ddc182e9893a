/* SPDX-License-Identifier: BSD-2-Clause */
/* What a case says the kernel knows: devices, addresses, routes, learned path MTUs. */
#ifndef TUNL_TESTS_CASES_WORLD_H
#define TUNL_TESTS_CASES_WORLD_H

#include "lib/rtnl.h"
#include "wire/ip6.h"

enum { WORLD_ITEMS = 32, WORLD_NAME = 16, IFINDEX_LO = 1, IFINDEX_TUNNELS = 10 };

struct world_device {
	char name[WORLD_NAME];
	u32 ifindex, mtu;
};

struct world_address {
	be32 addr;
	u32 ifindex;
};

struct world_route {
	be32 prefix, via, src;
	u8 len, type;
	u32 ifindex, mtu, mark;
	bool has_via, locked;
};

struct world_learned {
	be32 dst;
	u32 mtu;
	bool locked;
};

/* A route of an IPv6 packet, or a neighbour, on a device. */
struct world_route6 {
	struct ip6_addr prefix, via;
	u8 len;
	u32 ifindex;
	bool has_via;
};

/* An IPv6 address of a device. */
struct world_address6 {
	struct ip6_addr addr;
	u8 len;
	u32 ifindex;
};

struct world_neighbour {
	u8 family;
	u8 addr[16];
	u32 ifindex;
	be32 lladdr;
};

/* What this host sends ICMPv6 from. */
extern const struct ip6_addr world_addr6;

struct world {
	struct world_device device[WORLD_ITEMS];
	struct world_address address[WORLD_ITEMS];
	struct world_route route[WORLD_ITEMS];
	struct world_learned learned[WORLD_ITEMS];
	struct world_route6 route6[WORLD_ITEMS];
	struct world_neighbour neighbour[WORLD_ITEMS];
	struct world_address6 address6[WORLD_ITEMS];
	u32 ndevices, naddresses, nroutes, nlearned, nroutes6, nneighbours, naddresses6;
};

/* As README.md says it is before the first line. */
void world_init(struct world *w);

/* Do a line: link, local, nolocal, route, noroute, route6, neigh, learn. NULL, or what is wrong. */
const char *world_line(struct world *w, char **words, unsigned n);

/* Whether the first word is a line of the world's. */
bool world_has(const char *word);

/* A device's index; 0: there is none. */
u32 world_ifindex(const struct world *w, const char *name);

/* Add a device, or change its MTU. */
void world_device(struct world *w, const char *name, u32 ifindex, u32 mtu);

/* The next hop of an IPv6 packet over a device: 0 or -ENETUNREACH. */
int world_next_hop6(const struct world *w, const struct ip6_addr *dst, u32 ifindex,
		    struct ip6_addr *hop);

/* As rtnl_neighbour_get(). */
int world_neighbour(const struct world *w, u32 ifindex, u8 family, const void *addr, be32 *lladdr);

/* The route answer of the world, as rtnl_route_get() would give it. */
void world_route(const struct world *w, const struct route_key *key, struct route *rt);

#endif
