/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IFINDEX_ETH0 = 2, IFINDEX_ETH1 = 3, MTU_ETHERNET = 1500, MTU_LO = 65535 };

static be32 addr(const char *text)
{
	be32 a = {0};

	inet_pton(AF_INET, text, &a);
	return a;
}

/* A.B.C.D[/LEN] */
static be32 prefix(const char *text, u8 *len)
{
	char buf[32];
	char *slash;

	snprintf(buf, sizeof(buf), "%s", text);
	slash = strchr(buf, '/');
	*len = slash ? (u8)atoi(slash + 1) : 32;
	if (slash)
		*slash = 0;
	return addr(buf);
}

static struct world_device *device_named(struct world *w, const char *name)
{
	for (u32 i = 0; i < w->ndevices; i++)
		if (!strcmp(w->device[i].name, name))
			return &w->device[i];
	return NULL;
}

static u32 device_mtu(const struct world *w, u32 ifindex)
{
	for (u32 i = 0; i < w->ndevices; i++)
		if (w->device[i].ifindex == ifindex)
			return w->device[i].mtu;
	return MTU_LO;
}

u32 world_ifindex(const struct world *w, const char *name)
{
	struct world_device *d = device_named((struct world *)w, name);

	return d ? d->ifindex : 0;
}

void world_device(struct world *w, const char *name, u32 ifindex, u32 mtu)
{
	struct world_device *d = device_named(w, name);

	if (!d && w->ndevices < WORLD_ITEMS) {
		d = &w->device[w->ndevices++];
		d->ifindex = ifindex;
		snprintf(d->name, sizeof(d->name), "%s", name);
	}
	if (d)
		d->mtu = mtu;
}

static void add_address(struct world *w, be32 a, u32 ifindex)
{
	if (w->naddresses < WORLD_ITEMS)
		w->address[w->naddresses++] = (struct world_address){a, ifindex};
}

static void add_route(struct world *w, const struct world_route *r)
{
	if (w->nroutes < WORLD_ITEMS)
		w->route[w->nroutes++] = *r;
}

void world_init(struct world *w)
{
	*w = (struct world){0};
	world_device(w, "lo", IFINDEX_LO, MTU_LO);
	world_device(w, "eth0", IFINDEX_ETH0, MTU_ETHERNET);
	world_device(w, "eth1", IFINDEX_ETH1, MTU_ETHERNET);
	add_address(w, addr("192.0.2.1"), IFINDEX_ETH0);
	add_address(w, addr("198.51.100.1"), IFINDEX_ETH1);
	add_address(w, addr("10.0.0.1"), IFINDEX_TUNNELS);
	add_address(w, addr("127.0.0.1"), IFINDEX_LO);
	add_route(w, &(struct world_route){.prefix = addr("192.0.2.0"),
					   .len = 24,
					   .type = RTN_UNICAST,
					   .ifindex = IFINDEX_ETH0});
	add_route(w, &(struct world_route){.prefix = addr("198.51.100.0"),
					   .len = 24,
					   .type = RTN_UNICAST,
					   .ifindex = IFINDEX_ETH1});
	add_route(w, &(struct world_route){.prefix = addr("10.0.0.0"),
					   .len = 24,
					   .type = RTN_UNICAST,
					   .ifindex = IFINDEX_TUNNELS});
}

static u8 type_named(const char *word)
{
	static const struct {
		const char *word;
		u8 type;
	} types[] = {
		{"unicast", RTN_UNICAST},	  {"local", RTN_LOCAL},
		{"broadcast", RTN_BROADCAST},	  {"multicast", RTN_MULTICAST},
		{"unreachable", RTN_UNREACHABLE},
	};

	for (size_t i = 0; i < countof(types); i++)
		if (!strcmp(types[i].word, word))
			return types[i].type;
	return RTN_UNSPEC;
}

static const char *route_field(struct world *w, struct world_route *r, const char *word,
			       const char *value)
{
	if (!strcmp(word, "via")) {
		r->via = addr(value);
		r->has_via = true;
	} else if (!strcmp(word, "dev")) {
		r->ifindex = world_ifindex(w, value);
		return r->ifindex ? NULL : "no such device";
	} else if (!strcmp(word, "src")) {
		r->src = addr(value);
	} else if (!strcmp(word, "mtu")) {
		r->mtu = (u32)atoi(value);
	} else if (!strcmp(word, "mark")) {
		r->mark = (u32)atoi(value);
	} else if (!strcmp(word, "type")) {
		r->type = type_named(value);
		return r->type ? NULL : "no such type";
	} else {
		return "no such word of a route";
	}
	return NULL;
}

