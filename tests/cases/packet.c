/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recipe becomes an array of layers. Sizes are settled from the first layer
 * to the last, ends from the last to the first, and bytes from the last to the
 * first too, so that a checksum covers what stands behind it.
 */
#include "packet.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <string.h>

#include "recipe.h"
#include "wire/gre.h"
#include "wire/icmp.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

/* Bits beyond C, K, S make the header no longer. */
static u16 gre_flags(const struct layer *l)
{
	return (u16)((l->has[F_CSUM] ? GRE_C : 0) | (l->has[F_KEY] ? GRE_K : 0) |
		     (l->has[F_SEQ] ? GRE_S : 0));
}

static u32 header_len(const struct layer *l)
{
	switch (l->kind) {
	case IP4:
		return IP4_HLEN + l->nopt;
	case IP6:
		return IP6_HLEN;
	case UDP:
	case ICMP:
		return UDP_HLEN;
	case TCP:
		return TCP_HLEN + l->nopt;
	case GRE:
		return gre_hlen(gre_flags(l));
	case FILL:
		return 0;
	case HEX:
		return l->nopt;
	}
	return 0;
}

static bool is_ip(const struct layer *l)
{
	return l->kind == IP4 || l->kind == IP6;
}

/* Offsets and ends; the length of the packet. */
static u32 settle(struct recipe *r)
{
	u32 off = 0, end;

	for (u32 i = 0; i < r->n; i++) {
		r->layer[i].off = off;
		r->layer[i].hlen = header_len(&r->layer[i]);
		off += r->layer[i].hlen;
	}
	end = off + (r->layer[r->n - 1].kind == FILL ? r->layer[r->n - 1].v[F_LEN] : 0);
	for (u32 i = r->n; i--;) {
		struct layer *l = &r->layer[i];

		if (l->has[F_LEN] && l->kind != FILL)
			end = l->off + l->v[F_LEN];
		l->end = end;
	}
	/* what quotes or is filled up to its IP header's end, ends there */
	for (u32 i = 1; i < r->n; i++)
		if (r->layer[i].kind == ICMP ||
		    (!r->layer[i].has[F_LEN] && r->layer[i].end < r->layer[i - 1].end))
			r->layer[i].end = r->layer[i - 1].end;
	return r->layer[0].end;
}

static void put_address(const struct recipe *r, u32 i, const char *given, bool is_src, void *to)
{
	static const char *const outermost[][2] = {
		[PLACE_TUN] = {"10.0.0.1", "10.0.0.2"},
		[PLACE_WIRE_IN] = {"192.0.2.2", "192.0.2.1"},
		[PLACE_WIRE_OUT] = {"192.0.2.1", "192.0.2.2"},
		[PLACE_ICMP] = {"10.0.0.1", "10.0.0.1"},
	};
	bool v6 = r->layer[i].kind == IP6;
	const char *text = given;

	if (!*text && v6 && i == 0 && r->place == PLACE_ICMP)
		text = "2001:db8::1";

	if (!*text && v6)
		text = is_src ? "2001:db8::1" : "2001:db8::2";
	else if (!*text)
		text = outermost[i ? PLACE_TUN : r->place][!is_src];
	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, to) != 1)
		memset(to, 0xee, 4);
}

static u8 proto_of(const struct recipe *r, u32 i)
{
	static const u8 proto[] = {PROTO_IPIP, PROTO_IPV6, PROTO_UDP, PROTO_TCP,
				   PROTO_ICMP, PROTO_GRE,  253,	      253};

	if (i + 1 < r->n && r->layer[i].kind == IP6 && r->layer[i + 1].kind == ICMP)
		return PROTO_ICMPV6;
	return i + 1 < r->n ? proto[r->layer[i + 1].kind] : 253;
}

/* The outermost id is free in what comes out. */
static bool id_is_free(const struct recipe *r, u32 i)
{
	const struct layer *l = &r->layer[i];

	return l->free[F_ID] ||
	       (i == 0 && !l->has[F_ID] && (r->place == PLACE_WIRE_OUT || r->place == PLACE_ICMP));
}

static u16 choose_id(const struct recipe *r, u32 i, const struct like *like)
{
	const struct layer *l = &r->layer[i];

	if (l->relative_id && l->v[F_ID] && like && like->loose && l->off + 6 <= like->len)
		return (u16)(like->data[l->off + 4] << 8 | like->data[l->off + 5]);
	if (l->relative_id)
		return (u16)((like ? like->last_id : 0) + l->v[F_ID]);
	if (id_is_free(r, i) && like && l->off + 6 <= like->len)
		return (u16)(like->data[l->off + 4] << 8 | like->data[l->off + 5]);
	/* not 0, which a raw socket would fill in */
	return (u16)(l->has[F_ID] ? l->v[F_ID] : 1);
}

static u32 value_or(const struct layer *l, enum field f, u32 otherwise)
{
	return l->has[f] ? l->v[f] : otherwise;
}

