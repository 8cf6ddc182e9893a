/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/engtell.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/engproc.h"
#include "daemon/netns.h"
#include "daemon/priv.h"
#include "daemon/sysctl.h"
#include "daemon/trace.h"
#include "daemon/xfrm.h"
#include "engine/engine.h"
#include "engine/sockets.h"
#include "mode/mode.h"
#include "model/modes.h"

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* The descriptors of ENGINE_NS_ADD; the namespace is entered. How many, or -errno. */
static int open_ns_fds(int fds[ENGINE_NS_FDS])
{
	int n = ENGINE_NS_FDS;
	struct rtnl r = {.fd = -1};
	int err;

	fds[0] = engine_open_packet();
	fds[1] = engine_open_raw_out(0);
	fds[2] = engine_open_icmp();
	err = rtnl_open(&r);
	fds[3] = err ? err : r.fd;
	fds[4] = engine_open_icmp6();
	if (fds[4] == -EAFNOSUPPORT)
		n--;
	for (int i = 0; i < n; i++) {
		if (fds[i] < 0) {
			err = fds[i];
			close_all(fds, ENGINE_NS_FDS);
			return err;
		}
	}
	return n;
}

static int ns_add(struct ns *ns)
{
	struct engine_msg m = {.op = ENGINE_NS_ADD, .nsid = ns->nsid, .gen = ns->hops_gen};
	int fds[ENGINE_NS_FDS];
	int n = open_ns_fds(fds), err;

	if (n < 0)
		return n;
	m.rates = sysctl_icmp_rates();
	err = engproc_send(ns->daemon, &m, fds, (size_t)n);
	close_all(fds, (size_t)n);
	ns->engine_has = !err;
	memset(ns->engine_protos, 0, sizeof(ns->engine_protos));
	ns->nmarks = 0;
	if (ns->xfrm)
		ns->xfrm->told = false;
	if (!err)
		trace_tell(ns);
	return err;
}

/* The guard of an outer protocol, once. */
static int proto_add(struct ns *ns, u8 proto)
{
	struct engine_msg m = {.op = ENGINE_PROTO_ADD, .nsid = ns->nsid, .proto = proto};
	int fd, err;

	if (ns->engine_protos[proto / 8] & 1U << proto % 8)
		return 0;
	fd = engine_open_guard(proto);
	if (fd < 0)
		return fd;
	err = engproc_send(ns->daemon, &m, &fd, 1);
	close(fd);
	if (!err)
		ns->engine_protos[proto / 8] |= (u8)(1U << proto % 8);
	return err;
}

/* A raw socket with the mark, before the first tunnel that has it. */
static int mark_add(struct ns *ns, u32 mark)
{
	struct engine_msg m = {.op = ENGINE_MARK_ADD, .nsid = ns->nsid, .cfg.fwmark = mark};
	int fd, err;

	for (u32 i = 0; i < min_of(ns->nmarks, (u32)countof(ns->marks)); i++)
		if (ns->marks[i] == mark)
			return 0;
	fd = engine_open_raw_out(mark);
	if (fd < 0)
		return fd;
	err = engproc_send(ns->daemon, &m, &fd, 1);
	close(fd);
	if (!err)
		ns->marks[ns->nmarks++ % countof(ns->marks)] = mark;
	return err;
}

int engtell_marks(struct ns *ns)
{
	return xfrm_each_mark(ns, mark_add);
}

static int mode_protos_add(struct ns *ns, enum mode_id id)
{
	const struct mode *m = mode_by_id(id);
	int err = 0;

	for (u32 i = 0; !err && m && i < MODE_PROTOS && m->proto[i].proto; i++)
		err = proto_add(ns, m->proto[i].proto);
	return err;
}

/* The guards of all that the tunnel's mode receives, and its driver, which has handlers for all. */
static int protos_add(struct tunnel *t)
{
	const struct mode_info *info = mode_info(t->cfg.mode);
	const struct mode *m = mode_by_id(t->cfg.mode);
	int err = m && m->esp ? 0 : proto_add(t->home, info->proto);

	if (!err)
		err = mode_protos_add(t->home, t->cfg.mode);
	return err ? err : mode_protos_add(t->home, info->driver);
}

