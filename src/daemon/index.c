/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/index.h"

#include <errno.h>

#include "model/rules.h"

static struct tunnel *of_config(struct hnode *n)
{
	return n ? container_of(n, struct tunnel, index.config) : NULL;
}

int index_enter(struct tunnel *t)
{
	struct tunnel_index *x = &t->index;

	index_leave(t);
	x->place = t->place;
	if (htab_add(&t->home->daemon->by_slot, &x->slot, t->slot))
		return -ENOMEM;
	if (htab_add(&x->place->by_device, &x->device, t->link.ifindex)) {
		htab_del(&t->home->daemon->by_slot, &x->slot);
		return -ENOMEM;
	}
	if (htab_add(&t->home->by_config, &x->config, rules_hash(&t->cfg))) {
		htab_del(&t->home->daemon->by_slot, &x->slot);
		htab_del(&x->place->by_device, &x->device);
		return -ENOMEM;
	}
	x->in = true;
	return 0;
}

void index_leave(struct tunnel *t)
{
	struct tunnel_index *x = &t->index;

	if (!x->in)
		return;
	htab_del(&t->home->daemon->by_slot, &x->slot);
	htab_del(&x->place->by_device, &x->device);
	htab_del(&t->home->by_config, &x->config);
	x->in = false;
}

struct tunnel *index_by_slot(struct daemon *d, u32 slot)
{
	struct hnode *n = htab_find(&d->by_slot, slot);

	return n ? container_of(n, struct tunnel, index.slot) : NULL;
}

struct tunnel *index_by_device(struct ns *place, u32 ifindex)
{
	struct hnode *n = htab_find(&place->by_device, ifindex);

	return n ? container_of(n, struct tunnel, index.device) : NULL;
}

struct tunnel *index_next_device(const struct tunnel *t)
{
	struct hnode *n = htab_find_next(&t->index.device);

	return n ? container_of(n, struct tunnel, index.device) : NULL;
}

struct tunnel *index_by_config(struct ns *home, const struct tunnel_cfg *cfg)
{
	struct tunnel *t = of_config(htab_find(&home->by_config, rules_hash(cfg)));

	while (t && !rules_same(&t->cfg, cfg))
		t = of_config(htab_find_next(&t->index.config));
	return t;
}
