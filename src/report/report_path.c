/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of a ping's packets: where each was seen, when, and the headers it had there. */
#include <string.h>

#include "report/report_impl.h"

/* The headers as a row of boxes, the outermost first, to one scale for all of them. */
static void stack(struct html *h, const json_t *layers)
{
	size_t i;
	json_t *l;

	html_open(h, "span", "stack");
	json_array_foreach(layers, i, l)
	{
		bool data = !strcmp(doc_text(l, "kind"), "data");

		if (!strcmp(doc_text(l, "kind"), "link"))
			continue;
		html_open(h, "span", layer_class(layers, i));
		html_text(h, "%s ", doc_text(l, "name"));
		html_element(h, "small", NULL, "%lld",
			     (long long)doc_int(l, data ? "size" : "header"));
		html_end(h, "span");
	}
	html_end(h, "span");
}

/* Index of a device in the topology; -1: none. */
static int device(const json_t *doc, const json_t *step)
{
	const json_t *t = json_object_get(doc, "topology"), *nets = json_object_get(t, "nets");
	size_t i;
	json_t *d;

	json_array_foreach(json_object_get(t, "devices"), i, d)
	{
		const json_t *net = json_array_get(nets, (size_t)doc_int(d, "net"));

		if (!strcmp(doc_text(d, "name"), doc_text(step, "dev")) &&
		    !strcmp(doc_text(net, "name"), doc_text(step, "net")))
			return (int)i;
	}
	return -1;
}

/* Whether the next sighting is the other end of this one's wire. */
static bool is_wire(const json_t *doc, const json_t *a, const json_t *b)
{
	const json_t *devs = json_object_get(json_object_get(doc, "topology"), "devices");
	int from = device(doc, a), to = b ? device(doc, b) : -1;

	return from >= 0 && to >= 0 && !strcmp(doc_text(a, "part"), doc_text(b, "part")) &&
	       doc_int(json_array_get(devs, (size_t)from), "peer") == to;
}

static void where(struct html *h, const json_t *step, const char *class)
{
	html_open(h, "span", class);
	html_element(h, "b", NULL, "%s", doc_text(step, "net"));
	html_text(h, " %s", doc_text(step, "dev"));
	html_end(h, "span");
}

/* One row; `to` is the other end of the wire, or NULL. */
static void hop(struct html *h, const json_t *doc, const json_t *step, const json_t *to)
{
	html_open(h, "li", doc_text(step, "part"));
	html_attr(h, "data-dev", "%d", device(doc, step));
	if (to)
		html_attr(h, "data-to", "%d", device(doc, to));
	html_open(h, "span", "where");
	where(h, step, "at");
	if (to) {
		html_element(h, "span", "arrow", " \u2192 ");
		where(h, to, "at");
	}
	html_end(h, "span");
	html_element(h, "span", "when", "+%.0f \u00b5s",
		     json_real_value(json_object_get(step, "us")));
	html_element(h, "span", "what", "%s", doc_text(step, "part"));
	stack(h, json_object_get(step, "layers"));
	html_element(h, "span", "len", "%lld bytes",
		     (long long)doc_int(json_object_get(step, "sum"), "total"));
	html_end(h, "li");
}

static void way(struct html *h, const json_t *doc, const json_t *w)
{
	const json_t *steps = json_object_get(w, "steps");
	size_t n = json_array_size(steps);

	html_element(h, "h3", NULL, "%s pings %s%s%s", doc_text(w, "net"), doc_text(w, "target"),
		     doc_bool(w, "bare") ? ", without the tunnel" : "",
		     doc_bool(w, "answered") ? "" : ": no answer");
	if (!n)
		html_element(h, "p", "muted", "%s", "No device saw a packet of it.");
	html_open(h, "ol", "hops");
	for (size_t i = 0; i < n; i++) {
		const json_t *step = json_array_get(steps, i), *next = json_array_get(steps, i + 1);
		bool wire = is_wire(doc, step, next);

		hop(h, doc, step, wire ? next : NULL);
		i += wire;
	}
	html_end(h, "ol");
}

void report_path(struct html *h, const json_t *doc)
{
	const json_t *ways = json_object_get(doc, "path");
	size_t i;
	json_t *w;

	if (!json_array_size(ways))
		return;
	report_section(h, "path", "The packet's path");
	html_element(h, "p", "muted", "%s",
		     "Where the first packet of each ping was seen, and the headers it had there, "
		     "the outermost first. A program of the bpf datapath takes packets before a "
		     "capture on the tunnel device sees them leave.");
	json_array_foreach(ways, i, w) way(h, doc, w);
	html_end(h, "section");
}
