/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dissector's core: the loop over the layers, and the one way in which a
 * layer takes its header, is held to its length, and gets fields, notes and
 * errors. It trusts nothing in the frame: every byte comes by cur_take().
 */
#include "lab/dissect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lab/dissect_impl.h"
#include "wire/gue.h"

const struct dissect_ports dissect_ports_default = {.gue = {GUE_PORT}, .n_gue = 1};
const struct step dissect_end;
const struct place computed;

struct layer *layer_open(struct work *w, enum layer_kind kind, const char *name,
			 const struct span *s)
{
	struct layer *l = &w->d->layers[w->d->n_layers++];

	memset(l, 0, sizeof(*l));
	l->kind = kind;
	l->name = name;
	l->offset = (u32)(s->c.p - w->f->data);
	l->size = s->size;
	l->quoted = w->part == PART_QUOTE;
	l->first_field = w->d->n_fields;
	w->l = l;
	return l;
}

const void *layer_header(struct work *w, struct span *s, u32 n)
{
	u32 have = cur_left(&s->c);
	const void *p = cur_take(&s->c, n);

	if (p) {
		s->size -= n;
		w->l->hlen += n;
		return p;
	}
	if (s->size >= n) {
		w->d->cut = true;
		layer_note(w, "the capture ends within its header: %u of %u bytes",
			   w->l->hlen + have, w->l->hlen + n);
	} else if (s->whole) {
		layer_error(w, "its header needs %u bytes, only %u are there", w->l->hlen + n,
			    w->l->hlen + s->size);
	} else {
		layer_note(w, "ends within its header: %u of %u bytes", w->l->hlen + s->size,
			   w->l->hlen + n);
	}
	w->l->hlen += have;
	w->l->stub = true;
	return NULL;
}

static void claim_too_much(struct work *w, struct span *s, u32 n, const char *what)
{
	u32 says = w->l->hlen + n, there = w->l->hlen + s->size;

	if (s->whole)
		layer_error(w, "%s says %u bytes, only %u are there", what, says, there);
	else if (w->part == PART_QUOTE)
		layer_note(w, "the quote holds %u of its %u bytes", there, says);
	else
		layer_note(w, "%u of its %u bytes are %s", there, says,
			   w->part == PART_FRAGMENT ? "in this fragment" : "here");
	s->whole = false;
}

void layer_claim(struct work *w, struct span *s, u32 n, const char *what)
{
	if (n > s->size) {
		claim_too_much(w, s, n, what);
	} else {
		w->l->trailer = s->size - n;
		s->size = n;
		s->whole = true; /* all that is claimed is here */
	}
	if (cur_left(&s->c) > s->size)
		s->c.end = s->c.p + s->size;
	w->l->size = w->l->hlen + s->size;
}

void layer_note(struct work *w, const char *fmt, ...)
{
	struct layer *l = w->l;
	va_list ap;

	if (l->n_notes == DISSECT_NOTES)
		return;
	va_start(ap, fmt);
	vsnprintf(l->notes[l->n_notes++], sizeof(l->notes[0]), fmt, ap);
	va_end(ap);
}

void layer_note_trailer(struct work *w)
{
	if (w->l->trailer)
		layer_note(w, "%u byte%s behind it belong to no packet (padding)", w->l->trailer,
			   w->l->trailer == 1 ? "" : "s");
}

void layer_error(struct work *w, const char *fmt, ...)
{
	va_list ap;

	if (w->l->error[0])
		return;
	va_start(ap, fmt);
	vsnprintf(w->l->error, sizeof(w->l->error), fmt, ap);
	va_end(ap);
}

void field_add(struct work *w, const char *name, struct place place, const char *fmt, ...)
{
	struct field *fd = &w->d->fields[w->d->n_fields];
	va_list ap;

	if (w->d->n_fields == DISSECT_FIELDS)
		return;
	fd->name = name;
	fd->offset = place.p ? (u32)(place.p - w->f->data) : 0;
	fd->size = place.size;
	va_start(ap, fmt);
	vsnprintf(fd->value, sizeof(fd->value), fmt, ap);
	va_end(ap);
	w->d->n_fields++;
	w->l->n_fields++;
}

void field_ip4(struct work *w, const char *name, const be32 *a)
{
	char text[INET_ADDRSTRLEN];

	field_add(w, name, at(a, sizeof(*a)), "%s", inet_ntop(AF_INET, a, text, sizeof(text)));
}

