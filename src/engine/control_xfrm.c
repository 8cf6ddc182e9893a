/* SPDX-License-Identifier: BSD-2-Clause */
/* The parent's messages about security associations and policies. */
#include <errno.h>

#include "engine/esp.h"
#include "engine/live.h"
#include "ipsec/secret.h"

/* What may change of one that is there (as the kernel's update does). */
static void sa_update(struct engine_ns *ns, struct sa *sa, const struct sa_cfg *cfg)
{
	sa->cfg.limits = cfg->limits;
	sa->cfg.sel = cfg->sel;
	sa->cfg.encap = cfg->encap;
	sa->cfg.out_mark = cfg->out_mark;
	sa->cfg.has_out_mark = cfg->has_out_mark;
	sa->cfg.if_id = cfg->if_id;
	db_changed(&ns->xfrm);
}

static int sa_set(struct live *l, struct engine_ns *ns, const struct engine_xfrm_msg *m)
{
	struct sa *sa;

	if (m->slot >= ENGINE_SAS)
		return -EINVAL;
	sa = db_sa_by_slot(&ns->xfrm, m->slot);
	if (sa) {
		sa_update(ns, sa, &m->sa);
		return 0;
	}
	sa = db_sa_add(&ns->xfrm, &m->sa, &l->shared->sa[m->slot], m->slot);
	if (!sa)
		return -ENOMEM;
	sa->sent_ms = l->engine.now_ms;
	sa->crypt = crypt_new(&m->sa);
	if (sa->crypt) {
		crypt_iv_begin(sa->crypt, &sa->live->iv_begin);
		return 0;
	}
	db_sa_del(&ns->xfrm, sa);
	return -EINVAL;
}

static void sa_del(struct engine_ns *ns, u32 slot)
{
	struct sa *sa = db_sa_by_slot(&ns->xfrm, slot);

	if (sa)
		db_sa_del(&ns->xfrm, sa);
}

static int policy_add(struct engine_ns *ns, const struct engine_xfrm_msg *m)
{
	return db_policy_add(&ns->xfrm, &m->policy, m->slot) ? 0 : -ENOMEM;
}

static void policy_del(struct engine_ns *ns, u32 slot)
{
	struct policy *p = db_policy_by_slot(&ns->xfrm, slot);

	if (p)
		db_policy_del(&ns->xfrm, p);
}

static int perform(struct live *l, struct engine_ns *ns, struct engine_xfrm_msg *m)
{
	if (m->op == ENGINE_SA_SET)
		return sa_set(l, ns, m);
	if (m->op == ENGINE_POLICY_ADD)
		return policy_add(ns, m);
	if (m->op == ENGINE_SA_DEL)
		sa_del(ns, m->slot);
	else if (m->op == ENGINE_POLICY_DEL)
		policy_del(ns, m->slot);
	else if (m->slot < ENGINE_MIBS)
		ns->mib = &l->shared->mib[m->slot];
	return 0;
}

int control_xfrm(struct live *l, struct live_ns *n, struct engine_xfrm_msg *m)
{
	int err = perform(l, &n->ns, m);

	secret_wipe(m, sizeof(*m));
	l->ticking = false;
	htab_for_each (other, &l->namespaces)
		l->ticking |= esp_needs_tick(&container_of(other, struct live_ns, node)->ns);
	return err;
}
