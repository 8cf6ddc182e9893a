/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 with its options, IPv6 with its extension headers, fragments of both. */
#include <stdio.h>
#include <string.h>

#include "lab/dissect_impl.h"

static struct step fragment_data(struct work *w, struct span s)
{
	struct step next = step_data(w, s);

	if (s.size)
		w->l->name = "fragment";
	return next;
}

/* What this fragment is, offset in bytes; s is its payload. */
static void note_fragment(struct work *w, u32 offset, bool more, const struct span *s)
{
	if (!offset)
		layer_note(w, "first fragment: bytes 0 to %u of the payload; more follow",
			   s->size ? s->size - 1 : 0);
	else
		layer_note(w, "%s fragment: bytes %u to %u of the payload",
			   more ? "middle" : "last", offset,
			   s->size ? offset + s->size - 1 : offset);
	if (more && s->size % 8)
		layer_note(w, "a fragment that is not the last holds a multiple of 8 bytes");
	if (offset + s->size > IP4_MAX_LEN)
		layer_error(w, "fragment reaches to byte %u, beyond the largest packet",
			    offset + s->size);
}

static const char *option_name(u8 kind)
{
	switch (kind) {
	case 7:
		return "record route";
	case 68:
		return "timestamp";
	case 131:
		return "loose source route";
	case 137:
		return "strict source route";
	case 148:
		return "router alert";
	default:
		return "option";
	}
}

/* RFC 791 3.1: one-byte end (0) and no-operation (1), all else with a length. */
static void ip4_options(struct work *w, const u8 *p, u32 n)
{
	struct cur c = {p, p + n};
	const u8 *o, *len;

	while ((o = cur_take(&c, 1)) && *o) {
		if (*o == 1)
			continue;
		len = cur_take(&c, 1);
		if (!len || *len < 2 || !cur_take(&c, *len - 2u)) {
			layer_error(w, "option %u at offset %u has a length that cannot be", *o,
				    (u32)(o - w->f->data));
			return;
		}
		field_add(w, option_name(*o), at(o, *len), "kind %u, %u bytes", *o, *len);
	}
}

static void ip4_fields(struct work *w, const struct ip4 *h)
{
	const char *name = name_ip_proto(h->proto);
	u16 frag = be16_host(h->frag);

	field_ip4(w, "source", &h->src);
	field_ip4(w, "destination", &h->dst);
	field_add(w, "protocol", at(&h->proto, 1), name ? "%u (%s)" : "%u", h->proto, name);
	field_add(w, "total length", at(&h->len, 2), "%u", be16_host(h->len));
	field_add(w, "ttl", at(&h->ttl, 1), "%u", h->ttl);
	field_add(w, "tos", at(&h->tos, 1), "0x%02x", h->tos);
	field_add(w, "id", at(&h->id, 2), "0x%04x", be16_host(h->id));
	field_add(w, "flags", at(&h->frag, 2), "%s%s%s", frag & IP4_DF ? "DF" : "",
		  frag & IP4_MF ? (frag & IP4_DF ? " MF" : "MF") : "",
		  !(frag & (IP4_DF | IP4_MF)) ? "none" : "");
	if (frag & IP4_RF)
		layer_note(w, "the reserved flag is set");
	if (ip4_is_fragment(h))
		field_add(w, "fragment offset", at(&h->frag, 2), "%u", ip4_offset(h));
}

/* The rest of the header, and its checksum. False if it is not all there. */
static bool ip4_rest(struct work *w, const struct ip4 *h, struct span *s)
{
	u32 n = ip4_hlen(h);
	struct span header = {{(const u8 *)h, (const u8 *)h + n}, n, true};
	const u8 *options = layer_header(w, s, n - IP4_HLEN);

	if (!options)
		return false;
	ip4_options(w, options, n - IP4_HLEN);
	w->rerouted = false;
	layer_checksum(w, &header, 0, &h->check);
	return true;
}

