/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/xfrm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/shared.h"
#include "ipsec/algo.h"
#include "lib/addr.h"
#include "lib/log.h"
#include "wire/ip4.h"

bool xfrm_has_any(const struct ns *ns)
{
	const struct nsx *x = ns->xfrm;

	return x && !x->follow &&
	       (x->db.nsas || x->db.npolicies[POLICY_IN] || x->db.npolicies[POLICY_OUT] ||
		x->db.npolicies[POLICY_FWD]);
}

int xfrm_of(struct ns *ns, struct nsx **out)
{
	struct nsx *x = ns->xfrm;
	int err;

	if (!x) {
		x = calloc(1, sizeof(*x));
		if (!x)
			return -ENOMEM;
		err = shared_mib_take(ns->daemon->shared, &x->mib);
		if (err) {
			free(x);
			return err;
		}
		x->ns = ns;
		db_init(&x->db);
		ns->xfrm = x;
	}
	*out = x;
	return 0;
}

void xfrm_free(struct ns *ns)
{
	struct nsx *x = ns->xfrm;

	if (!x)
		return;
	list_for_each (n, &x->db.sas)
		shared_sa_give(ns->daemon->shared, list_entry(n, struct sa, node)->slot);
	shared_mib_give(ns->daemon->shared, x->mib);
	xfrm_abandon(ns);
}

void xfrm_abandon(struct ns *ns)
{
	if (!ns->xfrm)
		return;
	xfrm_follow_end(ns->xfrm);
	db_fini(&ns->xfrm->db);
	free(ns->xfrm);
	ns->xfrm = NULL;
}

void xfrm_written(struct nsx *x)
{
	int err = xfrm_save(x->ns->daemon);

	if (err)
		log_error("xfrm: associations and policies cannot be written down: %s",
			  strerror(-err));
}

/* As the kernel completes and refuses what a request says. */
static int sa_accept(struct sa_cfg *cfg)
{
	if (cfg->proto != PROTO_ESP)
		return -EPROTONOSUPPORT;
	if (!cfg->sel.family && !(cfg->flags & SA_AF_UNSPEC))
		cfg->sel.family = cfg->family;
	if (cfg->mode != XFRM_TUNNEL && cfg->mode != XFRM_TRANSPORT && cfg->mode != XFRM_BEET)
		return -EINVAL;
	if (cfg->encap.type == ENCAP_ESPINUDP_NONIKE || cfg->tfcpad)
		return -EOPNOTSUPP;
	algo_name(cfg);
	return algo_check(cfg);
}

static struct sa *find_same(struct nsx *x, const struct sa_cfg *cfg)
{
	list_for_each (n, &x->db.sas) {
		struct sa *sa = list_entry(n, struct sa, node);

		if (sa_collides(cfg, &sa->cfg))
			return sa;
	}
	return NULL;
}

/* What the kernel lets be changed of one that is there: not its keys. */
static void sa_update(struct nsx *x, struct sa *sa, const struct sa_cfg *cfg)
{
	sa->cfg.limits = cfg->limits;
	sa->cfg.sel = cfg->sel;
	if (cfg->encap.type && sa->cfg.encap.type)
		sa->cfg.encap = cfg->encap;
	sa->cfg.out_mark = cfg->out_mark;
	sa->cfg.has_out_mark = cfg->has_out_mark;
	sa->cfg.if_id = cfg->if_id;
	sa->live->dying = false;
	xfrm_tell_sa(x, sa);
	xfrm_written(x);
}

