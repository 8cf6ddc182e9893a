/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/inner6.h"

#include "engine/core.h"
#include "wire/sixrd.h"

static u32 hash(const struct ip6_addr *a, u32 ifindex)
{
	u64 h = ((u64)a->w[0].raw << 32 | a->w[1].raw) * 0x9e3779b97f4a7c15ULL;

	h ^= ((u64)a->w[2].raw << 32 | a->w[3].raw) + ifindex;
	h *= 0x9e3779b97f4a7c15ULL;
	return (u32)(h >> 32);
}

static struct hop6_entry *hop_place(struct inner6_cache *c, const struct ip6_addr *dst, u32 ifindex)
{
	return &c->hop[hash(dst, ifindex) % HOP6_ENTRIES];
}

static bool is_valid(const struct engine_tunnel *t, u32 ifindex, u32 gen, u64 expires_ms)
{
	return ifindex == t->link.ifindex && gen == t->ns->routes.gen &&
	       t->ns->engine->now_ms < expires_ms;
}

bool inner6_next_hop(struct engine_tunnel *t, const struct ip6_addr *dst, struct ip6_addr *hop)
{
	struct hop6_entry *e = hop_place(&t->ns->inner6, dst, t->link.ifindex);

	if (!is_valid(t, e->ifindex, e->gen, e->expires_ms) || !ip6_addr_eq(&e->dst, dst)) {
		*e = (struct hop6_entry){
			.dst = *dst,
			.ifindex = t->link.ifindex,
			.gen = t->ns->routes.gen,
			.expires_ms = t->ns->engine->now_ms + ROUTE_KEEP_MS,
		};
		e->none = t->ns->engine->io->next_hop6(t, dst, &e->hop) != 0;
	}
	*hop = e->hop;
	return !e->none;
}

static const struct addr6_entry *device(struct engine_tunnel *t)
{
	struct addr6_entry *e = &t->ns->inner6.device[t->link.ifindex % ADDR6_DEVICES];

	if (is_valid(t, e->ifindex, e->gen, e->expires_ms))
		return e;
	e->ifindex = t->link.ifindex;
	e->gen = t->ns->routes.gen;
	e->expires_ms = t->ns->engine->now_ms + ROUTE_KEEP_MS;
	e->n = t->ns->engine->io->addresses6(t, e->addr, ADDR6_MAX);
	return e;
}

bool inner6_on_device(struct engine_tunnel *t, const struct ip6_addr *addr, u32 prefix_len)
{
	const struct addr6_entry *e = device(t);

	for (u32 i = 0; i < e->n; i++)
		if (ip6_same_prefix(addr, &e->addr[i].addr,
				    prefix_len ? prefix_len : e->addr[i].prefix_len))
			return true;
	return false;
}

bool inner6_is_ours(struct engine_ns *ns, const struct ip6_addr *addr)
{
	struct sender6_entry *e = &ns->inner6.sender[hash(addr, 0) % SENDER6_ENTRIES];
	const struct engine_io *io = ns->engine->io;
	u64 now_ms = ns->engine->now_ms;

	if (e->gen != ns->routes.gen || now_ms >= e->expires_ms || !ip6_addr_eq(&e->addr, addr))
		*e = (struct sender6_entry){
			.addr = *addr,
			.gen = ns->routes.gen,
			.ours = io->is_ours6 && io->is_ours6(ns, addr),
			.expires_ms = now_ms + ROUTE_KEEP_MS,
		};
	return e->ours;
}
