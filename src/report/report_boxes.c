/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet as boxes, one within the other as its layers are, to scale: a box is as
 * wide as its layer has bytes, its coloured part is the header.
 */
#include <string.h>

#include "report/report_impl.h"

enum { WIDTH = 1000, INSET = 7, LEAST = 34, LETTER = 8 };

struct scale {
	double unit; /* pixels a byte */
	int height;
};

static void rect(struct html *h, double x, double y, double w, double height)
{
	html_begin(h, "rect");
	html_attr(h, "x", "%.1f", x);
	html_attr(h, "y", "%.1f", y);
	html_attr(h, "width", "%.1f", w > 0 ? w : 0);
	html_attr(h, "height", "%.1f", height);
	html_attr(h, "rx", "3");
}

/* Two lines of text in the middle of a header, as far as there is room. */
static void label(struct html *h, double x, double w, int height, const json_t *l)
{
	const char *name = doc_text(l, "name");
	long long bytes = doc_int(l, !strcmp(doc_text(l, "kind"), "data") ? "size" : "header");
	bool names = (double)(strlen(name) * LETTER) + 4 < w;

	if (w < 3 * LETTER)
		return;
	for (int i = !names; i < 2; i++) {
		html_open(h, "text", i ? "n" : NULL);
		html_attr(h, "x", "%.1f", x + w / 2);
		html_attr(h, "y", "%d", height / 2 + (!names ? 5 : i ? 17 : -2));
		html_attr(h, "text-anchor", "middle");
		if (i)
			html_text(h, "%lld", bytes);
		else
			html_text(h, "%s", name);
		html_end(h, "text");
	}
}

static void box(struct html *h, const struct scale *s, const json_t *layers, size_t i)
{
	const json_t *l = json_array_get(layers, i);
	bool data = !strcmp(doc_text(l, "kind"), "data");
	double x = (double)doc_int(l, "offset") * s->unit;
	double w = (double)doc_int(l, "size") * s->unit;
	double head = data ? w : (double)doc_int(l, "header") * s->unit;
	int inset = (int)i * INSET;

	html_begin(h, "g");
	html_attr(h, "class", "box %s b%zu", layer_class(layers, i), i);
	html_begin(h, "title");
	html_text(h, "%s: %lld bytes of header, %lld in all", doc_text(l, "name"),
		  (long long)doc_int(l, "header"), (long long)doc_int(l, "size"));
	html_end(h, "title");
	rect(h, x, inset, w, s->height - 2 * inset);
	html_attr(h, "class", "frame");
	html_end(h, "rect");
	rect(h, x, inset, head, s->height - 2 * inset);
	html_attr(h, "class", "head");
	html_end(h, "rect");
	label(h, x, head, s->height, l);
	html_end(h, "g");
}

void report_boxes(struct html *h, const json_t *packet)
{
	const json_t *layers = json_object_get(packet, "layers");
	size_t n = json_array_size(layers);
	double total = (double)doc_int(packet, "length");
	struct scale s = {.height = (int)(2 * INSET * (n ? n - 1 : 0)) + LEAST + 12};
	char names[512];

	if (!n || total < 1)
		return;
	s.unit = WIDTH / total;
	doc_layers(packet, names, sizeof(names));
	html_open(h, "div", "scroll");
	html_begin(h, "svg");
	html_attr(h, "class", "boxes");
	html_attr(h, "viewBox", "-1 -1 %d %d", WIDTH + 2, s.height + 2);
	html_attr(h, "role", "img");
	html_attr(h, "aria-label",
		  "%lld bytes to scale: %s. The layers below tell the same in words.",
		  (long long)total, names);
	for (size_t i = 0; i < n; i++)
		box(h, &s, layers, i);
	html_end(h, "svg");
	html_end(h, "div");
}
