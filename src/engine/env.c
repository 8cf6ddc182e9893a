/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/env.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

static struct engine_env *env_of(const struct mode_env *env)
{
	return container_of(env, struct engine_env, env);
}

static bool next_hop4(const struct mode_env *env, be32 dst, be32 *hop)
{
	struct engine_env *e = env_of(env);
	struct route_key key = {.dst = dst, .oif = e->t->link.ifindex};
	const struct route *rt = route_get(e->t->ns, &key, &e->fresh);

	if (rt->error)
		return false;
	*hop = rt->has_via ? rt->via : dst;
	return true;
}

static bool next_hop6(const struct mode_env *env, const struct ip6_addr *dst, struct ip6_addr *hop)
{
	return inner6_next_hop(env_of(env)->t, dst, hop);
}

static bool neighbour4(const struct mode_env *env, be32 hop, be32 *lladdr)
{
	struct engine_tunnel *t = env_of(env)->t;

	return t->ns->engine->io->neighbour(t, AF_INET, &hop, lladdr) == 0;
}

static bool neighbour6(const struct mode_env *env, const struct ip6_addr *hop, be32 *lladdr)
{
	struct engine_tunnel *t = env_of(env)->t;

	return t->ns->engine->io->neighbour(t, AF_INET6, hop, lladdr) == 0;
}

static const struct prl_entry *router(const struct mode_env *env, be32 addr)
{
	const struct prl *routers = env_of(env)->t->routers;

	return routers ? prl_find(routers, addr) : NULL;
}

static bool on_device(const struct mode_env *env, const struct ip6_addr *addr, u32 prefix_len)
{
	return inner6_on_device(env_of(env)->t, addr, prefix_len);
}

static const struct mode_env_ops ops = {
	.next_hop4 = next_hop4,
	.next_hop6 = next_hop6,
	.neighbour4 = neighbour4,
	.neighbour6 = neighbour6,
	.router = router,
	.on_device = on_device,
};

struct engine_env engine_env(struct engine_tunnel *t)
{
	return (struct engine_env){.env = {.ops = &ops}, .t = t};
}
