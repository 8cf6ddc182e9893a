/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands between an outer IP header and the inner packet: GRE, GUE, FOU; and ESP. */
#include <stdio.h>
#include <string.h>

#include "lab/dissect_impl.h"
#include "wire/esp.h"
#include "wire/eth.h"
#include "wire/gre.h"
#include "wire/gue.h"

enum { GRE_SRE_MAX = 16 }; /* routing entries that are gone through */

static void gre_flags(struct work *w, const be16 *flags)
{
	static const struct {
		u16 bit;
		const char *name;
	} names[] = {{GRE_C, "C"}, {GRE_R, "R"},   {GRE_K, "K"},
		     {GRE_S, "S"}, {GRE_SSR, "s"}, {GRE_A, "A"}};
	u16 f = be16_host(*flags);
	char text[16] = "";

	for (size_t i = 0; i < countof(names); i++)
		if (f & names[i].bit)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				 text[0] ? " " : "", names[i].name);
	field_add(w, "flags", at(flags, 2), "0x%04x (%s)", f, text[0] ? text : "none");
}

static void gre_head(struct work *w, const struct gre *h)
{
	const char *name = name_ether_type(be16_host(h->type));

	gre_flags(w, &h->flags);
	field_add(w, "protocol", at(&h->type, 2), name ? "0x%04x (%s)" : "0x%04x",
		  be16_host(h->type), name);
}

/* RFC 1701: routing entries, the last of them with length 0. False if they do not end. */
static bool gre_routing(struct work *w, struct span *s)
{
	const u8 *e;

	for (int i = 0; i < GRE_SRE_MAX; i++) {
		e = layer_header(w, s, 4);
		if (!e || !layer_header(w, s, e[3]))
			return false;
		field_add(w, "routing entry", at(e, 4u + e[3]), "family 0x%02x%02x, %u bytes", e[0],
			  e[1], e[3]);
		if (!e[3])
			return true;
	}
	layer_error(w, "more than %d routing entries", GRE_SRE_MAX);
	return false;
}

/* The optional fields of version 0, all of the header but its first 4 bytes. */
static bool gre_options(struct work *w, u16 flags, struct span *s, const struct span *all)
{
	const be16 *sum = NULL;
	const be32 *word;

	if (flags & (GRE_C | GRE_R) && !(sum = layer_header(w, s, 4)))
		return false;
	if (flags & GRE_C) {
		w->rerouted = false;
		layer_checksum(w, all, 0, sum);
	}
	if (flags & GRE_K) {
		word = layer_header(w, s, 4);
		if (!word)
			return false;
		field_add(w, "key", at(word, 4), "%u", be32_host(*word));
	}
	if (flags & GRE_S) {
		word = layer_header(w, s, 4);
		if (!word)
			return false;
		field_add(w, "sequence", at(word, 4), "%u", be32_host(*word));
	}
	return !(flags & GRE_R) || gre_routing(w, s);
}

/* Version 1 (RFC 2637, PPTP): the key is two numbers, an acknowledgment may follow. */
static struct step gre_pptp(struct work *w, u16 flags, struct span s)
{
	const be16 *key = layer_header(w, &s, 4);
	const be32 *seq = NULL, *ack = NULL;

	if (!key)
		return dissect_end;
	field_add(w, "payload length", at(key, 2), "%u", be16_host(key[0]));
	field_add(w, "call id", at(key + 1, 2), "%u", be16_host(key[1]));
	if (flags & GRE_S && !(seq = layer_header(w, &s, 4)))
		return dissect_end;
	if (flags & GRE_A && !(ack = layer_header(w, &s, 4)))
		return dissect_end;
	if (seq)
		field_add(w, "sequence", at(seq, 4), "%u", be32_host(*seq));
	if (ack)
		field_add(w, "acknowledgment", at(ack, 4), "%u", be32_host(*ack));
	return (struct step){step_data, s};
}

/* WCCP (spec datapath 7.1): IPv4 behind 4 bytes more, or at once. */
static struct step gre_wccp(struct work *w, struct span s)
{
	const u8 *first = s.c.p;

	if (cur_left(&s.c) && *first >> 4 == 4)
		return (struct step){dissect_ip4, s};
	if (!layer_header(w, &s, 4))
		return dissect_end;
	field_add(w, "redirect header", at(first, 4), "%02x%02x%02x%02x", first[0], first[1],
		  first[2], first[3]);
	return (struct step){dissect_ip4, s};
}

