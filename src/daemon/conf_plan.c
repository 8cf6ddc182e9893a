/* SPDX-License-Identifier: BSD-2-Clause */
/* The files are read, and compared with what is there: what is to be done. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf_rows.h"
#include "lib/confdir.h"
#include "lib/log.h"

struct reading_files {
	struct conf *conf;
	conf_error_fn *fn;
	void *ctx;
	bool wrong;
};

static int read_file(const char *path, const char *text, size_t len, void *arg)
{
	struct reading_files *r = arg;
	const struct conf_source src = {path, text, len, r->fn, r->ctx};
	int rc = conf_read(r->conf, &src);

	r->wrong |= rc == -EINVAL;
	return rc == -ENOMEM ? rc : 0;
}

/* What the files say. 0; -EINVAL: there are mistakes, which fn was told; else -errno, e filled. */
static int read_files(struct confd *k, struct conf *c, conf_error_fn *fn, void *ctx, struct err *e)
{
	struct reading_files r = {c, fn, ctx, false};
	int rc;

	*c = (struct conf){0};
	rc = k->dir ? confdir_each(k->dir, "tunl", read_file, &r, e) : 0;
	if (!rc)
		rc = conf_check(c, fn, ctx);
	if (rc == -ENOMEM)
		err_set(e, ENOMEM, "out of memory");
	return rc ? rc : r.wrong ? -EINVAL : 0;
}

/* Tell whoever asked of one difference; fn NULL: nobody. */
static void tell(const struct conf_plan *p, enum conf_action action, const char *was,
		 const char *line)
{
	if (p->fn)
		p->fn(p->ctx, action, was, line);
}

/* One tunnel that the files have. 0 or -ENOMEM. */
static int plan_one(struct confd *k, const struct conf_tunnel *t, const struct conf_plan *p)
{
	struct conf_entry *en = conf_find(k, t);
	char *line = conf_text(t);
	bool same;

	if (!line)
		return -ENOMEM;
	same = en && en->done && !strcmp(en->done, line) && conf_is_there(k, en, t);
	if (!same)
		tell(p, en && en->done ? CONF_CHANGE : CONF_ADD, en ? en->done : NULL, line);
	if (p->dry) {
		free(line);
		return 0;
	}
	en = en ? en : conf_entry_new(k, t);
	if (!en) {
		free(line);
		return -ENOMEM;
	}
	if (en->want && t->host && en->want->host && strcmp(t->host, en->want->host))
		en->remote = be32_of(0);
	free(en->line);
	en->line = line;
	en->want = t;
	en->look_ms = 0;
	if (!same || en->why)
		conf_queue(k, en);
	return 0;
}

static void plan_gone(struct confd *k, const struct conf *c, const struct conf_plan *p)
{
	struct htab named = {0};
	struct hnode *nodes = calloc(c->n + 1, sizeof(*nodes));

	for (size_t i = 0; nodes && i < c->n; i++)
		htab_add(&named, &nodes[i], conf_key(c->tunnel[i].netns, c->tunnel[i].cfg.name));
	list_for_each_safe (n, &k->order) {
		struct conf_entry *en = list_entry(n, struct conf_entry, order);

		if (!nodes || htab_find(&named, en->node.key))
			continue;
		tell(p, CONF_DELETE, en->done ? en->done : en->line, NULL);
		if (p->dry)
			continue;
		conf_look_forget(k, en);
		free(en->line);
		en->line = NULL;
		en->want = NULL;
		if (en->done)
			conf_queue(k, en);
		else
			conf_entry_free(k, en);
	}
	htab_fini(&named);
	free(nodes);
}

/* Make c what is wanted. It is ours then, unless dry. */
static int plan(struct confd *k, struct conf *c, const struct conf_plan *p)
{
	int rc = 0;

	if (!p->keep)
		plan_gone(k, c, p);
	for (size_t i = 0; !rc && i < c->n; i++)
		rc = plan_one(k, &c->tunnel[i], p);
	if (p->dry) {
		conf_free(c);
		return rc;
	}
	conf_free(&k->conf);
	k->conf = *c;
	k->logged = 0;
	conf_look_soon(k);
	return rc;
}

int conf_reread(struct confd *k, const struct conf_plan *p, conf_error_fn *wrong, void *ctx,
		struct err *e)
{
	struct conf c;
	int rc = read_files(k, &c, wrong, ctx, e);

	if (rc == -EINVAL && !e->code)
		err_set(e, EINVAL, "the configuration has mistakes; nothing was changed");
	if (rc) {
		conf_free(&c);
		return rc;
	}
	rc = plan(k, &c, p);
	return rc ? err_set(e, ENOMEM, "out of memory") : 0;
}

void conf_log_mistake(void *ctx, const struct conf_where *at, const char *text)
{
	(void)ctx;
	log_error("%s:%u:%u: %s", at->file, at->line, at->column, text);
}

int conf_begin(struct confd *k)
{
	struct conf_plan p = {0};
	struct err e = {0};
	struct conf c;
	int rc = read_files(k, &c, conf_log_mistake, NULL, &e);

	if (rc && rc != -EINVAL)
		log_error("configuration: %s", e.text);
	p.keep = rc != 0;
	if (rc == -ENOMEM) {
		conf_free(&c);
		return rc;
	}
	rc = plan(k, &c, &p);
	if (k->conf.n)
		log_info("configuration: %zu tunnels in %s", k->conf.n, k->dir);
	return rc;
}
