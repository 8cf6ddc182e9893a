/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/rxmap.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/link.h"
#include "mode/mode.h"
#include "model/modes.h"

/* A key to be compiled again, for all drivers. */
struct dirty {
	struct hnode node; /* ns->rx_dirty, by both addresses and the key */
	struct lookup_key key;
};

static u64 hash(const struct lookup_key *k)
{
	u64 h = (u64)k->remote.raw << 32 | k->local.raw;

	return h ^ (k->keyed ? ((u64)k->key.raw + 1) * 0x9e3779b97f4a7c15ULL : 0);
}

static void mark_key(struct ns *ns, const struct lookup_key *key)
{
	struct dirty *dirty;

	if (htab_find(&ns->rx_dirty, hash(key)))
		return;
	dirty = calloc(1, sizeof(*dirty));
	if (!dirty)
		return;
	dirty->key = *key;
	if (htab_add(&ns->rx_dirty, &dirty->node, hash(key)))
		free(dirty);
}

static void mark_node(struct ns *ns, const struct lookup_node *n)
{
	struct lookup_key key = lookup_key(n);

	mark_key(ns, &key);
}

static void mark_adopted(const void *p, void *ns)
{
	const struct bpf_rx_key *k = p;

	mark_key(ns, &(struct lookup_key){k->remote, k->local, k->key, k->keyed});
}

void rxmap_mark_adopted(struct ns *ns)
{
	bpf_ns_each_key(ns->bpf, BPF_KEYS_RX, mark_adopted, ns);
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
	enum mode_id driver = mode_info(t->cfg.mode)->driver;
	struct lookup *l = &t->home->rx[driver];

	l->kind = mode_by_id(driver)->lookup;
	return l;
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
	struct lookup_key ka = lookup_key(a), kb = lookup_key(b);

	return lookup_key_equal(&ka, &kb) && be32_eq(a->local, b->local) && a->down == b->down &&
	       a->keyed == b->keyed && a->link == b->link && a->order == b->order;
}

void rxmap_place(struct tunnel *t)
{
	struct lookup_node want = lookup_node(&t->cfg, t->order);
	bool out = !t->link.up && !lookup_has_down(lookup_of(t));

	want.down = !t->link.up;
	if (t->in_rx && (out || !same_node(&t->rx, &want)))
		rxmap_remove(t);
	if (t->in_rx || out)
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

/* And whether the program has to look at more than the addresses. */
static u32 ifindex_of(const struct lookup_node *n)
{
	const struct tunnel *t = container_of(n, struct tunnel, rx);

	return t->link.ifindex | (t->cfg.peers.n || t->cfg.mss ? BPF_RX_LOOK : 0);
}

/* What comes in by that device is for n, unless it is for one before. */
static void bind_to(struct bpf_rx *rx, u32 link, const struct lookup_node *n)
{
	for (u32 i = 0; i < min_of(rx->nbound, (u32)BPF_RX_BOUND); i++)
		if (rx->bound[i].link == link)
			return;
	if (rx->nbound < BPF_RX_BOUND) {
		rx->bound[rx->nbound].link = link;
		rx->bound[rx->nbound].ifindex = ifindex_of(n);
	}
	rx->nbound++;
}

/*
 * The program sees the device itself, the drivers the VRF that it is in. A device in a
 * VRF counts with those alone that filter by it (struct lookup_ask).
 */
static void bind_node(struct ns *ns, struct bpf_rx *rx, const struct lookup_node *n, bool filters)
{
	const struct link *own = link_find(ns, n->link);

	if (!own || filters || !link_vrf(ns, own))
		bind_to(rx, n->link, n);
	if (!own || !link_is_vrf(own))
		return;
	htab_for_each (at, &ns->links) {
		const struct link *l = container_of(at, struct link, node);

		if (l->l.master == n->link)
			bind_to(rx, l->l.ifindex, n);
	}
}

static void fill(struct ns *ns, struct bpf_rx *rx, const struct lookup_rule *rule, u8 proto)
{
	bool slow =
		rule->nbound > LOOKUP_BOUND || (rule->candidate && is_slow(rule->candidate, proto));

	*rx = (struct bpf_rx){.candidate = rule->candidate ? ifindex_of(rule->candidate) : 0};
	for (u32 i = 0; !slow && i < rule->nbound; i++) {
		slow = is_slow(rule->bound[i], proto);
		bind_node(ns, rx, rule->bound[i], rule->final);
	}
	if (slow)
		*rx = (struct bpf_rx){.nbound = BPF_RX_SLOW};
}

/* What the mode's driver has under the key, for the outer protocol that it receives. */
static int write_key(struct ns *ns, const struct dirty *dirty, const struct mode *mode)
{
	const struct mode_info *m = mode_info(mode->id);
	u8 proto = mode->proto[0].proto;
	struct bpf_rx_key key = {.remote = dirty->key.remote,
				 .local = dirty->key.local,
				 .key = dirty->key.key,
				 .proto = proto,
				 .keyed = dirty->key.keyed};
	struct lookup_rule rule;
	struct bpf_rx rx;

	if ((!be32_is_zero(key.local) && !addr_is_local(ns, key.local)) ||
	    !lookup_compile(&ns->rx[m->driver], &dirty->key, &rule))
		return bpf_ns_set_rx(ns->bpf, &key, NULL);
	fill(ns, &rx, &rule, proto);
	return bpf_ns_set_rx(ns->bpf, &key, &rx);
}

int rxmap_write(struct ns *ns)
{
	int err = 0;

	htab_for_each (n, &ns->rx_dirty) {
		struct dirty *dirty = container_of(n, struct dirty, node);
		int failed = 0;

		for (int id = MODE_NONE + 1; ns->bpf && id < MODE__MAX; id++) {
			const struct mode *m = mode_by_id(id);

			if (m && m->fast && m->proto[0].proto)
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
