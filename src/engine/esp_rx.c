/* SPDX-License-Identifier: BSD-2-Clause */
/* ESP packet in, inner packet out (spec datapath 9.4). */
#include <linux/if_ether.h>

#include "engine/esp.h"
#include "engine/mss.h"
#include "wire/ecn.h"
#include "wire/esp.h"
#include "wire/udp.h"

bool esp_in_udp(struct cur *c)
{
	struct cur at;
	const struct esp *esp;

	if (!cur_take(c, UDP_HLEN))
		return false;
	at = *c;
	esp = cur_take(&at, ESP_HLEN);
	return esp && !be32_is_zero(esp->spi);
}

/* What a refusal is called, beside the Xfrm counter. */
static enum reason reason_of(enum mib m)
{
	switch (m) {
	case MIB_IN_NO_STATES:
	case MIB_IN_EXPIRED:
		return R_RX_NO_SA;
	case MIB_IN_SEQ:
		return R_RX_REPLAY;
	case MIB_IN_PROTO:
		return R_RX_ICV;
	case MIB_IN_NO_POLS:
	case MIB_IN_TMPL:
	case MIB_IN_POL_BLOCK:
		return R_RX_POLICY;
	default:
		return R_RX_ESP;
	}
}

static struct sa *find_sa(struct engine_tunnel *t, const struct esp_received *rec, be32 spi)
{
	struct sa_id id = {
		.family = XFRM_IP4,
		.proto = PROTO_ESP,
		.spi = spi,
		.mark = be32_host(t->cfg.ikey),
		.dst = xfrm_addr_of4(rec->outer->dst),
	};

	return db_sa_find(&t->ns->xfrm, &id);
}

static u16 ethertype_of(u8 next)
{
	return next == ESP_NEXT_IP4 ? ETH_P_IP : next == ESP_NEXT_IP6 ? ETH_P_IPV6 : 0;
}

/* What was inside is an IP packet that the association is for. */
static enum mib take_inner(const struct sa *sa, const struct esp_in *in, struct packet *p)
{
	u16 family = in->next == ESP_NEXT_IP4 ? XFRM_IP4 : XFRM_IP6;

	p->data = in->inner;
	p->len = in->len;
	p->ethertype = ethertype_of(in->next);
	p->vnet = (struct virtio_net_hdr){0};
	if (!p->ethertype || (sa->cfg.sel.family && sa->cfg.sel.family != family))
		return MIB_IN_MODE;
	if (p->len < (family == XFRM_IP4 ? (u32)IP4_HLEN : (u32)IP6_HLEN))
		return MIB_IN_MODE;
	return MIB__MAX;
}

/* Only congestion is told, and only to who can hear of it; DSCP where the flag says so. */
static void take_tos(const struct sa *sa, u8 outer_tos, struct packet *p)
{
	struct ip4 *h4 = (void *)p->data;
	struct ip6 *h6 = (void *)p->data;
	bool is4 = p->ethertype == ETH_P_IP;
	u8 tos = is4 ? h4->tos : ip6_tclass(h6), to = tos;

	if (sa->cfg.flags & SA_DECAP_DSCP)
		to = (u8)((outer_tos & ~ECN_MASK) | (tos & ECN_MASK));
	if (!(sa->cfg.flags & SA_NOECN) && (outer_tos & ECN_MASK) == ECN_CE && tos & ECN_MASK)
		to |= ECN_CE;
	if (to == tos)
		return;
	if (is4) {
		be16 old, new;

		__builtin_memcpy(&old, h4, 2);
		h4->tos = to;
		__builtin_memcpy(&new, h4, 2);
		h4->check = csum_replace(h4->check, old, new);
	} else {
		ip6_set_tclass(h6, to);
	}
}

/* A policy `in` has to want what came, and through this association. */
static enum mib check_policy(struct engine_tunnel *t, const struct sa *sa, const struct packet *p)
{
	const struct policy *pol;
	struct xfrm_flow flow;

	flow_of_packet(p->data, p->len, p->ethertype == ETH_P_IP ? XFRM_IP4 : XFRM_IP6, &flow);
	flow.mark = be32_host(t->cfg.ikey);
	flow.oif = t->link.ifindex;
	if (sa->cfg.sel.family && !sel_matches(&sa->cfg.sel, &flow))
		return MIB_IN_MISMATCH;
	pol = db_policy_find(&t->ns->xfrm, POLICY_IN, &flow);
	if (!pol)
		return MIB_IN_NO_POLS;
	if (pol->cfg.action == POLICY_BLOCK)
		return MIB_IN_POL_BLOCK;
	return policy_accepts(pol, sa) ? MIB__MAX : MIB_IN_TMPL;
}

/* The packet deciphered and found good, or the counter that tells why not. */
static enum mib decapsulate(struct engine_tunnel *t, const struct esp_received *rec,
			    struct packet *p)
{
	u32 len = (u32)(p->data + p->len - rec->esp);
	const struct esp *h = (const void *)rec->esp;
	struct sa *sa = len < ESP_HLEN ? NULL : find_sa(t, rec, h->spi);
	struct esp_in in;
	enum mib m;

	if (len < ESP_HLEN)
		return MIB_IN_HDR;
	if (!sa)
		return MIB_IN_NO_STATES;
	if ((sa->cfg.encap.type == ENCAP_ESPINUDP) != rec->udp)
		return MIB_IN_MISMATCH;
	if (sa->cfg.mode != XFRM_TUNNEL)
		return MIB_IN_MODE;
	m = esp_open(sa, rec->esp, len, t->ns->engine->now_s, &in);
	esp_check_limits(t->ns, sa);
	if (m == MIB__MAX)
		m = take_inner(sa, &in, p);
	if (m != MIB__MAX)
		return m;
	take_tos(sa, rec->outer->tos, p);
	return check_policy(t, sa, p);
}

/* A policy may want protection of the ESP packets themselves, which they have not. */
static bool outer_is_refused(struct engine_tunnel *t, const struct ip4 *outer)
{
	struct xfrm_flow flow = {
		.family = XFRM_IP4,
		.proto = outer->proto,
		.src = xfrm_addr_of4(outer->src),
		.dst = xfrm_addr_of4(outer->dst),
	};
	const struct policy *p = db_policy_find(&t->ns->xfrm, POLICY_IN, &flow);

	/* one that matches ESP by name; others are the inner packets' */
	return p && p->cfg.sel.proto == outer->proto &&
	       (p->cfg.action == POLICY_BLOCK || p->cfg.ntmpls);
}

enum reason esp_receive(struct engine_tunnel *t, const struct esp_received *rec, struct packet *p)
{
	struct engine_ns *ns = t->ns;
	struct tunnel_stats *st = &t->shared->stats;
	enum mib m;

	if (outer_is_refused(t, rec->outer)) {
		ns->mib->count[MIB_IN_TMPL]++;
		return R_RX_POLICY;
	}
	m = decapsulate(t, rec, p);
	if (m != MIB__MAX) {
		ns->mib->count[m]++;
		return reason_of(m);
	}
	mss_bound(t, p, 0);
	if (ns->engine->io->deliver(t, p))
		return R_RX_DELIVER;
	st->rx_packets++;
	st->rx_bytes += p->len;
	return R_NONE;
}
