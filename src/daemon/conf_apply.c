/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/conf_rows.h"
#include "daemon/netns.h"
#include "daemon/reconcile.h"
#include "daemon/scan.h"
#include "daemon/tunnel.h"
#include "lib/addr.h"
#include "lib/log.h"
#include "model/grammar.h"
#include "model/rules.h"

enum { HOME_AGAIN_MS = 1000 };

/* A namespace that is looked for by what it is. */
struct quest {
	struct confd *k;
	struct ns *found;
};

static void is_home(int fd, void *arg)
{
	struct quest *q = arg;
	struct ns_identity id;
	struct stat st;
	struct err e;

	if (q->found || fstat(fd, &st) || st.st_ino != q->k->home.ino || netns_identify(fd, &id) ||
	    !netns_is(&id, &q->k->home))
		return;
	if (netns_take(q->k->daemon, fd, &q->found, &e))
		q->found = NULL;
}

/* Where tunnels without `netns` are. */
static int enter_home(struct confd *k, struct ns **ns, struct err *e)
{
	struct quest q = {.k = k};
	u64 now = uv_now(&k->daemon->loop);

	*ns = k->home.ino ? netns_find(k->daemon, &k->home) : NULL;
	if (*ns)
		return 0;
	if (k->home.ino && (!k->home_missing_ms || now >= k->home_missing_ms + HOME_AGAIN_MS))
		scan_each_ns(is_home, &q);
	k->home_missing_ms = q.found ? 0 : now;
	*ns = q.found;
	return q.found ? 0
		       : err_set(e, ENOENT,
				 "the network namespace that tunld was started in is gone");
}

int conf_enter(struct confd *k, const char *netns, struct ns **ns, struct err *e)
{
	char path[CONF_NETNS + 16];
	int fd, rc;

	if (!netns[0]) {
		rc = enter_home(k, ns, e);
	} else {
		snprintf(path, sizeof(path), "%s%s", netns[0] == '/' ? "" : "/run/netns/", netns);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			return err_set(e, errno, "the network namespace %s: %s", netns,
				       errno == ENOENT ? "there is none of that name"
						       : strerror(errno));
		rc = netns_take(k->daemon, fd, ns, e);
		close(fd);
		if (rc == -EINVAL)
			return err_set(e, EINVAL, "the network namespace %s: it is none", netns);
	}
	if (!rc)
		(*ns)->busy++;
	return rc;
}

void conf_leave(struct ns *ns)
{
	ns->busy--;
	netns_drop_unused(ns);
}

struct locals {
	be32 addr;
	u8 scope;
	bool found;
};

/* The first address of the widest scope. */
static void take_local(const struct rtnl_addr *a, void *arg)
{
	struct locals *l = arg;

	if (a->scope >= RT_SCOPE_HOST || (l->found && a->scope >= l->scope))
		return;
	memcpy(&l->addr, a->addr, sizeof(l->addr));
	l->scope = a->scope;
	l->found = true;
}

bool conf_local_of(struct ns *ns, const char *dev, be32 *addr)
{
	struct locals l = {0};
	struct rtnl_link link;

	if (rtnl_link_get(&ns->rtnl, 0, dev, &link) ||
	    rtnl_addr_dump(&ns->rtnl, AF_INET, link.ifindex, take_local, &l) || !l.found)
		return false;
	*addr = l.addr;
	return true;
}

/* What the tunnel has now stands in where a name or a device tells nothing. */
static int settle_ends(const struct conf_entry *en, struct ns *ns, const struct tunnel *t,
		       struct tunnel_cfg *cfg, struct err *e)
{
	const struct conf_tunnel *w = en->want;

	*cfg = w->cfg;
	if (w->host) {
		cfg->remote = be32_is_zero(en->remote) && t ? t->cfg.remote : en->remote;
		if (be32_is_zero(cfg->remote))
			return err_set(e, EAGAIN, "%s is not known yet%s%s", w->host,
				       en->name_why ? ": " : "", en->name_why ? en->name_why : "");
	}
	if (!w->local_dev[0] || conf_local_of(ns, w->local_dev, &cfg->local))
		return 0;
	if (t)
		cfg->local = t->cfg.local;
	return be32_is_zero(cfg->local)
		       ? err_set(e, EADDRNOTAVAIL, "%s has no IPv4 address", w->local_dev)
		       : 0;
}

/* Whether t has these parameters; cfg becomes what they amount to. */
static bool is_so(struct ns *ns, const struct tunnel *t, struct tunnel_cfg *cfg)
{
	struct tunnel_cfg probe = *cfg;

	if (rules_accept(&probe, NULL) || tunnel_resolve_dev(ns, &probe, NULL))
		return false;
	memcpy(probe.name, t->cfg.name, sizeof(probe.name));
	if (probe.link == t->cfg.link)
		memcpy(probe.dev, t->cfg.dev, sizeof(probe.dev));
	return cfg_equal(&probe, &t->cfg);
}

