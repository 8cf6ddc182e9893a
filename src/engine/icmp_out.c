/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/icmp_out.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "wire/icmp.h"
#include "wire/ip6.h"

enum { ICMP_TOS_KEEP = 0x1e, ICMP_TOS_SET = 0xc0 }; /* internetwork control */

/* Whether the packet is one that errors may be about: no error, no later fragment. */
static bool may_be_about(const u8 *data, u32 len)
{
	struct cur c = {data, data + len};
	const struct ip4 *h = cur_take(&c, IP4_HLEN);
	const u8 *type;

	if (!h || ip4_hlen(h) < IP4_HLEN || ip4_offset(h) || !cur_take(&c, ip4_hlen(h) - IP4_HLEN))
		return false;
	if (h->proto != PROTO_ICMP)
		return true;
	type = cur_take(&c, 1);
	return type && !icmp4_is_error(*type);
}

static bool is_one_host(const struct route *rt)
{
	return !rt->error && (rt->type == RTN_UNICAST || rt->type == RTN_LOCAL);
}

/* The packet's sender, who is told. */
struct sender {
	bool local; /* this host */
	u32 mtu;    /* of the path there */
};

/* Neither end of the packet is a group. */
static bool is_between_hosts(struct engine_ns *ns, const struct ip4 *h, struct sender *s)
{
	const struct route *rt;

	if (be32_is_zero(h->src) || ip4_is_multicast(h->src) || ip4_is_multicast(h->dst) ||
	    h->dst.raw == ~0U)
		return false;
	rt = route_get(ns, &(struct route_key){.dst = h->src}, NULL);
	s->local = rt->type == RTN_LOCAL;
	s->mtu = rt->mtu;
	return is_one_host(rt);
}

/* What is said, beside the quote. */
struct saying {
	u8 code;
	u16 mtu;
	be32 src;     /* zero: as routed */
	u32 mtu_back; /* of the path that it goes */
};

/* No larger than the path carries it whole: fragments may not come through. */
static void fill(struct icmp_message *m, const struct saying *s, const u8 *quote, u32 len)
{
	struct icmp_hdr *h = (void *)m->data;
	u32 most = max_of(min_of(s->mtu_back, (u32)ENGINE_ICMP_MAX), (u32)IP4_MIN_MTU);
	u32 room = most - IP4_HLEN - ICMP_HLEN;

	memset(h, 0, sizeof(*h));
	h->type = ICMP4_T_UNREACH;
	h->code = s->code;
	h->u.frag.mtu = be16_of(s->mtu);
	m->len = ICMP_HLEN + min_of(len, room);
	memcpy(m->data + ICMP_HLEN, quote, m->len - ICMP_HLEN);
	h->check = csum_finish(csum_add(0, m->data, m->len));
}

static void unreachable(struct engine_ns *ns, struct saying *s, const u8 *data, u32 len)
{
	struct engine *e = ns->engine;
	const struct ip4 *h = (const void *)data;
	struct icmp_message m;
	struct sender to;

	if (!may_be_about(data, len) || !is_between_hosts(ns, h, &to))
		return;
	if (s->code != ICMP4_C_FRAG &&
	    !icmp_limits_allow(&ns->icmp_limits, e->now_ms, h->src,
			       to.local ? ICMP_TO_SELF : ICMP_TO_HOST, engine_random(e)))
		return;
	m.v6 = false;
	m.dst = h->src;
	m.src = s->src;
	m.tos = (u8)((h->tos & ICMP_TOS_KEEP) | ICMP_TOS_SET);
	s->mtu_back = to.mtu;
	fill(&m, s, data, len);
	e->io->icmp(ns, &m);
}

void icmp_to_inner(struct engine_ns *ns, const u8 *data, u32 len, u8 code, u16 mtu)
{
	unreachable(ns, &(struct saying){.code = code, .mtu = mtu}, data, len);
}

void icmp_no_tunnel(struct engine_ns *ns, const u8 *data, u32 len)
{
	be32 dst = ((const struct ip4 *)data)->dst;

	unreachable(ns, &(struct saying){.code = ICMP4_C_PORT, .src = dst}, data, len);
}

/* Whether an ICMPv6 error of type may be about the packet (RFC 4443 2.4 e). */
static bool may_be_about6(const u8 *data, u32 len, u8 type)
{
	struct cur c = {data, data + len};
	const struct ip6 *h = cur_take(&c, IP6_HLEN);
	struct ip6_upper up;
	const u8 *inner;

	if (!h || ip6_is_unspecified(&h->src) || ip6_is_multicast(&h->src) ||
	    (ip6_is_multicast(&h->dst) && type != ICMP6_T_TOOBIG))
		return false;
	if (ip6_walk(&c, h->next, &up) || up.next != PROTO_ICMPV6 || up.offset)
		return true;
	inner = cur_take(&c, 1);
	return inner && !icmp6_is_error(*inner);
}

/* What the limits know a sender by. */
static be32 limit_key(const struct ip6_addr *a)
{
	return (be32){a->w[0].raw ^ a->w[1].raw ^ a->w[2].raw ^ a->w[3].raw};
}

/* Whether the limits let the sender be told of one more error. */
static bool may_say6(struct engine_ns *ns, const struct ip6_addr *sender)
{
	struct engine *e = ns->engine;

	return icmp_limits_allow(&ns->icmp_limits, e->now_ms, limit_key(sender),
				 inner6_is_ours(ns, sender) ? ICMP_TO_SELF : ICMP_TO_HOST6,
				 engine_random(e));
}

void icmp6_to_inner(struct engine_ns *ns, const u8 *data, u32 len, u8 type, u32 mtu)
{
	const struct ip6 *h = (const void *)data;
	struct icmp_message m = {.v6 = true};
	struct icmp_hdr *icmp = (void *)m.data;

	if (!may_be_about6(data, len, type))
		return;
	if (type != ICMP6_T_TOOBIG && !may_say6(ns, &h->src))
		return;
	m.dst6 = h->src;
	icmp->type = type;
	if (type == ICMP6_T_UNREACH)
		icmp->code = ICMP6_C_ADDR;
	if (type == ICMP6_T_TOOBIG)
		icmp->u.mtu6 = be32_of(mtu);
	m.len = ICMP_HLEN + min_of(len, (u32)sizeof(m.data) - ICMP_HLEN);
	memcpy(m.data + ICMP_HLEN, data, m.len - ICMP_HLEN);
	ns->engine->io->icmp(ns, &m);
}
