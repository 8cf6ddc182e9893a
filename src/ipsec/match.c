/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is found for a packet: selectors, policies, and states for a template. */
#include <string.h>

#include "ipsec/db.h"
#include "wire/cur.h"
#include "wire/gre.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum { PROTO_DCCP = 33, PROTO_SCTP = 132, PROTO_UDPLITE = 136 };

static bool in_prefix(const struct xfrm_addr *a, const struct xfrm_addr *net, u32 bits)
{
	u32 bytes = bits / 8;

	if (memcmp(a->b, net->b, bytes))
		return false;
	return bits % 8 == 0 || !((a->b[bytes] ^ net->b[bytes]) >> (8 - bits % 8));
}

bool sel_matches(const struct xfrm_sel *sel, const struct xfrm_flow *f)
{
	return in_prefix(&f->dst, &sel->dst, sel->dst_len) &&
	       in_prefix(&f->src, &sel->src, sel->src_len) &&
	       !((f->dport ^ sel->dport) & sel->dport_mask) &&
	       !((f->sport ^ sel->sport) & sel->sport_mask) &&
	       (!sel->proto || f->proto == sel->proto) && (!sel->ifindex || sel->ifindex == f->oif);
}

static u16 take16(struct cur *c)
{
	const be16 *v = cur_take(c, 2);

	return v ? be16_host(*v) : 0;
}

static void flow_gre(struct cur *c, struct xfrm_flow *f)
{
	struct gre_fields g;

	if (!gre_parse(c, &g) || !(g.flags & GRE_K))
		return;
	f->sport = (u16)(be32_host(g.key) >> 16);
	f->dport = (u16)be32_host(g.key);
}

static void flow_upper(struct cur *c, struct xfrm_flow *f)
{
	const u8 *type;

	switch (f->proto) {
	case PROTO_TCP:
	case PROTO_UDP:
	case PROTO_UDPLITE:
	case PROTO_SCTP:
	case PROTO_DCCP:
		f->sport = take16(c);
		f->dport = take16(c);
		break;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		type = cur_take(c, 2);
		f->sport = type ? type[0] : 0;
		f->dport = type ? type[1] : 0;
		break;
	case PROTO_GRE:
		flow_gre(c, f);
		break;
	default:
		break;
	}
}

static void flow_ip4(struct cur *c, struct xfrm_flow *f)
{
	const struct ip4 *h = cur_take(c, IP4_HLEN);

	if (!h)
		return;
	f->src = xfrm_addr_of4(h->src);
	f->dst = xfrm_addr_of4(h->dst);
	f->proto = h->proto;
	if (ip4_is_fragment(h) || ip4_hlen(h) < IP4_HLEN || !cur_take(c, ip4_hlen(h) - IP4_HLEN))
		return;
	flow_upper(c, f);
}

static void flow_ip6(struct cur *c, struct xfrm_flow *f)
{
	const struct ip6 *h = cur_take(c, IP6_HLEN);
	struct ip6_upper up;

	if (!h)
		return;
	memcpy(f->src.b, &h->src, sizeof(f->src.b));
	memcpy(f->dst.b, &h->dst, sizeof(f->dst.b));
	f->proto = h->next;
	if (ip6_walk(c, h->next, &up) != IP6_WALK_OK)
		return;
	f->proto = up.next;
	if (!up.offset)
		flow_upper(c, f);
}

void flow_of_packet(const u8 *data, u32 len, u16 family, struct xfrm_flow *f)
{
	struct cur c = {data, data + len};

	*f = (struct xfrm_flow){.family = family};
	if (family == XFRM_IP4)
		flow_ip4(&c, f);
	else
		flow_ip6(&c, f);
}

struct policy *db_policy_find(const struct xfrm_db *db, enum policy_dir dir,
			      const struct xfrm_flow *f)
{
	list_for_each (n, &db->policies[dir]) {
		struct policy *p = list_entry(n, struct policy, node);

		if (p->cfg.sel.family == f->family && xfrm_mark_matches(&p->cfg.mark, f->mark) &&
		    sel_matches(&p->cfg.sel, f))
			return p;
	}
	return NULL;
}

/* Zero in the template is whatever there is (of an IPv4 address). */
static bool addr_fits(const struct xfrm_addr *tmpl, const struct xfrm_addr *sa)
{
	return xfrm_addr_is_zero(tmpl) || xfrm_addr_eq(tmpl, sa);
}

static bool fits_template(const struct sa_cfg *sa, const struct xfrm_tmpl *t, u32 mark)
{
	return sa->family == t->family && sa->reqid == t->reqid &&
	       xfrm_mark_matches(&sa->mark, mark) && !(sa->flags & SA_WILDRECV) &&
	       addr_fits(&t->dst, &sa->dst) && addr_fits(&t->src, &sa->src) &&
	       sa->mode == t->mode && sa->proto == t->proto &&
	       (be32_is_zero(t->spi) || be32_eq(t->spi, sa->spi));
}

static bool sa_carries(const struct sa *sa, const struct xfrm_flow *f)
{
	return !sa->cfg.sel.family ||
	       (sa->cfg.sel.family == f->family && sel_matches(&sa->cfg.sel, f));
}

/* Of two that fit: one that is not dying, else the newest. */
static bool is_better(const struct sa *sa, const struct sa *best)
{
	if (!best)
		return true;
	return sa->live->dying == best->live->dying || best->live->dying;
}

struct sa *db_sa_for(struct xfrm_db *db, struct policy *p, const struct xfrm_flow *f)
{
	struct sa *best = NULL;
	u32 mark = p->cfg.mark.value & p->cfg.mark.mask;

	if (p->gen == db->gen && p->cached && sa_carries(p->cached, f))
		return p->cached;
	/* oldest first, so that the last that is as good is the newest */
	list_for_each (n, &db->sas) {
		struct sa *sa = list_entry(n, struct sa, node);

		if (p->cfg.ntmpls && !sa->live->dead && sa->cfg.if_id == p->cfg.if_id &&
		    fits_template(&sa->cfg, &p->cfg.tmpl[0], mark) && sa_carries(sa, f) &&
		    is_better(sa, best))
			best = sa;
	}
	p->cached = best;
	p->gen = db->gen;
	return best;
}

bool policy_accepts(const struct policy *p, const struct sa *sa)
{
	const struct sa_cfg *c = &sa->cfg;

	for (u32 i = 0; i < p->cfg.ntmpls; i++) {
		const struct xfrm_tmpl *t = &p->cfg.tmpl[i];
		bool fits = c->proto == t->proto && c->mode == t->mode &&
			    (be32_is_zero(t->spi) || be32_eq(t->spi, c->spi)) &&
			    (!t->reqid || t->reqid == c->reqid) && addr_fits(&t->src, &c->src);

		if (!fits && !t->use)
			return false;
	}
	return true;
}
