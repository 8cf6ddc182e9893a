/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/conf_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/netns.h"

static const char *const action_words[] = {"add", "change", "delete"};

/* An array of rows, given out from its front. */
struct answer {
	json_t *rows;
	size_t at;
	bool short_of_memory;
};

static json_t *next_row(void *ctx)
{
	struct answer *a = ctx;
	json_t *row = json_array_get(a->rows, a->at);

	if (!row)
		return NULL;
	json_incref(row);
	json_array_set_new(a->rows, a->at++, json_null()); /* it is large when all is told */
	return row;
}

static void rows_done(void *ctx)
{
	struct answer *a = ctx;

	json_decref(a->rows);
	free(a);
}

static struct answer *answer_new(struct rows *rows)
{
	struct answer *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->rows = json_array();
	*rows = (struct rows){next_row, rows_done, a};
	return a;
}

static void append(struct answer *a, json_t *row)
{
	if (!row || json_array_append_new(a->rows, row))
		a->short_of_memory = true;
}

static void note_change(void *ctx, enum conf_action action, const char *was, const char *line)
{
	json_t *row = json_pack("{s:s}", "action", action_words[action]);

	if (row && was)
		json_object_set_new(row, "was", json_string(was));
	if (row && line)
		json_object_set_new(row, "config", json_string(line));
	append(ctx, row);
}

static void note_mistake(void *ctx, const struct conf_where *at, const char *text)
{
	append(ctx, json_pack("{s:s, s:s, s:i, s:i}", "mistake", text, "file", at->file, "line",
			      (int)at->line, "column", (int)at->column));
}

int conf_reload(struct daemon *d, bool dry, struct rows *rows, struct err *e)
{
	struct answer *a = answer_new(rows);
	struct conf_plan p = {.dry = dry, .fn = note_change, .ctx = a};
	int rc;

	if (!a)
		return err_set(e, ENOMEM, "out of memory");
	if (!d->conf->dir)
		return err_set(e, ENOENT,
			       "this tunld has no configuration: TUNL_RUNDIR is set, TUNL_CONFDIR "
			       "is not");
	rc = conf_reread(d->conf, &p, note_mistake, a, e);
	return rc ? rc : a->short_of_memory ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* Whether it concerns who asks: it is there, or nobody knows where it would be. */
static bool concerns(const struct confd *k, const struct conf_entry *en, const struct ns *ns)
{
	if (!ns)
		return true;
	if (en->place.ino)
		return netns_is(&en->place, &ns->id);
	return k->home.ino && netns_is(&k->home, &ns->id);
}

static json_t *entry_row(const struct confd *k, const struct conf_entry *en)
{
	const struct conf_tunnel *w = en->want;
	const char *text = en->line ? en->line : en->done;

	return json_pack("{s:s%, s:b, s:s, s:s, s:s, s:s, s:i}", "name", text, strcspn(text, " "),
			 "made", en->done != NULL, "why", en->why ? en->why : en->name_why,
			 "config", text, "netns", w ? w->netns : "", "file",
			 w ? k->conf.file[w->file] : "", "line", w ? (int)w->line : 0);
}

/* Names that were not answered for even once. */
static size_t first_lookups(const struct confd *k)
{
	size_t n = 0;

	list_for_each (node, &k->order) {
		const struct conf_entry *en = list_entry(node, struct conf_entry, order);

		n += en->want && en->want->host && be32_is_zero(en->remote) && !en->name_why;
	}
	return n;
}

int conf_report(struct daemon *d, struct ns *ns, struct rows *rows, struct err *e)
{
	struct answer *a = answer_new(rows);
	struct confd *k = d->conf;

	if (!a)
		return err_set(e, ENOMEM, "out of memory");
	append(a, json_pack("{s:I, s:I, s:I}", "tunnels", (json_int_t)k->conf.n, "pending",
			    (json_int_t)(k->ntodo + first_lookups(k)), "failed",
			    (json_int_t)k->nfailed));
	list_for_each (n, &k->order) {
		const struct conf_entry *en = list_entry(n, struct conf_entry, order);

		if ((en->why || en->name_why) && concerns(k, en, ns))
			append(a, entry_row(k, en));
	}
	return a->short_of_memory ? err_set(e, ENOMEM, "out of memory") : 0;
}
