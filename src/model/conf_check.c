/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether tunnels of a configuration stand in each other's way. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/htab.h"
#include "lib/text.h"
#include "model/conf.h"
#include "model/modes.h"
#include "model/rules.h"

/* By name, and by what it is found by; index: in conf.tunnel. */
struct seen {
	struct hnode name, ends;
	size_t index;
};

struct check {
	struct conf *c;
	conf_error_fn *fn;
	void *ctx;
	struct htab names, ends;
	struct seen *seen;
};

static u64 mix(u64 h, const void *data, size_t len)
{
	for (const u8 *p = data; len--; p++)
		h = (h ^ *p) * 0x100000001b3ULL;
	return (h ^ 0xff) * 0x100000001b3ULL;
}

static u64 place_hash(const struct conf_tunnel *t)
{
	return mix(0xcbf29ce484222325ULL, t->netns, strlen(t->netns));
}

static u64 name_hash(const struct conf_tunnel *t)
{
	return mix(place_hash(t), t->cfg.name, strlen(t->cfg.name));
}

static u64 ends_hash(const struct conf_tunnel *t)
{
	const struct tunnel_cfg *cfg = &t->cfg;
	u32 word[] = {cfg->local.raw, cfg->remote.raw, cfg->ikey.raw, cfg->iflags & TUNL_F_KEY,
		      (u32)mode_info(cfg->mode)->driver};

	return mix(mix(place_hash(t), word, sizeof(word)), cfg->dev, strlen(cfg->dev));
}

/* Tell of t, which the tunnel `first` forbids. */
static void tell(struct check *k, const struct conf_tunnel *t, const struct conf_tunnel *first,
		 const char *what)
{
	const struct conf_where at = {k->c->file[t->file], t->line, 1};
	char text[256];
	struct text out;

	text_init(&out, text, sizeof(text));
	text_add(&out, "%s: %s %s, %s:%u", t->cfg.name, what, first->cfg.name,
		 k->c->file[first->file], first->line);
	if (++k->c->errors <= CONF_ERROR_MAX && k->fn)
		k->fn(k->ctx, &at, text);
}

static const struct conf_tunnel *same_name(struct check *k, const struct conf_tunnel *t)
{
	struct hnode *n = htab_find(&k->names, name_hash(t));

	return n ? &k->c->tunnel[container_of(n, struct seen, name)->index] : NULL;
}

/* What is known before names are looked up and devices are there. */
static const struct conf_tunnel *same_ends(struct check *k, const struct conf_tunnel *t)
{
	struct hnode *n = htab_find(&k->ends, ends_hash(t));
	const struct conf_tunnel *other =
		n ? &k->c->tunnel[container_of(n, struct seen, ends)->index] : NULL;

	return other && rules_same(&other->cfg, &t->cfg) ? other : NULL;
}

static bool has_known_ends(const struct conf_tunnel *t)
{
	return !t->host && !t->local_dev[0];
}

/* Enter c->tunnel[i]. False: it may not be there, which was told. */
static bool enter(struct check *k, size_t i, int *rc)
{
	const struct conf_tunnel *t = &k->c->tunnel[i], *other = same_name(k, t);
	struct seen *s = &k->seen[i];

	if (other) {
		tell(k, t, other, "this name is taken by");
		return false;
	}
	other = has_known_ends(t) ? same_ends(k, t) : NULL;
	if (other) {
		tell(k, t, other, "has the same addresses as");
		return false;
	}
	s->index = i;
	if (htab_add(&k->names, &s->name, name_hash(t)))
		*rc = -ENOMEM;
	if (has_known_ends(t) && !htab_find(&k->ends, ends_hash(t)) &&
	    htab_add(&k->ends, &s->ends, ends_hash(t)))
		*rc = -ENOMEM;
	return true;
}

int conf_check(struct conf *c, conf_error_fn *fn, void *ctx)
{
	struct check k = {.c = c, .fn = fn, .ctx = ctx, .seen = calloc(c->n + 1, sizeof(*k.seen))};
	size_t n = c->n;
	int rc = k.seen ? 0 : -ENOMEM;

	c->n = k.seen ? 0 : n;
	for (size_t i = 0; k.seen && i < n; i++) {
		struct conf_tunnel t = c->tunnel[i];

		c->tunnel[c->n] = t;
		if (enter(&k, c->n, &rc)) {
			c->n++;
			continue;
		}
		conf_tunnel_free(&t);
		rc = rc ? rc : -EINVAL;
	}
	htab_fini(&k.names);
	htab_fini(&k.ends);
	free(k.seen);
	return rc;
}