static void ip4_length(struct work *w, const struct ip4 *h, struct span *s)
{
	u32 len = be16_host(h->len), hlen = w->l->hlen;

	if (!len && hlen + s->size > IP4_MAX_LEN)
		layer_note(w, "length 0: one packet of %u bytes before segmentation",
			   hlen + s->size);
	else if (len < hlen)
		layer_error(w, "total length %u is less than its header of %u bytes", len, hlen);
	else
		layer_claim(w, s, len - hlen, "total length");
}

struct step dissect_ip4(struct work *w, struct span s)
{
	const struct ip4 *h;

	layer_open(w, LAYER_IP, "IPv4", &s);
	h = layer_header(w, &s, IP4_HLEN);
	if (!h)
		return dissect_end;
	if (h->ver_ihl >> 4 != 4) {
		layer_error(w, "version is %u, not 4", h->ver_ihl >> 4);
		return dissect_end;
	}
	ip4_fields(w, h);
	if (ip4_hlen(h) < IP4_HLEN) {
		layer_error(w, "header length %u is below 20", ip4_hlen(h));
		return dissect_end;
	}
	if (!ip4_rest(w, h, &s))
		return dissect_end;
	ip4_length(w, h, &s);
	layer_note_trailer(w);
	w->ip4 = h;
	w->ip6 = NULL;
	if (!ip4_is_fragment(h))
		return step_ip_proto(w, h->proto, s);
	note_fragment(w, ip4_offset(h), be16_host(h->frag) & IP4_MF, &s);
	s.whole = false;
	if (w->part == PART_WHOLE)
		w->part = PART_FRAGMENT;
	return ip4_offset(h) ? (struct step){fragment_data, s} : step_ip_proto(w, h->proto, s);
}

static void ip6_fields(struct work *w, const struct ip6 *h)
{
	const char *name = name_ip_proto(h->next);

	field_ip6(w, "source", &h->src);
	field_ip6(w, "destination", &h->dst);
	field_add(w, "next header", at(&h->next, 1), name ? "%u (%s)" : "%u", h->next, name);
	field_add(w, "payload length", at(&h->len, 2), "%u", be16_host(h->len));
	field_add(w, "hop limit", at(&h->hops, 1), "%u", h->hops);
	field_add(w, "traffic class", at(&h->vtf, 2), "0x%02x", ip6_tclass(h));
	field_add(w, "flow label", at(&h->vtf, 4), "0x%05x", ip6_flowlabel(h));
}

struct step dissect_ip6(struct work *w, struct span s)
{
	const struct ip6 *h;

	layer_open(w, LAYER_IP, "IPv6", &s);
	h = layer_header(w, &s, IP6_HLEN);
	if (!h)
		return dissect_end;
	if (ip6_version(h) != 6) {
		layer_error(w, "version is %u, not 6", ip6_version(h));
		return dissect_end;
	}
	ip6_fields(w, h);
	/* RFC 2675: 0 with a jumbo option; without one there is nothing behind */
	if (h->len.raw || s.size <= IP4_MAX_LEN)
		layer_claim(w, &s, be16_host(h->len), "payload length, its header included,");
	else
		layer_note(w, "length 0: a jumbogram, or one packet before segmentation");
	layer_note_trailer(w);
	w->ip4 = NULL;
	w->ip6 = h;
	w->rerouted = false;
	return step_ip_proto(w, h->next, s);
}

struct step dissect_ip(struct work *w, struct span s)
{
	struct cur c = s.c;
	const u8 *b = cur_take(&c, 1);

	if (b && *b >> 4 == 6)
		return dissect_ip6(w, s);
	if (b && *b >> 4 == 4)
		return dissect_ip4(w, s);
	if (b || s.whole) {
		layer_open(w, LAYER_DATA, "data", &s);
		if (b)
			layer_error(w, "version %u is neither IPv4 nor IPv6", *b >> 4);
		else
			layer_error(w, "an IP packet should be here, but there are no bytes");
	}
	return dissect_end;
}

static struct step ip6_fragment(struct work *w, const struct ip6_fraghdr *h, struct span s)
{
	u16 frag = be16_host(h->frag);
	u32 offset = frag & IP6_OFFSET;

