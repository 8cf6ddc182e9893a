/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP, ICMPv6, TCP, UDP. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lab/dissect_impl.h"
#include "wire/icmp.h"
#include "wire/tcp.h"
#include "wire/udp.h"

static void icmp_type(struct work *w, const struct icmp_hdr *h, const char *name)
{
	field_add(w, "type", at(&h->type, 1), name ? "%u (%s)" : "%u", h->type, name);
	field_add(w, "code", at(&h->code, 1), "%u", h->code);
}

static void icmp_echo(struct work *w, const struct icmp_hdr *h)
{
	field_add(w, "id", at(&h->u.echo.id, 2), "0x%04x", be16_host(h->u.echo.id));
	field_add(w, "sequence", at(&h->u.echo.seq, 2), "%u", be16_host(h->u.echo.seq));
}

/*
 * The start of the packet that an error is about. words: RFC 4884's length of
 * the quote, in units of `unit` bytes; 0: it reaches to the end.
 */
static struct step icmp_quote(struct work *w, struct span s, u32 words, u32 unit)
{
	u32 n = words * unit, more;

	if (words && n > s.size && s.whole) {
		layer_error(w, "quote length says %u bytes, only %u are there", n, s.size);
	} else if (words && n < s.size) {
		more = s.size - n;
		layer_note(w, "%u bytes of extensions behind the quote (RFC 4884)", more);
		s.size = n;
		if (cur_left(&s.c) > n)
			s.c.end = s.c.p + n;
	}
	/* a quote in a quote stays one: errors about errors are not sent */
	w->part = PART_QUOTE;
	s.whole = false;
	return (struct step){dissect_ip, s};
}

struct step dissect_icmp(struct work *w, struct span s)
{
	const struct icmp_hdr *h;
	struct span all = s;
	u32 words = 0;

	layer_open(w, LAYER_UPPER, "ICMP", &s);
	h = layer_header(w, &s, sizeof(*h));
	if (!h)
		return dissect_end;
	icmp_type(w, h, name_icmp(h->type, h->code));
	layer_checksum(w, &all, 0, &h->check);
	if (h->type == ICMP4_T_ECHO || h->type == ICMP4_T_ECHOREPLY)
		icmp_echo(w, h);
	if (h->type == ICMP4_T_UNREACH && h->code == ICMP4_C_FRAG)
		field_add(w, "mtu", at(&h->u.frag.mtu, 2), "%u", be16_host(h->u.frag.mtu));
	if (h->type == ICMP4_T_REDIRECT)
		field_ip4(w, "gateway", &h->u.gateway);
	if (!icmp4_has_quote(h->type) || !s.size)
		return (struct step){step_data, s};
	if (h->type == ICMP4_T_UNREACH || h->type == ICMP4_T_EXCEEDED || h->type == ICMP4_T_PARAM)
		words = h->u.frag.quote_words;
	return icmp_quote(w, s, words, 4);
}

/* RFC 4861 4.3, 4.4: neighbour messages name the address they are about. */
static struct step icmp6_neighbour(struct work *w, struct span s)
{
	const struct ip6_addr *target = layer_header(w, &s, sizeof(*target));

	if (!target)
		return dissect_end;
	field_ip6(w, "target", target);
	return (struct step){step_data, s};
}

struct step dissect_icmp6(struct work *w, struct span s)
{
	const struct icmp_hdr *h;
	struct span all = s;

	layer_open(w, LAYER_UPPER, "ICMPv6", &s);
	h = layer_header(w, &s, sizeof(*h));
	if (!h)
		return dissect_end;
	icmp_type(w, h, name_icmp6(h->type, h->code));
	layer_checksum(w, &all, pseudo_sum(w, PROTO_ICMPV6, all.size), &h->check);
	if (h->type == ICMP6_T_ECHO || h->type == ICMP6_T_ECHOREPLY)
		icmp_echo(w, h);
	if (h->type == ICMP6_T_TOOBIG)
		field_add(w, "mtu", at(&h->u.mtu6, 4), "%u", be32_host(h->u.mtu6));
	if (h->type == ICMP6_T_NS || h->type == ICMP6_T_NA)
		return icmp6_neighbour(w, s);
	if (!icmp6_is_error(h->type) || !s.size)
		return (struct step){step_data, s};
	if (h->type == ICMP6_T_UNREACH || h->type == ICMP6_T_EXCEEDED)
		return icmp_quote(w, s, h->u.frag.unused, 8);
	return icmp_quote(w, s, 0, 8);
}

static void tcp_flags(struct work *w, const struct tcp *h)
{
	static const char *const names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
	char text[48] = "";

	for (int i = 0; i < 8; i++)
		if (h->flags & 1 << i)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				 text[0] ? " " : "", names[i]);
	field_add(w, "flags", at(&h->flags, 1), "%s", text[0] ? text : "none");
}