static const char *line_route(struct world *w, char **words, unsigned n)
{
	struct world_route r = {.type = RTN_UNICAST, .ifindex = IFINDEX_ETH0};
	const char *bad = NULL;

	r.prefix = prefix(words[1], &r.len);
	for (unsigned i = 2; i < n && !bad;) {
		if (!strcmp(words[i], "lock")) {
			r.locked = true;
			i++;
			continue;
		}
		bad = route_field(w, &r, words[i], i + 1 < n ? words[i + 1] : "");
		i += 2;
	}
	if (!bad)
		add_route(w, &r);
	return bad;
}

static const char *line_noroute(struct world *w, char **words, unsigned n)
{
	u8 len;
	be32 p = prefix(words[1], &len);

	(void)n;
	for (u32 i = 0; i < w->nroutes; i++)
		if (be32_eq(w->route[i].prefix, p) && w->route[i].len == len) {
			w->route[i--] = w->route[--w->nroutes];
		}
	return NULL;
}

static const char *line_local(struct world *w, char **words, unsigned n)
{
	add_address(w, addr(words[1]), n > 3 ? world_ifindex(w, words[3]) : IFINDEX_ETH0);
	return NULL;
}

static const char *line_nolocal(struct world *w, char **words, unsigned n)
{
	be32 a = addr(words[1]);

	(void)n;
	for (u32 i = 0; i < w->naddresses; i++)
		if (be32_eq(w->address[i].addr, a))
			w->address[i--] = w->address[--w->naddresses];
	return NULL;
}

static const char *line_link(struct world *w, char **words, unsigned n)
{
	if (n != 4 || strcmp(words[2], "mtu"))
		return "link NAME mtu N";
	world_device(w, words[1], w->ndevices + 20, (u32)atoi(words[3]));
	return NULL;
}

static const char *line_learn(struct world *w, char **words, unsigned n)
{
	if (n < 4 || strcmp(words[2], "mtu") || w->nlearned == WORLD_ITEMS)
		return "learn ADDR mtu N [lock]";
	w->learned[w->nlearned++] =
		(struct world_learned){addr(words[1]), (u32)atoi(words[3]), n > 4};
	return NULL;
}

/* A::B/LEN */
static struct ip6_addr prefix6(const char *text, u8 *len)
{
	struct ip6_addr a = {0};
	char buf[64];
	char *slash;

	snprintf(buf, sizeof(buf), "%s", text);
	slash = strchr(buf, '/');
	*len = slash ? (u8)atoi(slash + 1) : 128;
	if (slash)
		*slash = 0;
	inet_pton(AF_INET6, buf, &a);
	return a;
}

static const char *line_route6(struct world *w, char **words, unsigned n)
{
	struct world_route6 r = {0};
	u8 len;

	if (w->nroutes6 == WORLD_ITEMS)
		return "too many routes";
	r.prefix = prefix6(words[1], &r.len);
	for (unsigned i = 2; i + 1 < n; i += 2) {
		if (!strcmp(words[i], "via")) {
			r.via = prefix6(words[i + 1], &len);
			r.has_via = true;
		} else if (!strcmp(words[i], "dev")) {
			r.ifindex = world_ifindex(w, words[i + 1]);
		}
	}
	if (!r.ifindex)
		return "route6 PREFIX [via A] dev D";
	w->route6[w->nroutes6++] = r;
	return NULL;
}

static const char *line_addr6(struct world *w, char **words, unsigned n)
{
	struct world_address6 *a = &w->address6[w->naddresses6];

	if (n != 4 || strcmp(words[2], "dev") || w->naddresses6 == WORLD_ITEMS)
		return "addr6 ADDR/LEN dev D";
	a->addr = prefix6(words[1], &a->len);
	a->ifindex = world_ifindex(w, words[3]);
	w->naddresses6++;
	return NULL;
}

static const char *line_neigh(struct world *w, char **words, unsigned n)
{
	struct world_neighbour *x = &w->neighbour[w->nneighbours];

	if (n != 6 || strcmp(words[2], "lladdr") || strcmp(words[4], "dev") ||
	    w->nneighbours == WORLD_ITEMS)
		return "neigh ADDR lladdr A dev D";
	x->family = strchr(words[1], ':') ? AF_INET6 : AF_INET;
	inet_pton(x->family, words[1], x->addr);
	x->lladdr = addr(words[3]);
	x->ifindex = world_ifindex(w, words[5]);
	w->nneighbours++;
	return NULL;
}

static const struct {
	const char *word;
	const char *(*fn)(struct world *w, char **words, unsigned n);
} lines[] = {
	{"route", line_route},	   {"noroute", line_noroute}, {"local", line_local},
	{"nolocal", line_nolocal}, {"link", line_link},	      {"learn", line_learn},
	{"route6", line_route6},   {"neigh", line_neigh},     {"addr6", line_addr6},
};

bool world_has(const char *word)
{
	for (size_t i = 0; i < countof(lines); i++)
		if (!strcmp(lines[i].word, word))
			return true;
	return false;
}