struct step dissect_gre(struct work *w, struct span s)
{
	const struct gre *h;
	struct span all = s;
	u16 flags;

	layer_open(w, LAYER_WRAP, "GRE", &s);
	h = layer_header(w, &s, GRE_HLEN);
	if (!h)
		return dissect_end;
	flags = be16_host(h->flags);
	gre_head(w, h);
	if ((flags & GRE_VER) == 1)
		return gre_pptp(w, flags, s);
	if (flags & GRE_VER) {
		layer_error(w, "version %u is not known", flags & GRE_VER);
		return (struct step){step_data, s};
	}
	if (!gre_options(w, flags, &s, &all))
		return dissect_end;
	if (gre_is_refused(flags))
		layer_note(w, "Linux drops such a header (%s)",
			   flags & GRE_R ? "routing" : "reserved bits");
	if (be16_host(h->type) == ETYPE_WCCP && !flags)
		return gre_wccp(w, s);
	return step_ether_type(be16_host(h->type), s);
}

struct step dissect_esp(struct work *w, struct span s)
{
	const struct esp *h;

	layer_open(w, LAYER_UPPER, "ESP", &s);
	h = layer_header(w, &s, sizeof(*h));
	if (!h)
		return dissect_end;
	field_add(w, "spi", at(&h->spi, 4), "0x%08x", be32_host(h->spi));
	field_add(w, "sequence", at(&h->seq, 4), "%u", be32_host(h->seq));
	layer_note(w, "what follows is encrypted");
	return (struct step){step_data, s};
}

static const char *gue_complaint(enum gue_got got)
{
	switch (got) {
	case GUE_VERSION:
		return "its version is not known";
	case GUE_CONTROL:
		return "a control message, or protocol 0";
	case GUE_FLAGS:
		return "it has a flag that is not known";
	case GUE_OPTIONS:
		return "its options do not fit its header length";
	case GUE_OK:
	case GUE_SHORT:
		break;
	}
	return "";
}

static void gue_fields(struct work *w, const struct gue *h, const struct gue_fields *f)
{
	const char *name = name_ip_proto(h->proto);

	field_add(w, "version", at(h, 1), "%u", gue_version(h));
	field_add(w, "header length", at(h, 1), "%u", gue_hlen(h));
	field_add(w, "protocol", at(&h->proto, 1), name ? "%u (%s)" : "%u", h->proto, name);
	field_add(w, "flags", at(&h->flags, 2), "0x%04x", be16_host(h->flags));
	if (f->remcsum)
		field_add(w, "remote checksum", at((const u8 *)h + 8, 4), "from %u, at %u",
			  f->start, f->offset);
}

struct step dissect_gue(struct work *w, struct span s)
{
	struct cur c = s.c;
	struct gue_fields f;
	enum gue_got got = gue_parse(&c, &f);
	const struct gue *h;

	/* version 1 is no header: the IP header shows by itself what is there */
	if (got == GUE_OK && f.version == 1)
		return dissect_ip(w, s);
	layer_open(w, LAYER_WRAP, "GUE", &s);
	h = layer_header(w, &s, GUE_HLEN);
	if (!h)
		return dissect_end;
	gue_fields(w, h, &f);
	if (got == GUE_VERSION) {
		layer_error(w, "%s", gue_complaint(got));
		return dissect_end;
	}
	if (!layer_header(w, &s, gue_hlen(h) - GUE_HLEN))
		return dissect_end;
	if (got == GUE_OK)
		return step_ip_proto(w, f.proto, s);
	if (got == GUE_OPTIONS)
		layer_error(w, "%s", gue_complaint(got));
	else
		layer_note(w, "Linux drops it: %s", gue_complaint(got));
	return got == GUE_CONTROL ? (struct step){step_data, s} : step_ip_proto(w, f.proto, s);
}

struct step step_udp_port(struct work *w, u16 port, struct span s)
{
	const struct dissect_ports *p = w->ports;

	for (u16 i = 0; i < p->n_gue; i++)
		if (p->gue[i] == port)
			return (struct step){dissect_gue, s};
	for (u16 i = 0; i < p->n_fou; i++) {
		if (p->fou[i].port != port)
			continue;
		if (!p->fou[i].ip_proto)
			return (struct step){dissect_ip, s};
		return step_ip_proto(w, p->fou[i].ip_proto, s);
	}
	return dissect_end;
}
