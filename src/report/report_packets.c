/* SPDX-License-Identifier: BSD-2-Clause */
/* The capture as a list; each packet opens to its boxes, layers and bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/report_impl.h"

/* A field of a layer by its name; "" where it has none. */
static const char *field(const json_t *layer, const char *name)
{
	size_t i;
	json_t *f;

	json_array_foreach(json_object_get(layer, "fields"), i,
			   f) if (!strcmp(doc_text(f, "name"), name)) return doc_text(f, "value");
	return "";
}

/* "10.0.0.1 > 10.0.0.2" of the outermost IP header. */
static void ends(struct html *h, const json_t *layers)
{
	size_t i;
	json_t *l;

	json_array_foreach(layers, i, l)
	{
		if (strcmp(doc_text(l, "kind"), "ip") != 0)
			continue;
		html_element(h, "span", "ends", "%s \u2192 %s", field(l, "source"),
			     field(l, "destination"));
		return;
	}
	html_element(h, "span", "ends", "%s", "");
}

/* What the innermost layer is about: "echo request". */
static void about(struct html *h, const json_t *layers)
{
	const char *type = "", *open;
	size_t i;
	json_t *l;

	json_array_foreach(layers, i, l) if (!doc_bool(l, "quoted") && field(l, "type")[0] &&
					     !strcmp(doc_text(l, "kind"), "upper")) type =
		field(l, "type");
	open = strchr(type, '(');
	if (open)
		html_element(h, "span", "what", "%.*s", (int)strcspn(open + 1, ")"), open + 1);
}

static void summary(struct html *h, const json_t *p, double begin)
{
	const json_t *layers = json_object_get(p, "layers");
	const char *time = doc_text(p, "time");
	char names[512];

	doc_layers(p, names, sizeof(names));
	html_open(h, "summary", NULL);
	html_element(h, "span", "no", "%lld", (long long)doc_int(p, "number"));
	if (*time)
		html_element(h, "span", "when", "+%.3f ms", (strtod(time, NULL) - begin) * 1e3);
	html_element(h, "span", "len", "%lld bytes", (long long)doc_int(p, "length"));
	ends(h, layers);
	about(h, layers);
	html_element(h, "span", "names", "%s", names);
	html_end(h, "summary");
}

static void fields(struct html *h, const json_t *layer)
{
	size_t i;
	json_t *f;

	html_open(h, "dl", "fields");
	json_array_foreach(json_object_get(layer, "fields"), i, f)
	{
		html_open(h, "div", "field");
		if (json_object_get(f, "size")) {
			html_attr(h, "data-at", "%lld", (long long)doc_int(f, "offset"));
			html_attr(h, "data-n", "%lld", (long long)doc_int(f, "size"));
		}
		html_element(h, "dt", NULL, "%s", doc_text(f, "name"));
		html_element(h, "dd", NULL, "%s", doc_text(f, "value"));
		html_end(h, "div");
	}
	html_end(h, "dl");
}

static void remarks(struct html *h, const json_t *layer)
{
	const json_t *sum = json_object_get(layer, "checksum");
	const char *verdict = doc_text(sum, "verdict");
	size_t i;
	json_t *note;

	if (!strcmp(verdict, "good"))
		html_element(h, "p", "good", "checksum 0x%04llx correct",
			     (long long)doc_int(sum, "found"));
	else if (!strcmp(verdict, "bad"))
		html_element(h, "p", "bad", "checksum 0x%04llx wrong: 0x%04llx would be right",
			     (long long)doc_int(sum, "found"), (long long)doc_int(sum, "expected"));
	else if (*verdict)
		html_element(h, "p", "muted", "checksum 0x%04llx: %s",
			     (long long)doc_int(sum, "found"), verdict);
	json_array_foreach(json_object_get(layer, "notes"), i, note)
		html_element(h, "p", "note", "%s", json_string_value(note));
	if (doc_text(layer, "error")[0])
		html_element(h, "p", "bad", "malformed: %s", doc_text(layer, "error"));
}

static void layer(struct html *h, const json_t *layers, size_t i)
{
	const json_t *l = json_array_get(layers, i);
	bool data = !strcmp(doc_text(l, "kind"), "data");
	long long head = doc_int(l, "header"), size = doc_int(l, "size");

	html_open(h, "details", "lay");
	html_attr(h, "data-i", "%zu", i);
	html_open(h, "summary", NULL);
	html_begin(h, "span");
	html_attr(h, "class", "swatch %s", layer_class(layers, i));
	html_end(h, "span");
	html_element(h, "b", NULL, "%s%s", doc_bool(l, "quoted") ? "quoted " : "",
		     doc_text(l, "name"));
	if (data)
		html_element(h, "span", "sizes", "%lld bytes at %lld", size,
			     (long long)doc_int(l, "offset"));
	else
		html_element(h, "span", "sizes", "%lld of header at %lld, carries %lld", head,
			     (long long)doc_int(l, "offset"), size > head ? size - head : 0);
	if (doc_text(l, "error")[0])
		html_element(h, "span", "bad", "malformed");
	html_end(h, "summary");
	fields(h, l);
	remarks(h, l);
	html_end(h, "details");
}

static void packet(struct html *h, const json_t *p, double begin, bool open)
{
	const json_t *layers = json_object_get(p, "layers"), *sum = json_object_get(p, "sum");

	fputc('\n', h->out);
	html_open(h, "details", "pkt");
	html_attr(h, "id", "p%lld", (long long)doc_int(p, "number"));
	if (open)
		html_attr(h, "open", "%s", "");
	summary(h, p, begin);
	html_open(h, "div", "inside");
	report_boxes(h, p);
	if (sum)
		html_element(h, "p", "sum", "%s", doc_text(sum, "text"));
	html_open(h, "div", "two");
	html_open(h, "div", "layers");
	for (size_t i = 0; i < json_array_size(layers); i++)
		layer(h, layers, i);
	html_end(h, "div");
	report_hex(h, p);
	html_end(h, "div");
	html_end(h, "div");
	html_end(h, "details");
}

static size_t parts_of(const json_t *p)
{
	return json_array_size(json_object_get(json_object_get(p, "sum"), "parts"));
}

void report_packets(struct html *h, const json_t *doc)
{
	const json_t *packets = json_object_get(doc, "packets"),
		     *c = json_object_get(doc, "capture");
	size_t i, most = 0;
	bool opened = false;
	double begin;
	json_t *p;

	if (!json_array_size(packets))
		return;
	begin = strtod(doc_text(json_array_get(packets, 0), "time"), NULL);
	report_section(h, "packets", "Packets");
	if (c)
		html_element(h, "p", "muted",
			     "Captured in %s on %s. Each opens to its layers and bytes.",
			     doc_text(c, "net"), doc_text(c, "dev"));
	json_array_foreach(packets, i, p) if (parts_of(p) > most) most = parts_of(p);
	json_array_foreach(packets, i, p)
	{
		bool open = !opened && parts_of(p) == most;

		opened |= open;
		packet(h, p, begin, open);
	}
	if (doc_int(doc, "more"))
		html_element(h, "p", "note",
			     "%lld more packets of the capture are not on this page.",
			     (long long)doc_int(doc, "more"));
	html_end(h, "section");
}
