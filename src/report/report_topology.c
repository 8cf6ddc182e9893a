/* SPDX-License-Identifier: BSD-2-Clause */
/* The topology as a drawing: namespaces, devices, wires, tubes, and the path's steps. */
#include <stdlib.h>
#include <string.h>

#include "report/report_impl.h"
#include "report/topology.h"

enum { LANE_HEIGHT = 40, WIRE_HEIGHT = 18, CURVE = 16 };

static void box(struct html *h, const char *class, double x, double y, double w)
{
	html_open(h, "rect", class);
	html_attr(h, "x", "%.1f", x);
	html_attr(h, "y", "%.1f", y);
	html_attr(h, "width", "%.1f", w);
}

static void words_at(struct html *h, const char *class, double x, double y, const char *text)
{
	html_open(h, "text", class);
	html_attr(h, "x", "%.1f", x);
	html_attr(h, "y", "%.1f", y);
	html_text(h, "%s", text);
	html_end(h, "text");
}

static void draw_net(struct html *h, const struct place_net *n)
{
	box(h, "net", n->x, n->y, n->w);
	html_attr(h, "height", "%.1f", n->h);
	html_attr(h, "rx", "10");
	html_end(h, "rect");
	words_at(h, "netname", n->x + 14, n->y + 22, n->name);
	if (n->forwards)
		words_at(h, "note end", n->x + n->w - 14, n->y + 22, "forwards");
}

/* The number of the path's step that is at this device. */
static void draw_mark(struct html *h, const struct place_dev *d)
{
	if (!d->marked)
		return;
	html_open(h, "circle", "mark");
	html_attr(h, "cx", "%.1f", d->x + d->w - 13);
	html_attr(h, "cy", "%.1f", d->y + 13);
	html_attr(h, "r", "9");
	html_end(h, "circle");
	html_open(h, "text", "mark");
	html_attr(h, "x", "%.1f", d->x + d->w - 13);
	html_attr(h, "y", "%.1f", d->y + 17);
	html_text(h, "%d", d->marked);
	html_end(h, "text");
}

static void draw_dev(struct html *h, const struct place_dev *d, int index)
{
	const char *tunnel = doc_text(d->json, "tunnel");
	double y = d->y + PLACE_LINE;
	size_t i;
	json_t *a;

	html_open(h, "g", *tunnel ? "dev tun" : "dev");
	html_attr(h, "id", "dev%d", index);
	if (*tunnel)
		html_element(h, "title", NULL, "%s: %s", doc_text(d->json, "name"), tunnel);
	box(h, NULL, d->x, d->y, d->w);
	html_attr(h, "height", "%.1f", d->h);
	html_attr(h, "rx", "6");
	html_end(h, "rect");
	words_at(h, "devname", d->x + 10, y, doc_text(d->json, "name"));
	json_array_foreach(json_object_get(d->json, "addresses"), i, a)
		words_at(h, "addr", d->x + 10, y += PLACE_LINE, json_string_value(a));
	draw_mark(h, d);
	html_end(h, "g");
}

/* From the side of one device to the side of the other; far ones by a lane above all. */
static void draw_wire(struct html *h, const struct places *p, int i, int *lane)
{
	const struct place_dev *a = &p->devs[i], *b;
	double x1, x2, y1, y2, mid;

	if (a->peer <= i)
		return;
	b = &p->devs[a->peer];
	if (b->net < a->net) {
		b = a;
		a = &p->devs[a->peer];
	}
	x1 = a->x + a->w;
	x2 = b->x;
	y1 = a->y + a->h / 2;
	y2 = b->y + b->h / 2;
	html_open(h, "path", "wire");
	if (b->net - a->net <= 1) {
		mid = (x1 + x2) / 2;
		html_attr(h, "d", "M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", x1, y1, mid, y1, mid,
			  y2, x2, y2);
	} else {
		mid = p->top - WIRE_HEIGHT * ++*lane + 6;
		html_attr(h, "d", "M%.1f %.1fH%.1fV%.1fH%.1fV%.1fH%.1f", x1, y1,
			  x1 + 20 + 6 * *lane, mid, x2 - 20 - 6 * *lane, y2, x2);
	}
	html_end(h, "path");
}

static void tube_path(struct html *h, const struct places *p, const struct place_tube *t,
		      const char *class)
{
	const struct place_dev *a = &p->devs[t->from], *b = &p->devs[t->to];
	double y = p->bottom + LANE_HEIGHT * t->lane + 22;

	html_open(h, "path", class);
	html_attr(h, "d", "M%.1f %.1fV%.1fQ%.1f %.1f %.1f %.1fH%.1fQ%.1f %.1f %.1f %.1fV%.1f",
		  t->x1, a->y + a->h - 2, y - CURVE, t->x1, y, t->x1 + CURVE, y, t->x2 - CURVE,
		  t->x2, y, t->x2, y - CURVE, b->y + b->h - 2);
	html_end(h, "path");
}

