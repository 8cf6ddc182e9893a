/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip's JSON output read, rewritten for our devices and written again in the
 * layout of iproute2's own writer, so that what is not ours looks untouched.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/ip_detail.h"
#include "lib/addr.h"

/* iproute2's layout: members a line each when pretty, arrays along the line. */
struct writer {
	FILE *to;
	bool pretty;
	int depth;
	char sep; /* to write before the next value; 0: none */
};

static void write_value(struct writer *w, json_t *v);

static void write_eol(struct writer *w)
{
	if (w->pretty)
		fprintf(w->to, "\n%*s", 4 * w->depth, "");
}

static void write_sep(struct writer *w)
{
	if (w->sep)
		putc(w->sep, w->to);
	w->sep = ',';
}

static void write_object(struct writer *w, json_t *object)
{
	const char *key;
	json_t *v;

	putc('{', w->to);
	w->depth++;
	w->sep = 0;
	json_object_foreach(object, key, v)
	{
		write_sep(w);
		write_eol(w);
		fprintf(w->to, "\"%s\":%s", key, w->pretty ? " " : "");
		w->sep = 0;
		write_value(w, v);
	}
	w->depth--;
	if (w->sep)
		write_eol(w);
	putc('}', w->to);
}

static void write_array(struct writer *w, json_t *array)
{
	const char *blank = w->pretty ? " " : "";
	size_t i;

	fprintf(w->to, "[%s", blank);
	w->depth++;
	w->sep = 0;
	for (i = 0; i < json_array_size(array); i++)
		write_value(w, json_array_get(array, i));
	w->depth--;
	fprintf(w->to, "%s]", w->sep ? blank : "");
}

static void write_value(struct writer *w, json_t *v)
{
	write_sep(w);
	if (json_is_object(v))
		write_object(w, v);
	else if (json_is_array(v))
		write_array(w, v);
	else
		json_dumpf(v, w->to, JSON_ENCODE_ANY);
	w->sep = ',';
}

static void rewrite_addresses(json_t *link, const struct tunnel_cfg *cfg)
{
	char buf[ADDR4_TEXT];

	if (!json_object_get(link, "address"))
		return;
	json_object_set_new(link, "address", json_string(addr4_print(cfg->local, buf)));
	json_object_set_new(link, "broadcast", json_string(addr4_print(cfg->remote, buf)));
	if (be32_is_zero(cfg->remote))
		json_object_del(link, "link_pointtopoint");
}

/* A copy of link with `link` before its name: order is part of the layout. */
static json_t *rewrite_link(json_t *link, const struct tunnel_cfg *cfg)
{
	json_t *copy = json_object(), *v;
	const char *key;

	json_object_foreach(link, key, v)
	{
		if (!strcmp(key, "ifname") && !json_object_get(link, "link"))
			json_object_set_new(copy, "link",
					    cfg->dev[0] ? json_string(cfg->dev) : json_null());
		json_object_set(copy, key, v);
	}
	rewrite_addresses(copy, cfg);
	json_object_set_new(copy, "min_mtu", json_integer(ip_info_mtu_min(cfg)));
	json_object_set_new(copy, "max_mtu", json_integer(ip_info_mtu_max(cfg)));
	json_object_set_new(copy, "linkinfo", ip_info_json(cfg));
	return copy;
}

/* The rows to show, of those that ip told: those of other devices only where none is asked for. */
static void take_rows(json_t *all, const json_t *links, const struct ip_rows *rows)
{
	size_t i;

	for (i = 0; i < json_array_size(links); i++) {
		json_t *link = json_array_get(links, i);
		const char *name = json_string_value(json_object_get(link, "ifname"));
		const struct tunnel_row *row =
			name ? ip_rows_named(rows, name, strlen(name)) : NULL;

		if (row && rows->detail && json_object_get(link, "linkinfo"))
			json_array_append_new(all, rewrite_link(link, &row->cfg));
		else if (row || !rows->only)
			json_array_append(all, link);
	}
}

/* Rows told by a run that was not for us; ip leaves {} where it filtered one out. */
static void take_first(json_t *all, const char *text)
{
	json_t *links = text ? json_loads(text, 0, NULL) : NULL;
	size_t i;

	for (i = 0; i < json_array_size(links); i++)
		if (json_object_size(json_array_get(links, i)))
			json_array_append(all, json_array_get(links, i));
	json_decref(links);
}

void ip_json_write(FILE *to, const char *first, const char *text, const struct ip_rows *rows,
		   bool pretty)
{
	struct writer w = {.to = to, .pretty = pretty};
	json_t *links = json_loads(text, 0, NULL), *all = json_array();

	if (!json_is_array(links)) {
		fputs(text, to);
	} else {
		take_first(all, first);
		take_rows(all, links, rows);
		write_value(&w, all);
		putc('\n', to);
	}
	json_decref(all);
	json_decref(links);
}