static void put_ip4(const struct recipe *r, u32 i, const struct like *like, u8 *at)
{
	const struct layer *l = &r->layer[i];
	struct ip4 *h = (void *)at;
	u32 frag = l->v[F_OFF] / 8 | (l->v[F_DF] ? IP4_DF : 0) | (l->v[F_MF] ? IP4_MF : 0) |
		   (l->v[F_RF] ? IP4_RF : 0);

	memset(h, 0, sizeof(*h));
	h->ver_ihl = (u8)(value_or(l, F_VER, 4) << 4 | value_or(l, F_IHL, l->hlen / 4));
	h->tos = (u8)value_or(l, F_TOS, i == 0 && r->place == PLACE_ICMP ? 0xc0 : 0);
	h->len = be16_of((u16)value_or(l, F_LIE, l->end - l->off));
	h->id = be16_of(choose_id(r, i, like));
	h->frag = be16_of((u16)frag);
	h->ttl = (u8)value_or(l, F_TTL, 64);
	h->proto = (u8)value_or(l, F_PROTO, proto_of(r, i));
	put_address(r, i, l->src, true, &h->src);
	put_address(r, i, l->dst, false, &h->dst);
	memcpy(at + IP4_HLEN, l->opt, l->nopt);
	h->check = csum_finish(csum_add(0, at, l->hlen));
	if (l->has[F_CHECK])
		h->check = be16_of((u16)l->v[F_CHECK]);
}

static void put_ip6(const struct recipe *r, u32 i, u8 *at)
{
	const struct layer *l = &r->layer[i];
	struct ip6 *h = (void *)at;

	memset(h, 0, sizeof(*h));
	h->vtf = be32_of(6U << 28 | l->v[F_CLASS] << 20);
	h->len = be16_of((u16)value_or(l, F_LIE, l->end - l->off - IP6_HLEN));
	h->next = (u8)value_or(l, F_NEXT, proto_of(r, i));
	h->hops = (u8)value_or(l, F_HOPS, 64);
	put_address(r, i, l->src, true, &h->src);
	put_address(r, i, l->dst, false, &h->dst);
}

/* The pseudo header's sum for layer i, whose IP header has its addresses already. */
static u32 pseudo(const struct recipe *r, u32 i, const u8 *data, u8 proto)
{
	const struct layer *l = &r->layer[i], *ip = i ? l - 1 : NULL;
	struct ip4 h4 = {0};
	struct ip6 h6 = {0};
	u32 len = l->end - l->off;

	(void)data;
	if (!ip || !is_ip(ip))
		return 0;
	if (ip->kind == IP4) {
		put_address(r, i - 1, ip->src, true, &h4.src);
		put_address(r, i - 1, ip->dst, false, &h4.dst);
		return ip4_pseudo(h4.src, h4.dst, proto, (u16)len);
	}
	put_address(r, i - 1, ip->src, true, &h6.src);
	put_address(r, i - 1, ip->dst, false, &h6.dst);
	return ip6_pseudo(&h6.src, &h6.dst, proto, len);
}

/* The checksum of layer i over what stands from at on, or what the recipe says it is. */
static be16 transport_check(const struct recipe *r, u32 i, const u8 *at, u8 proto)
{
	const struct layer *l = &r->layer[i];
	u32 sum = proto ? pseudo(r, i, at, proto) : 0;

	if (l->has[F_CHECK])
		return be16_of((u16)l->v[F_CHECK]);
	if (l->v[F_PARTIAL])
		return (be16){csum_fold(sum)};
	sum = csum_add(sum, at, l->end - l->off);
	return proto == PROTO_UDP ? udp_csum_finish(sum) : csum_finish(sum);
}

static void put_udp(const struct recipe *r, u32 i, u8 *at)
{
	const struct layer *l = &r->layer[i];
	struct udp *h = (void *)at;

	h->sport = be16_of((u16)value_or(l, F_SPORT, 1000));
	h->dport = be16_of((u16)value_or(l, F_DPORT, 2000));
	h->len = be16_of((u16)value_or(l, F_LIE, l->end - l->off));
	h->check.raw = 0;
	h->check = transport_check(r, i, at, PROTO_UDP);
}

static void put_tcp(const struct recipe *r, u32 i, u8 *at)
{
	const struct layer *l = &r->layer[i];
	struct tcp *h = (void *)at;

	memset(h, 0, sizeof(*h));
	h->sport = be16_of((u16)value_or(l, F_SPORT, 1000));
	h->dport = be16_of((u16)value_or(l, F_DPORT, 2000));
	h->seq = be32_of(l->v[F_SEQ]);
	h->ack = be32_of(l->v[F_ACK]);
	h->off = (u8)(value_or(l, F_IHL, l->hlen / 4) << 4);
	h->flags = (u8)l->flags;
	h->window = be16_of(1024);
	memcpy(at + TCP_HLEN, l->opt, l->nopt);
	h->check = transport_check(r, i, at, PROTO_TCP);
}

static void put_icmp(const struct recipe *r, u32 i, u8 *at)
{
	const struct layer *l = &r->layer[i];
	struct icmp_hdr *h = (void *)at;

	memset(h, 0, sizeof(*h));
	h->type = (u8)l->v[F_TYPE];
	h->code = (u8)l->v[F_CODE];
	h->u.frag.mtu = be16_of((u16)value_or(l, F_MTU, l->v[F_SEQ]));
	h->check = transport_check(r, i, at, i && r->layer[i - 1].kind == IP6 ? PROTO_ICMPV6 : 0);
}

