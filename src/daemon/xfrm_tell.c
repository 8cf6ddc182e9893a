/* SPDX-License-Identifier: BSD-2-Clause */
/* What the engine is told of associations and policies. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "daemon/engproc.h"
#include "daemon/engtell.h"
#include "daemon/netns.h"
#include "daemon/priv.h"
#include "daemon/xfrm.h"
#include "engine/sockets.h"
#include "ipsec/secret.h"
#include "lib/log.h"

static int send_msg(struct nsx *x, struct engine_xfrm_msg *m)
{
	int err;

	m->nsid = x->ns->nsid;
	err = engproc_send_xfrm(x->ns->daemon, m);
	secret_wipe(m, sizeof(*m));
	return err;
}

static int tell_sa(struct nsx *x, const struct sa *sa)
{
	struct engine_xfrm_msg m = {.op = ENGINE_SA_SET, .slot = sa->slot, .sa = sa->cfg};

	return send_msg(x, &m);
}

static int tell_policy(struct nsx *x, const struct policy *p)
{
	struct engine_xfrm_msg m = {.op = ENGINE_POLICY_ADD, .slot = p->slot, .policy = p->cfg};

	return send_msg(x, &m);
}

/* The port of ours that the association's packets come to, or leave by. */
static u16 port_of(struct ns *ns, const struct sa_cfg *sa)
{
	struct route_key key = {.dst = xfrm_addr4(&sa->dst)};
	struct route rt;

	if (sa->encap.type != ENCAP_ESPINUDP)
		return 0;
	if (!rtnl_route_get(&ns->rtnl, &key, &rt) && !rt.error && rt.type == RTN_LOCAL)
		return sa->encap.dport;
	return sa->encap.sport;
}

static int tell_port(struct nsx *x, u16 port)
{
	struct engine_msg m = {.op = ENGINE_ENCAP_ADD, .nsid = x->ns->nsid};
	int fd[2], err;

	for (u32 i = 0; i < x->nports; i++)
		if (x->port[i] == port)
			return 0;
	if (!port || x->nports == XFRM_PORTS)
		return port ? -ENFILE : 0;
	fd[0] = engine_open_encap(port);
	if (fd[0] < 0)
		return fd[0];
	fd[1] = engine_open_port(port); /* perhaps IKE has it, which is as good */
	err = engproc_send(x->ns->daemon, &m, fd, fd[1] < 0 ? 1 : 2);
	close(fd[0]);
	if (fd[1] >= 0)
		close(fd[1]);
	if (!err)
		x->port[x->nports++] = port;
	return err;
}

static int tell_ports(struct nsx *x)
{
	int err = 0;

	list_for_each (n, &x->db.sas) {
		int failed = tell_port(x, port_of(x->ns, &list_entry(n, struct sa, node)->cfg));

		err = failed ? failed : err;
	}
	return err;
}

static int tell_all(struct nsx *x)
{
	struct engine_xfrm_msg m = {.op = ENGINE_MIB_SET, .slot = x->mib};
	int err = send_msg(x, &m);

	list_for_each (n, &x->db.sas)
		err = err ? err : tell_sa(x, list_entry(n, struct sa, node));
	for (u32 dir = 0; dir < POLICY_DIRS; dir++)
		list_for_each (n, &x->db.policies[dir])
			err = err ? err : tell_policy(x, list_entry(n, struct policy, node));
	return err;
}

int xfrm_tell(struct ns *ns)
{
	struct nsx *x = ns->xfrm;
	int err;

	if (!x || x->told)
		return 0;
	x->nports = 0;
	err = tell_all(x);
	if (!err)
		err = tell_ports(x);
	x->told = !err;
	return err;
}

static void failed(const char *what, int err)
{
	if (err)
		log_error("xfrm: the engine cannot be told of %s: %s", what, strerror(-err));
}

/* Whether it has what was there before; else it is told all, what is new included. */
static bool knows(struct nsx *x)
{
	if (x->told || x->filling || !x->ns->engine_has || netns_enter(x->ns))
		return x->told && !x->filling;
	failed("associations", xfrm_tell(x->ns));
	priv_leave();
	return false;
}

void xfrm_tell_sa(struct nsx *x, const struct sa *sa)
{
	int err;

	if (!knows(x))
		return;
	err = tell_sa(x, sa);
	if (!err && (sa->cfg.encap.type || sa->cfg.has_out_mark) && !netns_enter(x->ns)) {
		err = tell_port(x, port_of(x->ns, &sa->cfg));
		if (!err)
			err = engtell_marks(x->ns);
		priv_leave();
	}
	failed("an association", err);
}

void xfrm_tell_policy(struct nsx *x, const struct policy *p)
{
	if (knows(x))
		failed("a policy", tell_policy(x, p));
}

void xfrm_tell_gone(struct nsx *x, bool is_sa, u32 slot)
{
	struct engine_xfrm_msg m = {.op = is_sa ? ENGINE_SA_DEL : ENGINE_POLICY_DEL, .slot = slot};

	if (knows(x))
		failed("an end", send_msg(x, &m));
}

int xfrm_each_mark(struct ns *ns, xfrm_mark_fn *fn)
{
	int err = 0;

	if (!ns->xfrm)
		return 0;
	list_for_each (n, &ns->xfrm->db.sas) {
		const struct sa_cfg *sa = &list_entry(n, struct sa, node)->cfg;

		if (!sa->has_out_mark)
			continue;
		list_for_each (k, &ns->home) {
			u32 okey = be32_host(list_entry(k, struct tunnel, in_home)->cfg.okey);
			u32 mark = (sa->out_mark.value & sa->out_mark.mask) |
				   (okey & ~sa->out_mark.mask);

			if (!err && mark)
				err = fn(ns, mark);
		}
	}
	return err;
}