void field_ip6(struct work *w, const char *name, const struct ip6_addr *a)
{
	char text[INET6_ADDRSTRLEN];

	field_add(w, name, at(a, sizeof(*a)), "%s", inet_ntop(AF_INET6, a, text, sizeof(text)));
}

void field_mac(struct work *w, const char *name, const u8 *a, u32 len)
{
	char text[3 * 8 + 1] = "";

	for (u32 i = 0; i < len && i < 8; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%02x", i ? ":" : "",
			 a[i]);
	field_add(w, name, at(a, len), "%s", text);
}

u32 pseudo_sum(const struct work *w, u8 ip_proto, u32 len)
{
	if (w->ip6)
		return ip6_pseudo(&w->ip6->src, &w->ip6->dst, ip_proto, len);
	if (w->ip4)
		return ip4_pseudo(w->ip4->src, w->ip4->dst, ip_proto, (u16)len);
	return 0;
}

void layer_checksum(struct work *w, const struct span *s, u32 pseudo, const be16 *check)
{
	struct layer *l = w->l;
	u32 sum;

	l->csum_found = be16_host(*check);
	l->csum = CSUM_UNCHECKED;
	if (!s->whole || cur_left(&s->c) < s->size || w->rerouted)
		return;
	sum = csum_add(pseudo, s->c.p, s->size);
	if (csum_ok(sum)) {
		l->csum = CSUM_GOOD;
		return;
	}
	/* without the field itself, which counts as 0: ones' complement subtraction */
	l->csum_want = be16_host(csum_finish(sum + (u16)~check->raw));
	l->csum = pseudo && check->raw == csum_fold(pseudo) ? CSUM_PARTIAL : CSUM_BAD;
}

struct step step_data(struct work *w, struct span s)
{
	struct layer *l;

	if (!s.size)
		return dissect_end;
	l = layer_open(w, LAYER_DATA, "data", &s);
	if (cur_left(&s.c) < s.size) {
		w->d->cut = true;
		layer_note(w, "the capture keeps %u of %u bytes", cur_left(&s.c), l->size);
	}
	return dissect_end;
}

static const struct {
	u32 linktype;
	struct step (*fn)(struct work *w, struct span s);
} links[] = {
	{LINKTYPE_ETHERNET, dissect_ethernet}, {LINKTYPE_RAW_BSD, dissect_ip},
	{LINKTYPE_RAW_OBSD, dissect_ip},       {LINKTYPE_RAW, dissect_ip},
	{LINKTYPE_SLL, dissect_sll},	       {LINKTYPE_IPV4, dissect_ip4},
	{LINKTYPE_IPV6, dissect_ip6},	       {LINKTYPE_SLL2, dissect_sll2},
};

static struct step first_step(struct work *w, struct span s)
{
	for (size_t i = 0; i < countof(links); i++)
		if (links[i].linktype == w->f->linktype)
			return (struct step){links[i].fn, s};
	layer_open(w, LAYER_DATA, "data", &s);
	layer_error(w, "link type %u is none that tunl knows", w->f->linktype);
	return dissect_end;
}

static void walk(struct work *w, struct step step)
{
	while (step.fn && w->d->n_layers < DISSECT_LAYERS)
		step = step.fn(w, step.s);
	if (step.fn && step.s.size)
		layer_note(w, "what is deeper than %d layers is not taken apart", DISSECT_LAYERS);
}

int dissect_frame(struct dissection *d, const struct frame *f, const struct dissect_ports *ports)
{
	struct work w = {.d = d, .f = f, .ports = ports ? ports : &dissect_ports_default};
	struct span s = {{f->data, f->data + f->caplen}, max_of(f->len, f->caplen), true};

	d->n_layers = 0;
	d->n_fields = 0;
	d->cut = f->caplen < f->len;
	walk(&w, first_step(&w, s));
	return dissect_broken(d) ? -EBADMSG : 0;
}

const struct layer *dissect_broken(const struct dissection *d)
{
	for (u16 i = 0; i < d->n_layers; i++)
		if (d->layers[i].error[0])
			return &d->layers[i];
	return NULL;
}

const struct field *dissect_field(const struct dissection *d, const struct layer *l,
				  const char *name)
{
	for (u16 i = 0; i < l->n_fields; i++)
		if (!strcmp(d->fields[l->first_field + i].name, name))
			return &d->fields[l->first_field + i];
	return NULL;
}