static u16 gre_type(const struct recipe *r, u32 i)
{
	const struct layer *next = i + 1 < r->n ? &r->layer[i + 1] : NULL;

	if (next && next->kind == IP6)
		return ETH_P_IPV6;
	return next && next->kind == IP4 ? ETH_P_IP : 0;
}

static void put_gre(const struct recipe *r, u32 i, u8 *at)
{
	const struct layer *l = &r->layer[i];
	struct gre_fields f = {
		.flags = gre_flags(l),
		.type = (u16)value_or(l, F_TYPE, gre_type(r, i)),
		.key = be32_of(l->v[F_KEY]),
		.seq = l->v[F_SEQ],
	};
	struct gre *h = (void *)at;
	be16 check = be16_of((u16)l->v[F_CHECK]);

	gre_build(at, &f);
	h->flags = be16_of((u16)(f.flags | l->v[F_BITS]));
	if (f.flags & GRE_C)
		gre_set_csum(at, l->end - l->off);
	if (f.flags & GRE_C && l->has[F_CHECK])
		memcpy(at + GRE_HLEN, &check, sizeof(check));
}

static void put_layer(const struct recipe *r, u32 i, const struct like *like, u8 *data)
{
	u8 *at = data + r->layer[i].off;

	switch (r->layer[i].kind) {
	case IP4:
		put_ip4(r, i, like, at);
		return;
	case IP6:
		put_ip6(r, i, at);
		return;
	case UDP:
		put_udp(r, i, at);
		return;
	case TCP:
		put_tcp(r, i, at);
		return;
	case ICMP:
		put_icmp(r, i, at);
		return;
	case GRE:
		put_gre(r, i, at);
		return;
	case FILL:
		return;
	case HEX:
		memcpy(at, r->layer[i].opt, r->layer[i].nopt);
		return;
	}
}

/* A checksum that nobody looks at is what it is. */
static void free_check(const struct layer *l, const struct like *like, u8 *data)
{
	static const u32 at[] = {[IP4] = 10, [IP6] = 0, [UDP] = 6, [TCP] = 16, [ICMP] = 2};
	u32 off = l->kind <= ICMP ? l->off + at[l->kind] : 0;

	if (l->free[F_CHECK] && like && off && off + 2 <= like->len)
		memcpy(data + off, like->data + off, 2);
}

/* Bytes that differ from place to place, so that a displaced piece is seen. */
static void put_fill(const struct recipe *r, u8 *data, u32 room)
{
	const struct layer *last = &r->layer[r->n - 1];
	u32 from = last->kind == FILL ? last->v[F_FROM] : 0;
	u32 off = last->off + last->hlen;

	for (u32 k = 0; off + k < room; k++)
		data[off + k] = (u8)((from + k) * 7 + ((from + k) >> 8));
}

static void put_vnet(const struct recipe *r, struct built *b)
{
	const struct layer *l = &r->layer[r->n - 1];

	b->vnet = (struct virtio_net_hdr){0};
	while (l > r->layer && l->kind != TCP && l->kind != UDP)
		l--;
	if (!r->partial)
		return;
	b->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	b->vnet.gso_type = r->gso_type;
	b->vnet.gso_size = (u16)r->gso_size;
	b->vnet.csum_start = (u16)l->off;
	b->vnet.csum_offset = l->kind == TCP ? 16 : 6;
	b->vnet.hdr_len = r->gso_size ? (u16)(l->off + l->hlen) : 0;
}

static void set_partial(struct recipe *r)
{
	for (u32 i = r->n; r->partial && i--;)
		if (r->layer[i].kind == TCP || r->layer[i].kind == UDP) {
			r->layer[i].v[F_PARTIAL] = 1;
			return;
		}
}

const char *packet_build(char **words, unsigned n, enum packet_place place, const struct like *like,
			 struct built *b)
{
	static struct recipe r;
	const char *bad;
	u32 len;

	r = (struct recipe){.place = place};
	bad = recipe_read(&r, words, n);
	if (bad)
		return bad;
	set_partial(&r);
	len = settle(&r);
	if (len > PACKET_ROOM - r.pad)
		return "too long";
	put_fill(&r, b->data, sizeof(b->data));
	for (u32 i = r.n; i--;)
		put_layer(&r, i, like, b->data);
	for (u32 i = 0; i < r.n; i++)
		free_check(&r.layer[i], like, b->data);
	memset(b->data + len, 0, r.pad);
	b->len = r.has_cut ? min_of(r.cut, len) : len + r.pad;
	b->only = r.only;
	b->ethertype = r.ethertype ? r.ethertype : r.layer[0].kind == IP6 ? ETH_P_IPV6 : ETH_P_IP;
	b->id_free = r.layer[0].kind == IP4 && id_is_free(&r, 0);
	put_vnet(&r, b);
	return NULL;
}