const char *world_line(struct world *w, char **words, unsigned n)
{
	if (n < 2)
		return "an argument is missing";
	for (size_t i = 0; i < countof(lines); i++)
		if (!strcmp(lines[i].word, words[0]))
			return lines[i].fn(w, words, n);
	return "no such line";
}

const struct ip6_addr world_addr6 = {{{TUNL_SWAP32(0x20010db8)}, {0}, {0}, {TUNL_SWAP32(1)}}};

static bool covers6(const struct world_route6 *r, const struct ip6_addr *dst)
{
	const u8 *a = (const u8 *)&r->prefix, *b = (const u8 *)dst;
	u32 bytes = r->len / 8, bits = r->len % 8;

	return !memcmp(a, b, bytes) && (!bits || !((a[bytes] ^ b[bytes]) >> (8 - bits)));
}

int world_next_hop6(const struct world *w, const struct ip6_addr *dst, u32 ifindex,
		    struct ip6_addr *hop)
{
	const struct world_route6 *found = NULL;

	for (u32 i = 0; i < w->nroutes6; i++) {
		const struct world_route6 *r = &w->route6[i];

		if (r->ifindex == ifindex && covers6(r, dst) && (!found || r->len >= found->len))
			found = r;
	}
	if (!found)
		return -ENETUNREACH;
	*hop = found->has_via ? found->via : *dst;
	return 0;
}

int world_neighbour(const struct world *w, u32 ifindex, u8 family, const void *addr, be32 *lladdr)
{
	for (u32 i = w->nneighbours; i--;) {
		const struct world_neighbour *x = &w->neighbour[i];

		if (x->ifindex != ifindex || x->family != family ||
		    memcmp(x->addr, addr, family == AF_INET ? 4 : 16))
			continue;
		*lladdr = x->lladdr;
		return 0;
	}
	return -ENOENT;
}

static bool is_local(const struct world *w, be32 a)
{
	for (u32 i = 0; i < w->naddresses; i++)
		if (be32_eq(w->address[i].addr, a))
			return true;
	return false;
}

static bool covers(const struct world_route *r, be32 dst)
{
	u32 mask = r->len ? ~0U << (32 - r->len) : 0;

	return (be32_host(r->prefix) & mask) == (be32_host(dst) & mask);
}

/* The longest prefix, the youngest of equal ones; a route with a mark is for that mark alone. */
static const struct world_route *best(const struct world *w, const struct route_key *key)
{
	const struct world_route *found = NULL;

	for (u32 i = 0; i < w->nroutes; i++) {
		const struct world_route *r = &w->route[i];

		if (!covers(r, key->dst) || (r->mark && r->mark != key->mark) ||
		    (key->oif && key->oif != r->ifindex))
			continue;
		if (!found || (r->mark && !found->mark) ||
		    (r->len >= found->len && !(found->mark && !r->mark)))
			found = r;
	}
	return found;
}

static be32 source(const struct world *w, const struct world_route *r, u32 ifindex)
{
	if (r && !be32_is_zero(r->src))
		return r->src;
	for (u32 i = 0; i < w->naddresses; i++)
		if (w->address[i].ifindex == ifindex)
			return w->address[i].addr;
	return w->address[0].addr;
}

static void path_mtu(const struct world *w, const struct route_key *key, struct route *rt)
{
	for (u32 i = 0; i < w->nlearned; i++)
		if (be32_eq(w->learned[i].dst, key->dst)) {
			rt->mtu = w->learned[i].mtu;
			rt->mtu_locked = w->learned[i].locked;
			rt->expires_ms = 600000;
		}
}

void world_route(const struct world *w, const struct route_key *key, struct route *rt)
{
	const struct world_route *r = best(w, key);

	*rt = (struct route){.type = RTN_UNICAST, .via = key->dst};
	if (!be32_is_zero(key->src) && !is_local(w, key->src)) {
		rt->error = EINVAL;
		return;
	}
	if (is_local(w, key->dst)) {
		*rt = (struct route){.type = RTN_LOCAL,
				     .src = key->dst,
				     .via = key->dst,
				     .oif = IFINDEX_LO,
				     .mtu = MTU_LO};
		return;
	}
	if ((!r && !key->oif) || (r && r->type == RTN_UNREACHABLE)) {
		rt->error = r ? EHOSTUNREACH : ENETUNREACH;
		return;
	}
	rt->oif = r ? r->ifindex : key->oif;
	rt->type = r ? r->type : RTN_UNICAST;
	rt->has_via = r && r->has_via;
	rt->via = rt->has_via ? r->via : key->dst;
	rt->src = be32_is_zero(key->src) ? source(w, r, rt->oif) : key->src;
	rt->mtu = r && r->mtu ? r->mtu : device_mtu(w, rt->oif);
	rt->mtu_locked = r && r->locked;
	path_mtu(w, key, rt);
}