static struct tunnel *newest(struct daemon *d)
{
	return list_entry(d->tunnels.prev, struct tunnel, node);
}

static int make(struct ns *ns, const struct tunnel_cfg *cfg, struct tunnel **t, struct err *e)
{
	int rc = tunnel_create(ns, cfg, e);

	*t = rc ? NULL : newest(ns->daemon);
	return rc;
}

/* Of another kind it has to be made anew. */
static int remake(struct ns *ns, const struct tunnel_cfg *cfg, struct tunnel **t, struct err *e)
{
	int rc = tunnel_delete(*t, e);

	return rc ? rc : make(ns, cfg, t, e);
}

/* *fresh: the device is a new one. */
static int make_so(struct ns *ns, struct tunnel_cfg *cfg, struct tunnel **t, bool *fresh,
		   struct err *e)
{
	int rc;

	*fresh = !*t;
	if (!*t)
		return make(ns, cfg, t, e);
	if (is_so(ns, *t, cfg))
		return 0;
	if ((*t)->cfg.mode == cfg->mode) {
		rc = tunnel_change(ns, *t, cfg, e);
		if (rc != -EINVAL)
			return rc;
	}
	*e = (struct err){0};
	*fresh = true;
	return remake(ns, cfg, t, e);
}

static int find(struct ns *ns, const char *name, struct tunnel **t, struct err *e)
{
	int rc = tunnel_by_name(ns, name, t);

	if (rc == -ENODEV) {
		*t = NULL;
		return 0;
	}
	if (rc == -EOPNOTSUPP)
		return err_set(e, EEXIST, "there is a device %s, which is not tunl's", name);
	return rc ? err_set(e, -rc, "%s: %s", name, strerror(-rc)) : 0;
}

static bool routers_equal(const struct prl *a, const struct prl *b)
{
	u32 na = a ? a->n : 0, nb = b ? b->n : 0;

	for (u32 i = 0; na == nb && i < na; i++)
		if (!be32_eq(a->entry[i].addr, b->entry[i].addr) ||
		    a->entry[i].is_default != b->entry[i].is_default)
			return false;
	return na == nb;
}

static int give_routers(struct tunnel *t, const struct conf_tunnel *want, struct err *e)
{
	static const struct prl none;
	int rc;

	if (routers_equal(t->prl, want->routers))
		return 0;
	rc = tunnel_set_routers(t, want->routers ? want->routers : &none);
	if (!rc)
		rc = tunnel_save(t);
	reconcile_soon(t->home);
	return rc ? err_set(e, -rc, "its routers cannot be noted: %s", strerror(-rc)) : 0;
}

static int apply_in(struct conf_entry *en, struct ns *ns, struct err *e)
{
	struct conf had = {0};
	struct tunnel_cfg cfg;
	struct tunnel *t;
	bool fresh;
	int rc = find(ns, en->want->cfg.name, &t, e);

	if (!rc)
		rc = settle_ends(en, ns, t, &cfg, e);
	if (!rc)
		rc = make_so(ns, &cfg, &t, &fresh, e);
	if (!rc)
		rc = give_routers(t, en->want, e);
	if (rc)
		return rc;
	en->place = ns->id;
	rc = conf_dress(t, en->want, fresh || !en->done ? NULL : conf_of_text(&had, en->done), e);
	conf_free(&had);
	return rc;
}

/* The files have it no more. */
static int take_away(struct confd *k, const struct conf_entry *en, struct err *e)
{
	struct conf had;
	struct conf_tunnel *t = conf_of_text(&had, en->done ? en->done : "");
	struct tunnel *there = NULL;
	struct ns *ns;
	int rc = 0;

	if (t && conf_enter(k, t->netns, &ns, e) == 0) {
		if (tunnel_by_name(ns, t->cfg.name, &there) == 0)
			rc = tunnel_delete(there, e);
		conf_leave(ns);
	}
	conf_free(&had);
	return rc;
}

int conf_apply(struct confd *k, struct conf_entry *en, struct err *e)
{
	struct ns *ns;
	int rc;

	if (!en->want)
		return take_away(k, en, e);
	rc = conf_enter(k, en->want->netns, &ns, e);
	if (rc)
		return rc;
	rc = apply_in(en, ns, e);
	conf_leave(ns);
	return rc;
}

bool conf_is_there(struct confd *k, const struct conf_entry *en, const struct conf_tunnel *t)
{
	struct tunnel_cfg cfg = t->cfg;
	struct tunnel *there;
	struct err e;
	struct ns *ns;
	bool so;

	if (conf_enter(k, t->netns, &ns, &e))
		return false;
	so = tunnel_by_name(ns, t->cfg.name, &there) == 0;
	if (so && t->host)
		cfg.remote = be32_is_zero(en->remote) ? there->cfg.remote : en->remote;
	if (so && t->local_dev[0])
		cfg.local = there->cfg.local;
	so = so && is_so(ns, there, &cfg) && (!t->up || there->link.up);
	conf_leave(ns);
	return so;
}
