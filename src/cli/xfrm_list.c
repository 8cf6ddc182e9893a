/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists, narrowed to what is asked for, and what is deleted by them. */
#include "cli/xfrm_call.h"

#include <errno.h>
#include <string.h>

#include "ipsec/secret.h"

/* Whether the len given bits of want are a's. */
static bool addr_shown(const struct xfrm_addr *a, const struct xfrm_addr *want, u32 len)
{
	struct xfrm_sel sel = {.dst = *want, .dst_len = (u8)len};
	struct xfrm_flow f = {.dst = *a};

	return sel_matches(&sel, &f);
}

static bool state_shown(const struct call *c, const struct sa_cfg *s)
{
	return addr_shown(&s->src, &c->id.src, c->id.src_len) &&
	       addr_shown(&s->dst, &c->id.dst, c->id.dst_len) &&
	       (!c->id.proto || c->id.proto == s->proto) &&
	       (!c->id.has_spi || be32_eq(c->id.spi, s->spi)) &&
	       (!c->mode_set || c->mode == s->mode) && (!c->reqid_set || c->reqid == s->reqid) &&
	       (!c->flags || c->flags & s->flags);
}

static bool policy_shown(const struct call *c, const struct policy_cfg *p)
{
	return addr_shown(&p->sel.src, &c->sel.src, c->sel.src_len) &&
	       addr_shown(&p->sel.dst, &c->sel.dst, c->sel.dst_len) &&
	       (!c->sel.proto || c->sel.proto == p->sel.proto) &&
	       (!c->dir_set || c->dir == p->dir) && (!c->index_set || c->index == p->index) &&
	       (!c->action_set || c->action == p->action) &&
	       (!c->priority_set || c->priority == p->priority) &&
	       (!c->sub_set || c->sub == p->sub) && (!c->flags || c->flags & p->flags);
}

/* Whether the row is among what is asked for; with its configuration read. */
static bool is_shown(const struct call *c, const json_t *row)
{
	const json_t *state = json_object_get(row, "state");
	struct policy_cfg policy;
	struct sa_cfg sa;
	char line[XFRM_LINE];
	bool shown;

	text_copy(line, sizeof(line),
		  json_string_value(state ? state : json_object_get(row, "policy")));
	if (!state)
		return !policy_line(line, &policy, NULL) && policy_shown(c, &policy);
	shown = !sa_line(line, &sa, NULL) && state_shown(c, &sa);
	secret_wipe(&sa, sizeof(sa));
	secret_wipe(line, sizeof(line));
	return shown;
}

static int list_row(void *ctx, json_t *row)
{
	return is_shown(ctx, row) ? xfrm_print_row(ctx, row) : 0;
}

static int number_word(struct words *w, const char *why, u32 *out, bool *set)
{
	*set = true;
	return words_u32(w, why, ~0U, out);
}

static int table_word(struct words *w, const struct word_value *t, const char *why, u32 *out)
{
	return words_of_table(w, t, why, out);
}

static int flag_words(struct words *w, const struct word_value *t, u32 *flags)
{
	bool hit = true;

	while (hit) {
		hit = false;
		for (u32 i = 0; t[i].word; i++)
			if (words_take(w, t[i].word)) {
				*flags |= t[i].value;
				hit = true;
			}
	}
	return 0;
}

static int state_filter(struct call *c)
{
	struct words *w = &c->w;

	if (words_take(w, "mode")) {
		c->mode_set = true;
		return table_word(w, xfrm_modes, "MODE value is invalid", &c->mode);
	}
	if (words_take(w, "reqid"))
		return number_word(w, "REQID value is invalid", &c->reqid, &c->reqid_set);
	if (words_take(w, "flag"))
		return flag_words(w, sa_flags, &c->flags);
	return words_id(w, true, &c->id);
}

static int policy_filter(struct call *c)
{
	static const struct word_value ptypes[] = {{"main", 0}, {"sub", 1}, {NULL, 0}};
	struct words *w = &c->w;

	if (words_take(w, "dir")) {
		c->dir_set = true;
		return table_word(w, xfrm_dirs, "DIR value is invalid", &c->dir);
	}
	if (words_take(w, "index"))
		return number_word(w, "INDEX value is invalid", &c->index, &c->index_set);
	if (words_take(w, "ptype")) {
		c->sub_set = true;
		return table_word(w, ptypes, "PTYPE value is invalid", &c->sub);
	}
	if (words_take(w, "action")) {
		c->action_set = true;
		return table_word(w, xfrm_actions, "ACTION value is invalid\n", &c->action);
	}
	if (words_take(w, "priority"))
		return number_word(w, "PRIORITY value is invalid", &c->priority, &c->priority_set);
	if (words_take(w, "flag"))
		return flag_words(w, policy_flags, &c->flags);
	return words_sel(w, &c->sel);
}

static int read_filter(struct call *c)
{
	bool state = !strcmp(c->object, "state");
	int err = 0;

	while (!err && words_peek(&c->w)) {
		if (words_take(&c->w, "nokeys"))
			c->keys = false;
		else if (c->cli->dialect == DIALECT_TUNL && words_take(&c->w, "keys"))
			c->keys = true;
		else
			err = state ? state_filter(c) : policy_filter(c);
	}
	return err;
}

int xfrm_list(struct call *c, const char *op)
{
	(void)op;
	if (read_filter(c))
		return xfrm_complain(c);
	return xfrm_request(c, "list", c->keys && !strcmp(c->object, "state") ? "keys" : "",
			    list_row)
		       ? xfrm_refused(c)
		       : 0;
}

static int keep_row(void *ctx, json_t *row)
{
	struct call *c = ctx;

	return is_shown(c, row) ? json_array_append(c->rows, row) : 0;
}

/* The words that name one of a listed row's kind. */
static void name_row(const json_t *row, struct text *t)
{
	const char *state = json_string_value(json_object_get(row, "state"));
	struct policy_cfg policy = {0};
	char line[XFRM_LINE];
	struct sa_cfg sa = {0};

	text_copy(line, sizeof(line),
		  state ? state : json_string_value(json_object_get(row, "policy")));
	if (!state) {
		policy_line(line, &policy, NULL);
		policy_print(&policy, t);
		return;
	}
	sa_line(line, &sa, NULL);
	xfrm_fill_id(&(struct xfrm_name){.family = sa.family,
					 .proto = sa.proto,
					 .spi = sa.spi,
					 .src = sa.src,
					 .dst = sa.dst},
		     &sa.mark, t);
}

int xfrm_delete_all(struct call *c, const char *op)
{
	json_t *printed = c->rows;
	char line[XFRM_LINE];
	struct text t;
	size_t i;
	json_t *row;
	int rc;

	(void)op;
	if (read_filter(c))
		return xfrm_complain(c);
	c->rows = json_array();
	rc = xfrm_request(c, "list", "", keep_row);
	json_array_foreach(c->rows, i, row)
	{
		text_init(&t, line, sizeof(line));
		name_row(row, &t);
		rc = rc ? rc : xfrm_request(c, "delete", line, NULL);
	}
	json_decref(c->rows);
	c->rows = printed;
	return rc ? xfrm_refused(c) : 0;
}
