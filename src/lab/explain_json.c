/* SPDX-License-Identifier: BSD-2-Clause */
/* A dissection as JSON: everything that is in it. */
#include <stdio.h>
#include <stdlib.h>

#include "lab/explain.h"

static const char *verdict(enum csum_verdict v)
{
	switch (v) {
	case CSUM_ABSENT:
		return "absent";
	case CSUM_GOOD:
		return "good";
	case CSUM_BAD:
		return "bad";
	case CSUM_ZERO:
		return "zero";
	case CSUM_PARTIAL:
		return "partial";
	case CSUM_UNCHECKED:
		return "unchecked";
	}
	return "";
}

static void set_int(json_t *o, const char *key, u64 v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void set_text(json_t *o, const char *key, const char *v)
{
	json_object_set_new(o, key, json_string(v));
}

static json_t *json_fields(const struct dissection *d, const struct layer *l)
{
	json_t *a = json_array();

	for (u16 i = 0; i < l->n_fields; i++) {
		const struct field *fd = &d->fields[l->first_field + i];
		json_t *o = json_object();

		set_text(o, "name", fd->name);
		set_text(o, "value", fd->value);
		if (fd->size) {
			set_int(o, "offset", fd->offset);
			set_int(o, "size", fd->size);
		}
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *json_checksum(const struct layer *l)
{
	json_t *o = json_object();

	set_text(o, "verdict", verdict(l->csum));
	set_int(o, "found", l->csum_found);
	if (l->csum == CSUM_BAD || l->csum == CSUM_PARTIAL)
		set_int(o, "expected", l->csum_want);
	return o;
}

static const char *const kinds[] = {
	[LAYER_LINK] = "link", [LAYER_IP] = "ip",	[LAYER_EXT] = "ext",
	[LAYER_WRAP] = "wrap", [LAYER_UPPER] = "upper", [LAYER_DATA] = "data",
};

static json_t *json_layer(const struct dissection *d, const struct layer *l)
{
	json_t *o = json_object(), *notes;

	set_text(o, "name", l->name);
	set_text(o, "kind", kinds[l->kind]);
	set_int(o, "offset", l->offset);
	set_int(o, "header", l->hlen);
	set_int(o, "size", l->size);
	if (l->trailer)
		set_int(o, "trailer", l->trailer);
	if (l->quoted)
		json_object_set_new(o, "quoted", json_true());
	json_object_set_new(o, "fields", json_fields(d, l));
	if (l->csum != CSUM_ABSENT)
		json_object_set_new(o, "checksum", json_checksum(l));
	notes = json_array();
	for (u16 i = 0; i < l->n_notes; i++)
		json_array_append_new(notes, json_string(l->notes[i]));
	if (l->n_notes)
		json_object_set(o, "notes", notes);
	json_decref(notes);
	if (l->error[0])
		set_text(o, "error", l->error);
	return o;
}

static json_t *json_sum(const struct size_sum *s)
{
	json_t *o = json_object(), *parts = json_array();
	char text[1024];

	for (u16 i = 0; i < s->n; i++) {
		json_t *p = json_object();

		snprintf(text, sizeof(text), "%s%s", s->parts[i].prefix, s->parts[i].name);
		set_text(p, "name", text);
		set_int(p, "bytes", s->parts[i].bytes);
		json_array_append_new(parts, p);
	}
	json_object_set_new(o, "parts", parts);
	set_int(o, "total", s->total);
	set_text(o, "text", size_sum_text(s, text, sizeof(text)));
	return o;
}

json_t *explain_json(const struct frame *f, const struct dissection *d)
{
	json_t *o = json_object(), *layers = json_array();
	struct size_sum s;
	char when[32];

	if (f->number)
		set_int(o, "number", f->number);
	if (f->has_time) {
		snprintf(when, sizeof(when), "%llu.%09llu", (unsigned long long)f->ns / 1000000000,
			 (unsigned long long)f->ns % 1000000000);
		set_text(o, "time", when);
	}
	set_int(o, "length", f->len);
	set_int(o, "captured", f->caplen);
	set_int(o, "linktype", f->linktype);
	for (u16 i = 0; i < d->n_layers; i++)
		json_array_append_new(layers, json_layer(d, &d->layers[i]));
	json_object_set_new(o, "layers", layers);
	if (size_sum(&s, d))
		json_object_set_new(o, "sum", json_sum(&s));
	return o;
}

json_t *explain_json_data(const struct frame *f, const struct dissection *d)
{
	static const char digits[] = "0123456789abcdef";
	json_t *o = explain_json(f, d);
	char *hex = malloc(2 * (size_t)f->caplen + 1);

	for (u32 i = 0; hex && i < f->caplen; i++) {
		hex[2 * (size_t)i] = digits[f->data[i] >> 4];
		hex[2 * (size_t)i + 1] = digits[f->data[i] & 15];
	}
	if (hex)
		json_object_set_new(o, "data", json_stringn_nocheck(hex, 2 * (size_t)f->caplen));
	free(hex);
	return o;
}
