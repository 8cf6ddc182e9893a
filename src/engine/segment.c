/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each segment gets a copy of the headers with what differs (spec datapath 11):
 * lengths, IPv4 id, TCP sequence number, PSH and FIN only on the last, CWR only
 * on the first, and its own checksums.
 */
#include "engine/segment.h"

#include <linux/if_ether.h>
#include <string.h>

#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

enum { SEGMENT_HEAD = 160 }; /* most bytes of headers: fits into ENGINE_HEAD with an outer one */

static u8 gso_proto(u8 type)
{
	return (type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_UDP_L4 ? PROTO_UDP
									     : PROTO_TCP;
}

/* Where the transport header begins; 0: not the packet it should be. */
static u32 l4_offset(const struct packet *p, u8 proto)
{
	const struct ip4 *h4 = (const void *)p->data;
	struct cur c = {p->data, p->data + p->len};
	const struct ip6 *h6;
	struct ip6_upper up;

	if (p->ethertype == ETH_P_IP) {
		u32 hlen = p->len < IP4_HLEN ? 0 : ip4_hlen(h4);

		return hlen < IP4_HLEN || h4->proto != proto || ip4_is_fragment(h4) ? 0 : hlen;
	}
	h6 = cur_take(&c, IP6_HLEN);
	if (p->ethertype != ETH_P_IPV6 || !h6 || ip6_walk(&c, h6->next, &up) || up.next != proto ||
	    up.fragment)
		return 0;
	return (u32)(c.p - p->data);
}

bool segments_init(struct segments *s, const struct packet *p)
{
	u32 l4len = UDP_HLEN;

	*s = (struct segments){.l4_proto = gso_proto(p->vnet.gso_type), .size = p->vnet.gso_size};
	s->l4 = l4_offset(p, s->l4_proto);
	if (!s->l4 || !s->size || s->l4 + UDP_HLEN > p->len)
		return false;
	if (s->l4_proto == PROTO_TCP) {
		if (s->l4 + TCP_HLEN > p->len)
			return false;
		l4len = tcp_hlen((const void *)(p->data + s->l4));
		if (l4len < TCP_HLEN)
			return false;
	}
	s->hlen = s->l4 + l4len;
	if (s->hlen > p->len || s->hlen > SEGMENT_HEAD)
		return false;
	s->head = p->data;
	s->body = p->data + s->hlen;
	s->len = p->len - s->hlen;
	s->v6 = p->ethertype == ETH_P_IPV6;
	return true;
}

u32 segments_count(const struct segments *s)
{
	return s->len ? (s->len + s->size - 1) / s->size : 1;
}

static void fix_ip(const struct segments *s, u8 *head, u32 len)
{
	struct ip4 *h = (void *)head;

	if (s->v6) {
		((struct ip6 *)head)->len = be16_of((u16)(s->hlen - IP6_HLEN + len));
		return;
	}
	h->len = be16_of((u16)(s->hlen + len));
	h->id = be16_of((u16)(be16_host(h->id) + s->index));
	h->check.raw = 0;
	h->check = csum_finish(csum_add(0, h, s->l4));
}

static u32 l4_sum(const struct segments *s, const u8 *head, const u8 *body, u32 body_len)
{
	u32 len = s->hlen - s->l4 + body_len;
	const struct ip4 *h4 = (const void *)head;
	const struct ip6 *h6 = (const void *)head;
	u32 sum = s->v6 ? ip6_pseudo(&h6->src, &h6->dst, s->l4_proto, len)
			: ip4_pseudo(h4->src, h4->dst, s->l4_proto, (u16)len);

	sum = csum_add(sum, head + s->l4, s->hlen - s->l4);
	return csum_add(sum, body, body_len);
}

static void fix_tcp(const struct segments *s, u8 *head, const u8 *body, u32 body_len)
{
	struct tcp *h = (void *)(head + s->l4);

	h->seq = be32_of(be32_host(h->seq) + s->done);
	if (s->done + body_len < s->len)
		h->flags &= (u8) ~(TCP_F_PSH | TCP_F_FIN);
	if (s->index)
		h->flags &= (u8)~TCP_F_CWR;
	h->check.raw = 0;
	h->check = csum_finish(l4_sum(s, head, body, body_len));
}

static void fix_udp(const struct segments *s, u8 *head, const u8 *body, u32 body_len)
{
	struct udp *h = (void *)(head + s->l4);

	h->len = be16_of((u16)(UDP_HLEN + body_len));
	h->check.raw = 0;
	h->check = udp_csum_finish(l4_sum(s, head, body, body_len));
}

bool segments_next(struct segments *s, u8 *head, const u8 **body, u32 *body_len)
{
	u32 len = min_of(s->size, s->len - s->done);

	if (s->index && !len)
		return false;
	*body = s->body + s->done;
	*body_len = len;
	memcpy(head, s->head, s->hlen);
	fix_ip(s, head, len);
	if (s->l4_proto == PROTO_TCP)
		fix_tcp(s, head, *body, len);
	else
		fix_udp(s, head, *body, len);
	s->done += len;
	s->index++;
	return true;
}

bool packet_checksum(struct packet *p)
{
	u32 start = p->vnet.csum_start, at = start + p->vnet.csum_offset;
	be16 check;

	if (!(p->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return true;
	if (at + 2 > p->len)
		return false;
	check = csum_finish(csum_add(0, p->data + start, p->len - start));
	if (!check.raw) /* means "none" to UDP, and is the same sum */
		check.raw = 0xffff;
	memcpy(p->data + at, &check, 2);
	p->vnet.flags = 0;
	return true;
}

void segment_cut(struct packet *p, u32 len)
{
	struct ip4 *h = (void *)p->data;

	if (p->ethertype == ETH_P_IPV6)
		((struct ip6 *)p->data)->len = be16_of((u16)(len - IP6_HLEN));
	if (p->ethertype != ETH_P_IP)
		return;
	h->len = be16_of((u16)len);
	h->check.raw = 0;
	h->check = csum_finish(csum_add(0, h, min_of(ip4_hlen(h), len)));
}
