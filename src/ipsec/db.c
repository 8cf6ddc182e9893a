/* SPDX-License-Identifier: BSD-2-Clause */
#include "ipsec/db.h"

#include <stdlib.h>

#include "ipsec/secret.h"

void db_init(struct xfrm_db *db)
{
	__builtin_memset(db, 0, sizeof(*db));
	list_init(&db->sas);
	for (u32 i = 0; i < POLICY_DIRS; i++)
		list_init(&db->policies[i]);
	db->gen = 1;
}

void db_changed(struct xfrm_db *db)
{
	if (++db->gen == 0)
		db->gen = 1;
}

static struct sa **bucket_of(struct xfrm_db *db, be32 spi)
{
	return &db->bucket[(be32_host(spi) * 0x9e3779b1U) >> 16 & (DB_BUCKETS - 1)];
}

struct sa *db_sa_add(struct xfrm_db *db, const struct sa_cfg *cfg, struct sa_live *live, u32 slot)
{
	struct sa *sa = secret_alloc(sizeof(*sa));
	struct sa **b = bucket_of(db, cfg->spi);

	if (!sa)
		return NULL;
	sa->cfg = *cfg;
	sa->live = live;
	sa->slot = slot;
	sa->next = *b;
	*b = sa;
	list_add(&db->sas, &sa->node);
	db->nsas++;
	db_changed(db);
	return sa;
}

void db_sa_del(struct xfrm_db *db, struct sa *sa)
{
	struct sa **at = bucket_of(db, sa->cfg.spi);

	while (*at != sa)
		at = &(*at)->next;
	*at = sa->next;
	list_del(&sa->node);
	db->nsas--;
	db_changed(db);
	crypt_free(sa->crypt);
	secret_free(sa);
}

struct policy *db_policy_add(struct xfrm_db *db, const struct policy_cfg *cfg, u32 slot)
{
	struct list *all = &db->policies[cfg->dir], *before = all;
	struct policy *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->cfg = *cfg;
	p->slot = slot;
	/* behind those of the same priority, before those that yield to it */
	list_for_each (n, all) {
		if (list_entry(n, struct policy, node)->cfg.priority > cfg->priority) {
			before = n;
			break;
		}
	}
	list_add(before, &p->node);
	db->npolicies[cfg->dir]++;
	db_changed(db);
	return p;
}

void db_policy_del(struct xfrm_db *db, struct policy *p)
{
	list_del(&p->node);
	db->npolicies[p->cfg.dir]--;
	db_changed(db);
	free(p);
}

void db_fini(struct xfrm_db *db)
{
	list_for_each_safe (n, &db->sas)
		db_sa_del(db, list_entry(n, struct sa, node));
	for (u32 i = 0; i < POLICY_DIRS; i++)
		list_for_each_safe (n, &db->policies[i])
			db_policy_del(db, list_entry(n, struct policy, node));
}

struct sa *db_sa_find(const struct xfrm_db *db, const struct sa_id *id)
{
	for (struct sa *sa = *bucket_of((struct xfrm_db *)db, id->spi); sa; sa = sa->next)
		if (be32_eq(sa->cfg.spi, id->spi) && sa->cfg.proto == id->proto &&
		    sa->cfg.family == id->family && xfrm_mark_matches(&sa->cfg.mark, id->mark) &&
		    xfrm_addr_eq(&sa->cfg.dst, &id->dst))
			return sa;
	return NULL;
}

struct sa *db_sa_by_slot(const struct xfrm_db *db, u32 slot)
{
	list_for_each (n, &db->sas) {
		struct sa *sa = list_entry(n, struct sa, node);

		if (sa->slot == slot)
			return sa;
	}
	return NULL;
}

struct policy *db_policy_by_slot(const struct xfrm_db *db, u32 slot)
{
	for (u32 i = 0; i < POLICY_DIRS; i++)
		list_for_each (n, &db->policies[i]) {
			struct policy *p = list_entry(n, struct policy, node);

			if (p->slot == slot)
				return p;
		}
	return NULL;
}

bool sa_collides(const struct sa_cfg *a, const struct sa_cfg *b)
{
	return be32_eq(a->spi, b->spi) && a->proto == b->proto && a->family == b->family &&
	       xfrm_addr_eq(&a->dst, &b->dst) &&
	       xfrm_mark_matches(&b->mark, a->mark.value & a->mark.mask);
}

static bool same_sel(const struct xfrm_sel *a, const struct xfrm_sel *b)
{
	return a->family == b->family && a->src_len == b->src_len && a->dst_len == b->dst_len &&
	       a->proto == b->proto && a->sport == b->sport && a->dport == b->dport &&
	       a->sport_mask == b->sport_mask && a->dport_mask == b->dport_mask &&
	       a->ifindex == b->ifindex && xfrm_addr_eq(&a->src, &b->src) &&
	       xfrm_addr_eq(&a->dst, &b->dst);
}

struct policy *db_policy_same(const struct xfrm_db *db, const struct policy_cfg *cfg)
{
	list_for_each (n, &db->policies[cfg->dir]) {
		struct policy *p = list_entry(n, struct policy, node);

		if (p->cfg.sub == cfg->sub && p->cfg.if_id == cfg->if_id &&
		    p->cfg.mark.value == cfg->mark.value && p->cfg.mark.mask == cfg->mark.mask &&
		    same_sel(&p->cfg.sel, &cfg->sel))
			return p;
	}
	return NULL;
}

struct policy *db_policy_by_index(const struct xfrm_db *db, u8 dir, u32 index)
{
	list_for_each (n, &db->policies[dir]) {
		struct policy *p = list_entry(n, struct policy, node);

		if (p->cfg.index == index)
			return p;
	}
	return NULL;
}
