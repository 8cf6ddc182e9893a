/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the kernel has ESP its associations and policies are vti's: they are
 * followed from the first vti tunnel of a namespace on. After each change all are
 * listed anew and what differs is done; each second the kernel is told what the
 * engine used and numbered, so that `ip -s xfrm` and IKE see it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/netns.h"
#include "daemon/priv.h"
#include "daemon/shared.h"
#include "daemon/xfrm.h"
#include "daemon/xfrm_kernel.h"
#include "ipsec/algo.h"
#include "lib/log.h"
#include "wire/ip4.h"

enum { TELL_MS = 1000, JUMP = 1 << 12 /* numbers that may be used since the kernel was told */ };

struct xfrm_follow {
	struct nsx *x;
	int events, fd; /* listener; requests */
	uv_poll_t poll;
	uv_timer_t timer;
	u8 open_handles;
};

/* One comparison: what was listed is marked. */
struct sync {
	struct nsx *x;
	u8 seen[ENGINE_SAS];
	u32 *index; /* of the policies that were listed */
	size_t n;
};

static struct sa *find(struct nsx *x, const struct sa_cfg *cfg)
{
	list_for_each (n, &x->db.sas) {
		struct sa *sa = list_entry(n, struct sa, node);

		if (sa_collides(cfg, &sa->cfg) && sa->cfg.mark.value == cfg->mark.value &&
		    sa->cfg.mark.mask == cfg->mark.mask)
			return sa;
	}
	return NULL;
}

static bool same_keys(const struct sa_cfg *a, const struct sa_cfg *b)
{
	return !memcmp(&a->aead, &b->aead, sizeof(a->aead)) &&
	       !memcmp(&a->enc, &b->enc, sizeof(a->enc)) &&
	       !memcmp(&a->auth, &b->auth, sizeof(a->auth));
}

static struct sa *add(struct nsx *x, const struct sa_cfg *cfg, const struct sa_live *was)
{
	struct shared *sh = x->ns->daemon->shared;
	struct sa_live *live;
	struct sa *sa;
	u32 slot;

	if (shared_sa_take(sh, &slot, &live))
		return NULL;
	*live = *was;
	/* numbers that were used after the kernel was last told of them do not come again */
	if (live->replay.out)
		live->replay.out += JUMP;
	sa = db_sa_add(&x->db, cfg, live, slot);
	if (sa)
		xfrm_tell_sa(x, sa);
	else
		shared_sa_give(sh, slot);
	return sa;
}

static void take_state(const struct sa_cfg *cfg, const struct sa_live *live, void *arg)
{
	struct sync *s = arg;
	struct sa *sa;

	/* what the engine cannot do, the kernel may still do for others */
	if (cfg->proto != PROTO_ESP || cfg->family != XFRM_IP4 || algo_check(cfg))
		return;
	sa = find(s->x, cfg);
	if (sa && !same_keys(&sa->cfg, cfg)) {
		xfrm_forget_sa(s->x, sa);
		sa = NULL;
	}
	if (!sa)
		sa = add(s->x, cfg, live);
	if (sa)
		s->seen[sa->slot] = 1;
}

static void take_policy(const struct policy_cfg *cfg, void *arg)
{
	struct sync *s = arg;
	struct policy *p = db_policy_by_index(&s->x->db, cfg->dir, cfg->index);
	u32 *more = realloc(s->index, (s->n + 1) * sizeof(*more));

	if (!more)
		return;
	s->index = more;
	s->index[s->n++] = cfg->index;
	if (p && !memcmp(&p->cfg, cfg, sizeof(*cfg)))
		return;
	if (p)
		xfrm_forget_policy(s->x, p);
	p = db_policy_add(&s->x->db, cfg, s->x->next_policy++);
	if (p)
		xfrm_tell_policy(s->x, p);
}

static bool was_listed(const struct sync *s, u32 index)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->index[i] == index)
			return true;
	return false;
}