/* An option's numbers; false if its length is not the one of its kind. */
static bool tcp_option(struct work *w, const struct tcp_opt *o)
{
	struct place all = at(o->data - 2, o->len + 2u);
	u32 a = 0, b = 0;

	if (o->len >= 4)
		__builtin_memcpy(&a, o->data, 4);
	if (o->len >= 8)
		__builtin_memcpy(&b, o->data + 4, 4);
	switch (o->kind) {
	case TCP_O_MSS:
		field_add(w, "mss", all, "%u", o->len == 2 ? o->data[0] << 8 | o->data[1] : 0);
		return o->len == 2;
	case TCP_O_WSCALE:
		field_add(w, "window scale", all, "%u", o->len == 1 ? o->data[0] : 0);
		return o->len == 1;
	case TCP_O_SACK_OK:
		field_add(w, "sack permitted", all, "yes");
		return o->len == 0;
	case TCP_O_TS:
		field_add(w, "timestamps", all, "%u echo %u", ntohl(a), ntohl(b));
		return o->len == 8;
	case TCP_O_SACK:
		field_add(w, "sack", all, "%u block%s, first %u-%u", o->len / 8u,
			  o->len == 8 ? "" : "s", ntohl(a), ntohl(b));
		return o->len && o->len % 8 == 0;
	default:
		field_add(w, "option", all, "kind %u, %u bytes", o->kind, all.size);
		return true;
	}
}

static void tcp_options(struct work *w, const u8 *p, u32 n)
{
	struct cur c = {p, p + n};
	struct tcp_opt o;
	enum tcp_opt_got got;

	while ((got = tcp_opt_next(&c, &o)) == TCP_OPT_OK) {
		if (!tcp_option(w, &o)) {
			layer_error(w, "option %u has a length of %u bytes, which cannot be",
				    o.kind, o.len + 2u);
			return;
		}
	}
	if (got == TCP_OPT_BAD)
		layer_error(w, "an option's length reaches beyond the header");
}

static void tcp_fields(struct work *w, const struct tcp *h)
{
	field_add(w, "source port", at(&h->sport, 2), "%u", be16_host(h->sport));
	field_add(w, "destination port", at(&h->dport, 2), "%u", be16_host(h->dport));
	field_add(w, "sequence", at(&h->seq, 4), "%u", be32_host(h->seq));
	field_add(w, "acknowledgment", at(&h->ack, 4), "%u", be32_host(h->ack));
	tcp_flags(w, h);
	field_add(w, "window", at(&h->window, 2), "%u", be16_host(h->window));
	if (h->flags & TCP_F_URG)
		field_add(w, "urgent", at(&h->urgent, 2), "%u", be16_host(h->urgent));
}

struct step dissect_tcp(struct work *w, struct span s)
{
	const struct tcp *h;
	struct span all = s;
	const u8 *options;

	layer_open(w, LAYER_UPPER, "TCP", &s);
	h = layer_header(w, &s, sizeof(*h));
	if (!h)
		return dissect_end;
	tcp_fields(w, h);
	if (tcp_hlen(h) < TCP_HLEN) {
		layer_error(w, "header length %u is below 20", tcp_hlen(h));
		return dissect_end;
	}
	options = layer_header(w, &s, tcp_hlen(h) - TCP_HLEN);
	if (!options)
		return dissect_end;
	tcp_options(w, options, tcp_hlen(h) - TCP_HLEN);
	layer_checksum(w, &all, pseudo_sum(w, PROTO_TCP, all.size), &h->check);
	return (struct step){step_data, s};
}

static void udp_checksum(struct work *w, const struct udp *h, struct span all)
{
	if (!h->check.raw) {
		w->l->csum = CSUM_ZERO;
		if (w->ip6)
			layer_note(w, "over IPv6 only tunnels may do without a checksum");
		return;
	}
	layer_checksum(w, &all, pseudo_sum(w, PROTO_UDP, all.size), &h->check);
}

struct step dissect_udp(struct work *w, struct span s)
{
	const struct udp *h;
	struct span all = s;
	struct step next;
	u32 len;

	layer_open(w, LAYER_UPPER, "UDP", &s);
	h = layer_header(w, &s, sizeof(*h));
	if (!h)
		return dissect_end;
	len = be16_host(h->len);
	field_add(w, "source port", at(&h->sport, 2), "%u", be16_host(h->sport));
	field_add(w, "destination port", at(&h->dport, 2), "%u", be16_host(h->dport));
	field_add(w, "length", at(&h->len, 2), "%u", len);
	if (len < UDP_HLEN && (len || all.size <= IP4_MAX_LEN))
		layer_error(w, "length %u is less than its header of 8 bytes", len);
	else if (len)
		layer_claim(w, &s, len - UDP_HLEN, "length");
	all.size = s.size + UDP_HLEN;
	all.whole = s.whole;
	all.c.end = s.c.end;
	udp_checksum(w, h, all);
	next = step_udp_port(w, be16_host(h->dport), s);
	if (!next.fn)
		return (struct step){step_data, s};
	w->l->kind = LAYER_WRAP;
	return next;
}