	field_add(w, "fragment offset", at(&h->frag, 2), "%u", offset);
	field_add(w, "more fragments", at(&h->frag, 2), "%u", frag & IP6_MF);
	field_add(w, "id", at(&h->id, 4), "0x%08x", be32_host(h->id));
	if (!offset && !(frag & IP6_MF)) {
		layer_note(w, "atomic fragment: it is the whole packet");
		return step_ip_proto(w, h->next, s);
	}
	note_fragment(w, offset, frag & IP6_MF, &s);
	s.whole = false;
	if (w->part == PART_WHOLE)
		w->part = PART_FRAGMENT;
	return offset ? (struct step){fragment_data, s} : step_ip_proto(w, h->next, s);
}

/* One extension header of the kind `kind`, named. */
static struct step extension(struct work *w, struct span s, u8 kind, const char *name)
{
	const struct ip6_opthdr *h;
	const char *next;
	u32 len;

	layer_open(w, LAYER_EXT, name, &s);
	h = layer_header(w, &s, 8);
	if (!h)
		return dissect_end;
	next = name_ip_proto(h->next);
	field_add(w, "next header", at(&h->next, 1), next ? "%u (%s)" : "%u", h->next, next);
	len = ip6_ext_len(kind, h);
	if (len < 8) {
		layer_error(w, "length %u is below 8", len);
		return dissect_end;
	}
	if (!layer_header(w, &s, len - 8))
		return dissect_end;
	if (kind == PROTO_FRAGMENT)
		return ip6_fragment(w, (const void *)h, s);
	/* third and fourth byte of a routing header: its type, and segments left */
	if (kind == PROTO_ROUTING && ((const u8 *)h)[3]) {
		field_add(w, "segments left", at((const u8 *)h + 3, 1), "%u", ((const u8 *)h)[3]);
		w->rerouted = true;
	}
	return step_ip_proto(w, h->next, s);
}

#define EXTENSION(fn, kind, name)                                                                  \
	static struct step fn(struct work *w, struct span s)                                       \
	{                                                                                          \
		return extension(w, s, kind, name);                                                \
	}

EXTENSION(ext_hopopts, PROTO_HOPOPTS, "IPv6 hop-by-hop options")
EXTENSION(ext_routing, PROTO_ROUTING, "IPv6 routing header")
EXTENSION(ext_fragment, PROTO_FRAGMENT, "IPv6 fragment header")
EXTENSION(ext_ah, PROTO_AH, "AH")
EXTENSION(ext_dstopts, PROTO_DSTOPTS, "IPv6 destination options")
EXTENSION(ext_mobility, PROTO_MOBILITY, "IPv6 mobility header")
EXTENSION(ext_hip, PROTO_HIP, "HIP")
EXTENSION(ext_shim6, PROTO_SHIM6, "Shim6")

static const struct {
	u8 proto;
	bool ip6_only;
	struct step (*fn)(struct work *w, struct span s);
} uppers[] = {
	{PROTO_ICMP, false, dissect_icmp},  {PROTO_IPIP, false, dissect_ip4},
	{PROTO_TCP, false, dissect_tcp},    {PROTO_UDP, false, dissect_udp},
	{PROTO_IPV6, false, dissect_ip6},   {PROTO_GRE, false, dissect_gre},
	{PROTO_ESP, false, dissect_esp},    {PROTO_ICMPV6, false, dissect_icmp6},
	{PROTO_AH, false, ext_ah},	    {PROTO_HOPOPTS, true, ext_hopopts},
	{PROTO_ROUTING, true, ext_routing}, {PROTO_FRAGMENT, true, ext_fragment},
	{PROTO_DSTOPTS, true, ext_dstopts}, {PROTO_MOBILITY, true, ext_mobility},
	{PROTO_HIP, true, ext_hip},	    {PROTO_SHIM6, true, ext_shim6},
};

struct step step_ip_proto(struct work *w, u8 ip_proto, struct span s)
{
	for (size_t i = 0; i < countof(uppers); i++)
		if (uppers[i].proto == ip_proto && (!uppers[i].ip6_only || w->ip6))
			return (struct step){uppers[i].fn, s};
	return (struct step){step_data, s};
}
