/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a packet: captures on every device of the lab, and of what they saw
 * the first echo of each ping, its reply, and errors about it, in order of time.
 */
#include <stdlib.h>
#include <string.h>

#include "lab/explain.h"
#include "lab/lab_ns.h"
#include "lab/lab_story_impl.h"

struct sighting {
	const struct frame *f;
	int dev;
};

enum { SIGHTINGS = 512 };

void story_path_open(struct story *s)
{
	const struct lab_topo *t = s->l.rec.topo;
	struct err e;
	char ns[32];

	for (int i = 0; i < t->n_devs; i++) {
		struct lab_capture *c = calloc(1, sizeof(*c));

		lab_ns_name(ns, sizeof(ns), s->l.rec.id, t->nets[t->devs[i].net].role);
		if (c && lab_capture_open(c, ns, t->devs[i].name, "ip or ip6", &e) < 0) {
			free(c);
			c = NULL;
		}
		s->path.at[i] = c;
	}
}

void story_path_read(struct story *s)
{
	for (int i = 0; i < LAB_DEVS; i++)
		if (s->path.at[i] && s->path.at[i]->pcap)
			lab_capture_read(s->path.at[i], 0);
}

void story_path_close(struct story *s)
{
	for (int i = 0; i < LAB_DEVS; i++)
		if (s->path.at[i])
			lab_capture_close(s->path.at[i]);
}

static int by_time(const void *a, const void *b)
{
	const struct sighting *x = a, *y = b;

	if (x->f->ns != y->f->ns)
		return x->f->ns < y->f->ns ? -1 : 1;
	return x->dev - y->dev;
}

/* All frames that were caught while p was at work. */
static int gather(const struct story *s, const struct story_ping *p, struct sighting *out)
{
	int n = 0;

	for (int d = 0; d < LAB_DEVS; d++) {
		const struct lab_capture *c = s->path.at[d];

		for (u32 i = 0; c && i < c->n && n < SIGHTINGS; i++)
			if (c->frame[i].ns >= p->begin && c->frame[i].ns <= p->until)
				out[n++] = (struct sighting){&c->frame[i], d};
	}
	qsort(out, (size_t)n, sizeof(*out), by_time);
	return n;
}

/* What part a packet has in its ping: NULL if it has none, or is not the first. */
static const char *part_of(const struct dissection *d)
{
	const struct layer *l = lab_wire_echo(d);
	const struct field *seq = l ? dissect_field(d, l, "sequence") : NULL;
	const struct field *type = l ? dissect_field(d, l, "type") : NULL;

	if (seq && type)
		return strcmp(seq->value, "1")		? NULL
		       : strstr(type->value, "request") ? "request"
							: "reply";
	for (u16 i = 0; i < d->n_layers; i++)
		if (d->layers[i].quoted)
			return "error";
	return NULL;
}

static json_t *sighting_json(const struct story *s, const struct sighting *g, u64 begin)
{
	const struct lab_topo *t = s->l.rec.topo;
	const struct lab_dev *dev = &t->devs[g->dev];
	const char *part;
	json_t *o;

	dissect_frame(s->wire.d, g->f, NULL);
	part = part_of(s->wire.d);
	if (!part)
		return NULL;
	o = explain_json(g->f, s->wire.d);
	json_object_set_new(o, "net", json_string(t->nets[dev->net].role));
	json_object_set_new(o, "dev", json_string(dev->name));
	json_object_set_new(o, "part", json_string(part));
	json_object_set_new(o, "us", json_real((double)(g->f->ns - begin) / 1e3));
	return o;
}

static json_t *way_of(const struct story *s, const struct story_ping *p, struct sighting *g)
{
	json_t *steps = json_array();
	int n = gather(s, p, g);
	u64 begin = n ? g[0].f->ns : 0;

	for (int i = 0; i < n; i++) {
		json_t *o = sighting_json(s, &g[i], begin);

		if (o)
			json_array_append_new(steps, o);
	}
	return json_pack("{s:s, s:s, s:b, s:b, s:o}", "net", s->l.rec.topo->nets[p->step->net].role,
			 "target", p->step->target, "bare", p->step->bare, "answered", p->answered,
			 "steps", steps);
}

json_t *story_path_json(const struct story *s)
{
	struct sighting *g = calloc(SIGHTINGS, sizeof(*g));
	json_t *ways = json_array();

	for (int i = 0; g && i < s->n_pings; i++)
		if (!s->pings[i].series)
			json_array_append_new(ways, way_of(s, &s->pings[i], g));
	free(g);
	return ways;
}
