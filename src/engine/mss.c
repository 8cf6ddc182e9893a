/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/mss.h"

#include <linux/if_ether.h>

#include "wire/csum.h"
#include "wire/tcp.h"

/* Go over the IP header; false: no TCP header follows it. */
static bool pass_ip4(struct cur *c)
{
	const struct ip4 *h = cur_take(c, IP4_HLEN);
	u32 hlen = h ? ip4_hlen(h) : 0;

	return hlen >= IP4_HLEN && cur_take(c, hlen - IP4_HLEN) && h->proto == PROTO_TCP &&
	       !(be16_host(h->frag) & IP4_OFFSET);
}

static bool pass_ip6(struct cur *c)
{
	const struct ip6 *h = cur_take(c, IP6_HLEN);
	struct ip6_upper up;

	return h && ip6_walk(c, h->next, &up) == IP6_WALK_OK && up.next == PROTO_TCP && !up.offset;
}

/* The header of a segment that opens a connection; NULL: it is none. c is left at its options. */
static struct tcp *find_syn(const struct packet *p, struct cur *c)
{
	const struct tcp *h;

	*c = (struct cur){p->data, p->data + p->len};
	if (!(p->ethertype == ETH_P_IP	   ? pass_ip4(c)
	      : p->ethertype == ETH_P_IPV6 ? pass_ip6(c)
					   : false))
		return NULL;
	h = cur_take(c, TCP_HLEN);
	if (!h || !(h->flags & TCP_F_SYN) || tcp_hlen(h) < TCP_HLEN ||
	    tcp_hlen(h) - TCP_HLEN > cur_left(c))
		return NULL;
	c->end = c->p + tcp_hlen(h) - TCP_HLEN;
	return (struct tcp *)h;
}

/* Where the announced size stands; NULL: nowhere. */
static const u8 *find_option(struct cur *c)
{
	struct tcp_opt o;

	while (tcp_opt_next(c, &o) == TCP_OPT_OK)
		if (o.kind == TCP_O_MSS && o.len == 2)
			return o.data;
	return NULL;
}

/* What `mss` allows for packets of that kind. */
static u32 bound_of(const struct engine_tunnel *t, u16 ethertype, u32 path)
{
	u32 headers = (ethertype == ETH_P_IP ? (u32)IP4_HLEN : (u32)IP6_HLEN) + TCP_HLEN;
	u32 around = (u32)IP4_HLEN + t->hlen, room = t->link.mtu;

	if (t->cfg.mss != TUNL_MSS_AUTO)
		return t->cfg.mss;
	if (path)
		room = min_of(room, path - min_of(path, around));
	return max_of(room - min_of(room, headers), (u32)TUNL_MSS_MIN);
}

/*
 * Put the size in place of the old one. A checksum that is still to be filled in
 * does not know the option yet; else it follows (RFC 1624), by words that begin
 * at even bytes of the header.
 */
static void put(struct packet *p, struct tcp *h, u8 *at, u16 size)
{
	be16 old, new = be16_of(size);

	__builtin_memcpy(&old, at, sizeof(old));
	__builtin_memcpy(at, &new, sizeof(new));
	if (p->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		return;
	if ((at - (u8 *)h) % 2) {
		old.raw = __builtin_bswap16(old.raw);
		new.raw = __builtin_bswap16(new.raw);
	}
	h->check = csum_replace(h->check, old, new);
}

void mss_bound(const struct engine_tunnel *t, struct packet *p, u32 path)
{
	struct tcp *h;
	const u8 *at;
	struct cur c;
	u32 bound;

	if (!t->cfg.mss)
		return;
	h = find_syn(p, &c);
	at = h ? find_option(&c) : NULL;
	if (!at)
		return;
	bound = bound_of(t, p->ethertype, path);
	if (((u32)at[0] << 8 | at[1]) > bound)
		put(p, h, (u8 *)at, (u16)bound);
}
