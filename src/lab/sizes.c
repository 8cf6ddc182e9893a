/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a packet is as long as it is: walk from the outermost IP header inwards to
 * the layer that no longer wraps a packet, and count back outwards.
 */
#include <stdio.h>
#include <string.h>

#include "lab/dissect.h"

static bool wraps(const struct layer *l)
{
	return !l->stub && (l->kind == LAYER_IP || l->kind == LAYER_EXT || l->kind == LAYER_WRAP ||
			    l->kind == LAYER_LINK);
}

static void add(struct size_sum *s, u32 bytes, const char *prefix, const char *name)
{
	if (!bytes)
		return;
	s->parts[s->n++] = (struct size_part){bytes, prefix, name};
	s->total += bytes;
}

static const char *ip_name(const struct layer *l)
{
	return strcmp(l->name, "IPv4") ? l->name : "IP";
}

/* "" of the only one; nth counts from the inside. */
static const char *ip_prefix(unsigned nth, unsigned count)
{
	if (count == 1)
		return "";
	if (nth == 0)
		return "inner ";
	return nth + 1 == count ? "outer " : "middle ";
}

/* The part that is counted with what it carries; last is the innermost header that wraps. */
static void add_innermost(struct size_sum *s, const struct dissection *d, int last)
{
	const struct layer *l = &d->layers[last];

	if (last + 1 < d->n_layers) {
		l++;
		add(s, l->size, "", l->name);
		s->upper_hlen = l->kind == LAYER_DATA ? 0 : l->hlen;
		add(s, l->trailer, "", "left over");
		return;
	}
	add(s, l->size - l->hlen, "", "not taken apart");
}

static int outermost_ip(const struct dissection *d)
{
	for (int i = 0; i < d->n_layers; i++)
		if (d->layers[i].kind == LAYER_IP)
			return wraps(&d->layers[i]) ? i : -1;
	return -1;
}

/* The last layer from first on that wraps; *ips counts IP headers. -1: an error in between. */
static int innermost_wrap(const struct dissection *d, int first, unsigned *ips)
{
	int i = first;

	*ips = 0;
	for (; i < d->n_layers && wraps(&d->layers[i]); i++) {
		*ips += d->layers[i].kind == LAYER_IP;
		if (d->layers[i].error[0])
			return -1;
	}
	if (i < d->n_layers && d->layers[i].error[0])
		return -1;
	return i - 1;
}

bool size_sum(struct size_sum *s, const struct dissection *d)
{
	int first = outermost_ip(d), last;
	unsigned ips, nth = 0;

	memset(s, 0, sizeof(*s));
	last = first < 0 ? -1 : innermost_wrap(d, first, &ips);
	if (last < 0)
		return false;
	add_innermost(s, d, last);
	for (int i = last; i >= first; i--) {
		const struct layer *l = &d->layers[i];

		if (l->kind == LAYER_IP)
			add(s, l->hlen, ip_prefix(nth++, ips), ip_name(l));
		else
			add(s, l->hlen, "", l->name);
		if (i > first)
			add(s, l->trailer, "", "left over");
	}
	s->link_hlen = d->layers[first].offset;
	s->frame = d->layers[0].size + d->layers[0].trailer;
	return true;
}

char *size_sum_text(const struct size_sum *s, char *buf, size_t len)
{
	size_t used = 0;

	buf[0] = 0;
	for (u16 i = 0; i < s->n && used < len; i++)
		used += (size_t)snprintf(buf + used, len - used, "%s%u (%s%s)", i ? " + " : "",
					 s->parts[i].bytes, s->parts[i].prefix, s->parts[i].name);
	if (used < len)
		snprintf(buf + used, len - used, " = %u", s->total);
	return buf;
}