static void draw_tube(struct html *h, const struct places *p, const struct place_tube *t)
{
	html_open(h, "g", t->half ? "tube half" : "tube");
	html_element(h, "title", NULL, "%s%s", t->label,
		     t->half ? ": only one end names the other" : "");
	tube_path(h, p, t, "wall");
	tube_path(h, p, t, "bore");
	tube_path(h, p, t, "shine");
	html_end(h, "g");
}

static void label_tube(struct html *h, const struct places *p, const struct place_tube *t)
{
	html_open(h, "text", "tubename");
	html_attr(h, "x", "%.1f", (t->x1 + t->x2) / 2);
	html_attr(h, "y", "%.1f", p->bottom + LANE_HEIGHT * t->lane + 26);
	html_text(h, "%s", t->label);
	html_end(h, "text");
}

static int find_dev(const struct places *p, const json_t *step)
{
	for (int i = 0; i < p->n_devs; i++)
		if (!strcmp(doc_text(p->devs[i].json, "name"), doc_text(step, "dev")) &&
		    !strcmp(p->nets[p->devs[i].net].name, doc_text(step, "net")))
			return i;
	return -1;
}

/* Number the devices in the order in which they saw the tunnel's request. */
static void mark_path(struct places *p, const json_t *doc)
{
	const json_t *chosen = NULL;
	size_t i;
	json_t *w, *step;
	int n = 0, d;

	json_array_foreach(json_object_get(doc, "path"), i,
			   w) if (!chosen && !doc_bool(w, "bare") &&
				  json_array_size(json_object_get(w, "steps"))) chosen = w;
	json_array_foreach(json_object_get(chosen, "steps"), i, step)
	{
		d = strcmp(doc_text(step, "part"), "request") ? -1 : find_dev(p, step);
		if (d >= 0 && !p->devs[d].marked)
			p->devs[d].marked = ++n;
	}
}

/* The same in words, for those who do not see it. */
static void describe(struct html *h, const struct places *p)
{
	html_open(h, "details", "words");
	html_element(h, "summary", NULL, "%s", "The topology in words");
	html_open(h, "ul", NULL);
	for (int n = 0; n < p->n_nets; n++) {
		html_open(h, "li", NULL);
		html_element(h, "b", NULL, "%s", p->nets[n].name);
		html_text(h, "%s:", p->nets[n].forwards ? " (forwards)" : "");
		for (int i = 0; i < p->n_devs; i++) {
			const struct place_dev *d = &p->devs[i];
			size_t k;
			json_t *a;

			if (d->net != n)
				continue;
			html_text(h, " %s", doc_text(d->json, "name"));
			json_array_foreach(json_object_get(d->json, "addresses"), k, a)
				html_text(h, " %s", json_string_value(a));
			if (d->peer >= 0)
				html_text(h, " (wire to %s)", p->nets[p->devs[d->peer].net].name);
			if (doc_text(d->json, "tunnel")[0])
				html_text(h, " (tunnel: %s)", doc_text(d->json, "tunnel"));
			html_text(h, ";");
		}
		html_end(h, "li");
	}
	html_end(h, "ul");
	html_end(h, "details");
}

static void draw(struct html *h, const struct places *p)
{
	/* small ones are drawn larger: there is room */
	double scale = p->width < 600 ? 1.4 : p->width < 800 ? 1.2 : 1;
	int lane = 0;

	html_open(h, "div", "scroll");
	html_attr(h, "tabindex", "0");
	html_attr(h, "role", "region");
	html_attr(h, "aria-label", "The drawing of the topology");
	html_begin(h, "svg");
	html_attr(h, "class", "topo");
	html_attr(h, "viewBox", "0 0 %.0f %.0f", p->width, p->height);
	html_attr(h, "width", "%.0f", scale * p->width);
	html_attr(h, "height", "%.0f", scale * p->height);
	html_attr(h, "role", "img");
	html_attr(h, "aria-label", "%d namespaces, %d devices, %d tunnels; in words below",
		  p->n_nets, p->n_devs, p->n_tubes);
	for (int i = 0; i < p->n_nets; i++)
		draw_net(h, &p->nets[i]);
	for (int i = 0; i < p->n_tubes; i++)
		draw_tube(h, p, &p->tubes[i]);
	for (int i = 0; i < p->n_devs; i++)
		draw_wire(h, p, i, &lane);
	for (int i = 0; i < p->n_devs; i++)
		draw_dev(h, &p->devs[i], i);
	for (int i = 0; i < p->n_tubes; i++)
		label_tube(h, p, &p->tubes[i]);
	html_end(h, "svg");
	html_end(h, "div");
}

void report_topology(struct html *h, const json_t *doc)
{
	const json_t *t = json_object_get(doc, "topology");
	struct places *p = json_object_size(t) ? calloc(1, sizeof(*p)) : NULL;

	if (!p)
		return;
	topology_place(p, t);
	mark_path(p, doc);
	report_section(h, "topology", "Topology");
	draw(h, p);
	html_element(
		h, "p", "muted", "%s",
		"The numbers are where the ping through the tunnel was seen, one after the other.");
	describe(h, p);
	html_end(h, "section");
	free(p);
}
