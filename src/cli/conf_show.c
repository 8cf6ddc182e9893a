/* SPDX-License-Identifier: BSD-2-Clause */
/* What the configuration asks for and cannot have. */
#include <stdio.h>
#include <string.h>

#include "cli/conf_cmd.h"
#include "cli/ctl.h"

struct asked {
	json_t *rows, *head;
};

static int take_row(void *ctx, json_t *row)
{
	struct asked *a = ctx;

	if (!a->head)
		a->head = json_incref(row);
	else
		json_array_append(a->rows, row);
	return 0;
}

json_t *conf_ask(bool all, json_t **head)
{
	struct asked a = {.rows = json_array()};
	const struct ctl_request req = {.verb = "conf",
					.config = all ? "all" : "here",
					.running = true,
					.row = take_row,
					.ctx = &a};
	struct err e = {0};
	int rc = ctl_call(&req, &e);

	if (rc || !a.head) {
		json_decref(a.rows);
		json_decref(a.head);
		return NULL;
	}
	if (head)
		*head = a.head;
	else
		json_decref(a.head);
	return a.rows;
}

static const char *text_of(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	return s ? s : "";
}

json_t *conf_missing(const char *name)
{
	json_t *rows = conf_ask(false, NULL), *kept = json_array();
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_t *o;

		if (name[0] && strcmp(name, text_of(row, "name")))
			continue;
		o = json_pack("{s:O, s:O, s:O, s:O}", "ifname", json_object_get(row, "name"),
			      "made", json_object_get(row, "made"), "why",
			      json_object_get(row, "why"), "config",
			      json_object_get(row, "config"));
		if (o && text_of(row, "file")[0]) {
			json_object_set(o, "file", json_object_get(row, "file"));
			json_object_set(o, "line", json_object_get(row, "line"));
		}
		json_array_append_new(kept, o);
	}
	json_decref(rows);
	return kept;
}

void conf_print_missing(const json_t *rows)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		printf("%s: %s: %s", text_of(row, "ifname"),
		       json_is_true(json_object_get(row, "made")) ? "not as configured"
								  : "not made",
		       text_of(row, "why"));
		if (text_of(row, "file")[0])
			printf(" (%s:%d; tried again)", text_of(row, "file"),
			       (int)json_integer_value(json_object_get(row, "line")));
		putchar('\n');
	}
}
