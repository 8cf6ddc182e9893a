/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes are strangers': all of them are taken from a cursor. */
#include <linux/if_ether.h>
#include <string.h>

#include "cli/trace.h"
#include "wire/esp.h"

static void read_upper(struct cur *c, u8 proto, struct trace_packet *p)
{
	const be16 *port;
	const u8 *icmp;

	p->upper = proto;
	if (proto == PROTO_TCP || proto == PROTO_UDP) {
		port = cur_take(c, 4);
		p->has_ports = port;
		if (port) {
			p->sport = be16_host(port[0]);
			p->dport = be16_host(port[1]);
		}
	}
	if (proto == (p->has_in6 ? PROTO_ICMPV6 : PROTO_ICMP)) {
		icmp = cur_take(c, 2);
		p->has_icmp = icmp;
		if (icmp) {
			p->icmp_type = icmp[0];
			p->icmp_code = icmp[1];
		}
	}
}

static void read_in4(struct cur *c, struct trace_packet *p)
{
	const struct ip4 *h = cur_take(c, IP4_HLEN);

	if (!h || h->ver_ihl >> 4 != 4 || ip4_hlen(h) < IP4_HLEN)
		return;
	p->in4 = *h;
	p->has_in4 = true;
	p->upper = h->proto;
	if (cur_take(c, ip4_hlen(h) - IP4_HLEN) && !ip4_offset(h))
		read_upper(c, h->proto, p);
}

static void read_in6(struct cur *c, struct trace_packet *p)
{
	const struct ip6 *h = cur_take(c, IP6_HLEN);
	struct ip6_upper up;

	if (!h || ip6_version(h) != 6)
		return;
	p->in6 = *h;
	p->has_in6 = true;
	p->upper = h->next;
	if (ip6_walk(c, h->next, &up) == IP6_WALK_OK && !up.offset)
		read_upper(c, up.next, p);
}

static void read_inner(struct cur *c, struct trace_packet *p)
{
	if (p->ethertype == ETH_P_IP)
		read_in4(c, p);
	if (p->ethertype == ETH_P_IPV6)
		read_in6(c, p);
}

static bool read_outer(struct cur *c, struct trace_packet *p)
{
	const struct ip4 *h = cur_take(c, IP4_HLEN);

	if (!h || ip4_hlen(h) < IP4_HLEN)
		return false;
	p->outer = *h;
	p->has_outer = true;
	return cur_take(c, ip4_hlen(h) - IP4_HLEN) && !ip4_offset(h);
}

/* What stands between the headers, and what it says is inside. */
static void read_between(struct cur *c, struct trace_packet *p)
{
	const struct esp *esp;

	switch (p->outer.proto) {
	case PROTO_IPIP:
		p->ethertype = ETH_P_IP;
		break;
	case PROTO_IPV6:
		p->ethertype = ETH_P_IPV6;
		break;
	case PROTO_GRE:
		p->has_gre = gre_parse(c, &p->gre);
		p->ethertype = p->has_gre && !gre_is_refused(p->gre.flags) ? p->gre.type : 0;
		break;
	case PROTO_ESP:
		esp = cur_take(c, sizeof(*esp));
		p->has_spi = esp;
		p->spi = esp ? be32_host(esp->spi) : 0;
		break;
	}
}

void trace_read(const struct trace_event *ev, struct trace_packet *p)
{
	struct cur c = {ev->data, ev->data + min_of(ev->caplen, (u16)TRACE_BYTES)};

	memset(p, 0, sizeof(*p));
	p->ethertype = ev->ethertype;
	if (ev->form == TRACE_LOST || (ev->form != TRACE_INNER && !read_outer(&c, p)))
		return;
	if (ev->form == TRACE_OUTER)
		read_between(&c, p);
	read_inner(&c, p);
}