static void drop_unseen(struct sync *s)
{
	list_for_each_safe (n, &s->x->db.sas) {
		struct sa *sa = list_entry(n, struct sa, node);

		if (!s->seen[sa->slot])
			xfrm_forget_sa(s->x, sa);
	}
	for (u32 dir = 0; dir < POLICY_DIRS; dir++)
		list_for_each_safe (n, &s->x->db.policies[dir]) {
			struct policy *p = list_entry(n, struct policy, node);

			if (!was_listed(s, p->cfg.index))
				xfrm_forget_policy(s->x, p);
		}
}

static void synchronize(struct xfrm_follow *f)
{
	struct sync *s = calloc(1, sizeof(*s));
	struct xfrm_kernel_fn fn = {take_state, take_policy, s};
	int err;

	if (!s)
		return;
	s->x = f->x;
	err = xfrm_kernel_dump(f->fd, &fn);
	if (!err)
		drop_unseen(s);
	else
		log_error("xfrm: the kernel's associations cannot be listed: %s", strerror(-err));
	free(s->index);
	free(s);
}

static void on_events(uv_poll_t *poll, int status, int events)
{
	struct xfrm_follow *f = poll->data;

	(void)status;
	(void)events;
	if (xfrm_kernel_heard(f->events))
		synchronize(f);
}

static void on_timer(uv_timer_t *timer)
{
	struct xfrm_follow *f = timer->data;

	list_for_each (n, &f->x->db.sas) {
		struct sa *sa = list_entry(n, struct sa, node);

		if (sa->live->packets == sa->told_packets)
			continue;
		sa->told_packets = sa->live->packets;
		xfrm_kernel_tell(f->fd, sa);
	}
}

void xfrm_follow_limit(struct nsx *x, const struct sa *sa, bool hard)
{
	xfrm_kernel_expire(x->follow->fd, sa, hard);
}

static void freed(uv_handle_t *h)
{
	struct xfrm_follow *f = h->data;

	if (--f->open_handles == 0)
		free(f);
}

void xfrm_follow_end(struct nsx *x)
{
	struct xfrm_follow *f = x->follow;

	if (!f)
		return;
	x->follow = NULL;
	uv_poll_stop(&f->poll);
	uv_timer_stop(&f->timer);
	close(f->events);
	close(f->fd);
	f->open_handles = 2;
	uv_close((uv_handle_t *)&f->poll, freed);
	uv_close((uv_handle_t *)&f->timer, freed);
}

static int start(struct nsx *x, struct xfrm_follow *f)
{
	uv_loop_t *loop = &x->ns->daemon->loop;
	int err;

	f->x = x;
	f->fd = xfrm_kernel_open();
	if (f->fd < 0)
		return f->fd;
	f->events = xfrm_kernel_listen();
	err = f->events < 0 ? f->events : uv_poll_init(loop, &f->poll, f->events);
	if (err) {
		close(f->fd);
		if (f->events >= 0)
			close(f->events);
		return err;
	}
	uv_timer_init(loop, &f->timer);
	f->poll.data = f->timer.data = f;
	uv_poll_start(&f->poll, UV_READABLE, on_events);
	uv_timer_start(&f->timer, on_timer, TELL_MS, TELL_MS);
	return 0;
}

bool xfrm_is_kernels(struct daemon *d)
{
	if (!d->kernel_asked)
		d->kernel_esp = xfrm_kernel_can();
	d->kernel_asked = true;
	return d->kernel_esp;
}

int xfrm_follow(struct ns *ns)
{
	struct xfrm_follow *f;
	struct nsx *x;
	int err;

	if (!ns->daemon->kernel_esp || (ns->xfrm && ns->xfrm->follow))
		return 0;
	err = xfrm_of(ns, &x);
	f = err ? NULL : calloc(1, sizeof(*f));
	if (!f)
		return err ? err : -ENOMEM;
	err = start(x, f);
	if (err) {
		free(f);
		return err;
	}
	x->follow = f;
	x->filling = true;
	synchronize(f);
	x->filling = false;
	return 0;
}