/* What the tunnel's namespace must have at the engine first. */
static int prepare_ns(struct tunnel *t)
{
	struct ns *ns = t->home;
	const struct mode *mode = mode_by_id(t->cfg.mode);
	int err;

	if (mode && mode->esp)
		xfrm_is_kernels(ns->daemon); /* is found out from here */
	err = netns_enter(ns);
	if (err)
		return err;
	if (!ns->engine_has)
		err = ns_add(ns);
	if (!err)
		err = protos_add(t);
	if (!err && mode && mode->esp)
		err = xfrm_follow(ns);
	if (!err)
		err = xfrm_tell(ns);
	if (!err)
		err = engtell_marks(ns);
	if (!err && t->cfg.fwmark)
		err = mark_add(ns, t->cfg.fwmark);
	priv_leave();
	return err;
}

static void fill_set(const struct tunnel *t, struct engine_msg *m)
{
	memset(m, 0, sizeof(*m)); /* compared as bytes */
	m->op = ENGINE_TUNNEL_SET;
	m->nsid = t->home->nsid;
	m->slot = t->slot;
	m->fast = t->fast;
	m->order = t->order;
	m->link.ifindex = t->link.ifindex;
	m->link.mtu = t->link.mtu;
	m->link.up = t->link.up;
	memcpy(&m->cfg, &t->cfg, sizeof(m->cfg));
}

/* The routers that t believes, the newest last. */
static int tell_routers(struct tunnel *t)
{
	struct daemon *d = t->home->daemon;
	struct engine_msg m = {
		.op = ENGINE_ROUTER_DEL_ALL,
		.nsid = t->home->nsid,
		.slot = t->slot,
	};
	int err;

	if (!t->prl || t->prl_told)
		return 0;
	err = engproc_send(d, &m, NULL, 0);
	m.op = ENGINE_ROUTER_ADD;
	for (u32 i = t->prl->n; !err && i--;) {
		m.router = t->prl->entry[i];
		err = engproc_send(d, &m, NULL, 0);
	}
	t->prl_told = !err;
	return err;
}

int engtell_tunnel_set(struct tunnel *t)
{
	struct daemon *d = t->home->daemon;
	struct engine_msg m;
	int err;

	if (t->queue < 0 || !engproc_is_ready(d))
		return 0;
	fill_set(t, &m);
	if (t->engine_has && !memcmp(&m, &t->sent, sizeof(m)))
		return tell_routers(t);
	err = prepare_ns(t);
	if (err)
		return err;
	err = engproc_send(d, &m, &t->queue, t->engine_has ? 0 : 1);
	if (err)
		return err;
	if (!t->engine_has)
		t->prl_told = false;
	t->sent = m;
	t->engine_has = true;
	return tell_routers(t);
}

void engtell_tunnel_del(struct tunnel *t)
{
	struct engine_msg m = {.op = ENGINE_TUNNEL_DEL, .nsid = t->home->nsid, .slot = t->slot};

	if (t->engine_has)
		engproc_send(t->home->daemon, &m, NULL, 0);
	t->engine_has = false;
}

int engtell_probe(struct tunnel *t)
{
	struct engine_msg m = {.op = ENGINE_PROBE, .nsid = t->home->nsid, .slot = t->slot};

	return t->engine_has ? engproc_send(t->home->daemon, &m, NULL, 0) : -EAGAIN;
}

void engtell_ns_flush(struct ns *ns)
{
	struct engine_msg m = {.op = ENGINE_NS_FLUSH, .nsid = ns->nsid, .gen = ++ns->hops_gen};

	if (ns->engine_has)
		engproc_send(ns->daemon, &m, NULL, 0);
}

void engtell_ns_del(struct ns *ns)
{
	struct engine_msg m = {.op = ENGINE_NS_DEL, .nsid = ns->nsid};

	if (ns->engine_has)
		engproc_send(ns->daemon, &m, NULL, 0);
	ns->engine_has = false;
}
