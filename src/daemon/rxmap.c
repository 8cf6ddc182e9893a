/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/rxmap.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/link.h"
#include "mode/mode.h"
#include "model/modes.h"

/* A pair of addresses to be compiled again, for all drivers. */
struct dirty {
	struct hnode node; /* ns->rx_dirty, by both addresses */
	be32 remote, local;
};

static void mark(struct ns *ns, be32 remote, be32 local)
{
	u64 key = (u64)remote.raw << 32 | local.raw;
	struct dirty *dirty;

	if (htab_find(&ns->rx_dirty, key))
		return;
	dirty = calloc(1, sizeof(*dirty));
	if (!dirty)
		return;
	dirty->remote = remote;
	dirty->local = local;
	if (htab_add(&ns->rx_dirty, &dirty->node, key))
		free(dirty);
}

static void mark_node(struct ns *ns, const struct lookup_node *n)
{
	be32 remote, local;

	lookup_key(n, &remote, &local);
	mark(ns, remote, local);
}

void rxmap_mark(struct ns *ns, const struct tunnel_cfg *cfg)
{
	struct lookup_node n = lookup_node(cfg, 1);

	mark_node(ns, &n);
}

void rxmap_mark_all(struct ns *ns)
{
	list_for_each (n, &ns->home)
		rxmap_mark(ns, &list_entry(n, struct tunnel, in_home)->cfg);
}

static struct lookup *lookup_of(const struct tunnel *t)
{
	return &t->home->rx[mode_info(t->cfg.mode)->driver];
}

void rxmap_remove(struct tunnel *t)
{
	if (!t->in_rx)
		return;
	lookup_del(lookup_of(t), &t->rx);
	mark_node(t->home, &t->rx);
	t->in_rx = false;
}

static bool same_node(const struct lookup_node *a, const struct lookup_node *b)
{
	return be32_eq(a->local, b->local) && be32_eq(a->remote, b->remote) && a->link == b->link &&
	       a->order == b->order;
}

void rxmap_place(struct tunnel *t)
{
	struct lookup_node want = lookup_node(&t->cfg, t->order);

	if (t->in_rx && (!t->link.up || !same_node(&t->rx, &want)))
		rxmap_remove(t);
	if (t->in_rx || !t->link.up)
		return;
	t->rx = want;
	t->in_rx = lookup_add(lookup_of(t), &t->rx) == 0;
	mark_node(t->home, &t->rx);
}

/* Whether the program must not decide about n by itself. */
static bool is_slow(const struct lookup_node *n, u8 proto)
{
	const struct tunnel *t = container_of(n, struct tunnel, rx);

	return !t->fast || (t->cfg.proto && t->cfg.proto != proto);
}

static u32 ifindex_of(const struct lookup_node *n)
{
	return container_of(n, struct tunnel, rx)->link.ifindex;
}

static void fill(struct bpf_rx *rx, const struct lookup_rule *rule, u8 proto)
{
	bool slow = rule->nbound > BPF_RX_BOUND || is_slow(rule->candidate, proto);

	*rx = (struct bpf_rx){.candidate = ifindex_of(rule->candidate), .nbound = rule->nbound};
	for (u32 i = 0; !slow && i < rule->nbound; i++) {
		slow = is_slow(rule->bound[i], proto);
		rx->bound[i].link = rule->bound[i]->link;
		rx->bound[i].ifindex = ifindex_of(rule->bound[i]);
	}
	if (slow)
		*rx = (struct bpf_rx){.nbound = BPF_RX_SLOW};
}

static int write_key(struct ns *ns, const struct dirty *dirty, const struct mode_info *m)
{
	struct bpf_rx_key key = {dirty->remote, dirty->local, m->proto};
	struct lookup_rule rule;
	struct bpf_rx rx;

	if ((!be32_is_zero(key.local) && !addr_is_local(ns, key.local)) ||
	    !lookup_compile(&ns->rx[m->driver], key.remote, key.local, &rule))
		return bpf_ns_set_rx(ns->bpf, &key, NULL);
	fill(&rx, &rule, m->proto);
	return bpf_ns_set_rx(ns->bpf, &key, &rx);
}

int rxmap_write(struct ns *ns)
{
	int err = 0;

	htab_for_each (n, &ns->rx_dirty) {
		struct dirty *dirty = container_of(n, struct dirty, node);
		int failed = 0;

		for (int id = MODE_NONE + 1; ns->bpf && id < MODE__MAX; id++) {
			const struct mode_info *m = mode_info(id);

			if (m->driver == m->id && mode_by_id(m->id))
				failed = write_key(ns, dirty, m);
			err = failed ? failed : err;
		}
		htab_del(&ns->rx_dirty, n);
		free(dirty);
	}
	return err;
}

void rxmap_free(struct ns *ns)
{
	htab_for_each (n, &ns->rx_dirty)
		free(container_of(n, struct dirty, node));
	htab_fini(&ns->rx_dirty);
	for (int i = 0; i < MODE__MAX; i++)
		lookup_free(&ns->rx[i]);
}
