/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel knows of inner IPv6 on the tunnels' devices, kept: next hops,
 * the addresses of a device, and which senders are this host. Forgotten with the routes
 * (route_flush) and after a while; what strangers send makes no question twice.
 */
#ifndef TUNL_ENGINE_INNER6_H
#define TUNL_ENGINE_INNER6_H

#include "lib/types.h"
#include "wire/ip6.h"

struct engine_ns;
struct engine_tunnel;

enum {
	HOP6_ENTRIES = 1024,
	ADDR6_DEVICES = 16,
	SENDER6_ENTRIES = 256,
	ADDR6_MAX = 32, /* addresses of a device that are looked at */
};

struct inner6_addr {
	struct ip6_addr addr;
	u8 prefix_len; /* bits */
};

struct hop6_entry {
	struct ip6_addr dst, hop;
	u32 ifindex;
	u32 gen; /* valid while equal to the routes' */
	u64 expires_ms;
	bool none; /* there is no route */
};

/* A device with its addresses. */
struct addr6_entry {
	u32 ifindex, gen, n;
	u64 expires_ms;
	struct inner6_addr addr[ADDR6_MAX];
};

/* Who sent a packet that an error is about. */
struct sender6_entry {
	struct ip6_addr addr;
	u32 gen;
	bool ours;
	u64 expires_ms;
};

struct inner6_cache {
	struct sender6_entry sender[SENDER6_ENTRIES];
	struct hop6_entry hop[HOP6_ENTRIES];
	struct addr6_entry device[ADDR6_DEVICES];
};

/* The next hop of a packet to dst over t's device: a gateway, or dst. False: no route. */
bool inner6_next_hop(struct engine_tunnel *t, const struct ip6_addr *dst, struct ip6_addr *hop);

/*
 * Whether addr is in the prefix of prefix_len bits around some address of t's
 * device; prefix_len 0: of the length that the address was given with.
 */
bool inner6_on_device(struct engine_tunnel *t, const struct ip6_addr *addr, u32 prefix_len);

/* Whether routing says that addr is this host's own. */
bool inner6_is_ours(struct engine_ns *ns, const struct ip6_addr *addr);

#endif