int xfrm_sa_add(struct nsx *x, struct sa_cfg *cfg, bool update)
{
	int err = sa_accept(cfg);
	struct sa *sa = err ? NULL : find_same(x, cfg);
	struct sa_live *live;
	u32 slot;

	if (err)
		return err;
	if (sa && update)
		sa_update(x, sa, cfg);
	if (sa || update)
		return !sa ? -ESRCH : update ? 0 : -EEXIST;
	err = shared_sa_take(x->ns->daemon->shared, &slot, &live);
	if (err)
		return err;
	replay_init(&live->replay, cfg);
	live->add_time = (u64)time(NULL);
	sa = db_sa_add(&x->db, cfg, live, slot);
	if (!sa) {
		shared_sa_give(x->ns->daemon->shared, slot);
		return -ENOMEM;
	}
	xfrm_tell_sa(x, sa);
	xfrm_written(x);
	return 0;
}

void xfrm_forget_sa(struct nsx *x, struct sa *sa)
{
	xfrm_tell_gone(x, true, sa->slot);
	shared_sa_give(x->ns->daemon->shared, sa->slot);
	db_sa_del(&x->db, sa);
}

void xfrm_sa_del(struct nsx *x, struct sa *sa)
{
	xfrm_forget_sa(x, sa);
	xfrm_written(x);
}

/* What the kernel refuses of templates; one without family has the selector's. */
static int policy_accept(struct policy_cfg *cfg)
{
	u32 most = cfg->sel.family == XFRM_IP6 ? 128 : 32;

	if (cfg->sel.src_len > most || cfg->sel.dst_len > most)
		return -EINVAL;
	for (u32 i = 0; i < cfg->ntmpls; i++) {
		struct xfrm_tmpl *t = &cfg->tmpl[i];

		if (!t->family)
			t->family = cfg->sel.family;
		if (t->mode == XFRM_TRANSPORT && t->family != cfg->sel.family)
			return -EINVAL;
		if (!t->proto)
			return -EINVAL;
	}
	return 0;
}

/* The kernel's numbers: the direction stands in the low bits; 0 is none. */
static u32 new_index(struct nsx *x, u8 dir)
{
	u32 index;

	do {
		index = x->next_index | dir;
		x->next_index += 8;
	} while (!index || db_policy_by_index(&x->db, dir, index));
	return index;
}

int xfrm_policy_add(struct nsx *x, struct policy_cfg *cfg, bool update)
{
	int err = policy_accept(cfg);
	struct policy *old = err ? NULL : db_policy_same(&x->db, cfg), *p;

	if (err)
		return err;
	if (old && !update)
		return -EEXIST;
	if (cfg->index && (cfg->index & 7) != cfg->dir)
		return -EINVAL;
	if (!cfg->index)
		cfg->index = old ? old->cfg.index : new_index(x, cfg->dir);
	p = db_policy_add(&x->db, cfg, x->next_policy++);
	if (!p)
		return -ENOMEM;
	p->added = (u64)time(NULL);
	xfrm_tell_policy(x, p);
	if (old)
		xfrm_policy_del(x, old);
	else
		xfrm_written(x);
	return 0;
}

void xfrm_forget_policy(struct nsx *x, struct policy *p)
{
	xfrm_tell_gone(x, false, p->slot);
	db_policy_del(&x->db, p);
}

void xfrm_policy_del(struct nsx *x, struct policy *p)
{
	xfrm_forget_policy(x, p);
	xfrm_written(x);
}

void xfrm_limit(struct ns *ns, u32 slot, bool hard)
{
	struct sa *sa = ns->xfrm ? db_sa_by_slot(&ns->xfrm->db, slot) : NULL;
	char src[ADDR4_TEXT], dst[ADDR4_TEXT];

	if (!sa)
		return;
	log_info("xfrm: the association %s -> %s, SPI 0x%08x, reached a %s limit%s",
		 addr4_print(xfrm_addr4(&sa->cfg.src), src),
		 addr4_print(xfrm_addr4(&sa->cfg.dst), dst), be32_host(sa->cfg.spi),
		 hard ? "hard" : "soft", hard ? " and is gone" : "");
	if (ns->xfrm->follow)
		xfrm_follow_limit(ns->xfrm, sa, hard); /* and a hard one ends it there */
	else if (hard)
		xfrm_sa_del(ns->xfrm, sa);
}
