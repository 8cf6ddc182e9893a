/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs of the control protocol: one table. */
#include "daemon/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/conf.h"
#include "daemon/datapath.h"
#include "daemon/engproc.h"
#include "daemon/link.h"
#include "daemon/metrics.h"
#include "daemon/monitor.h"
#include "daemon/netns.h"
#include "daemon/reconcile.h"
#include "daemon/shared.h"
#include "daemon/sit.h"
#include "daemon/trace.h"
#include "daemon/tunnel.h"
#include "daemon/tunnel_json.h"
#include "daemon/xfrm.h"
#include "lib/addr.h"
#include "lib/text_json.h"
#include "mode/mode.h"
#include "model/grammar.h"
#include "model/modes.h"
#include "model/rules.h"

/* What a verb is given: the caller's namespace, its target and configuration. */
struct call {
	struct request *rq;
	struct ns *ns;
	struct tunnel *t; /* NULL: the target is `-` */
	struct tunnel_cfg cfg;
};

struct verb {
	const char *word;
	int (*run)(struct call *c, struct rows *rows, struct err *e);
	bool changes, in_ns;
	bool by_config, with_config; /* it has one: where the target is `-`, always */
};

/* A single row. */
static json_t *one_next(void *ctx)
{
	json_t **row = ctx, *r = *row;

	*row = NULL;
	return r;
}

static void one_done(void *ctx)
{
	json_t **row = ctx;

	json_decref(*row);
	free(row);
}

static int one_row(json_t *json, struct rows *rows, struct err *e)
{
	json_t **row = malloc(sizeof(*row));

	if (!row || !json) {
		free(row);
		json_decref(json);
		return err_set(e, ENOMEM, "out of memory");
	}
	*row = json;
	rows->next = one_next;
	rows->done = one_done;
	rows->ctx = row;
	return 0;
}

/* Slots in order of ifindex; tunnels may go while the answer is sent. */
struct listing {
	struct daemon *d;
	u32 nsid;
	size_t n, i;
	struct {
		u32 ifindex, slot;
	} item[];
};

static json_t *list_next(void *ctx)
{
	struct listing *l = ctx;

	while (l->i < l->n) {
		struct tunnel *t = tunnel_by_slot(l->d, l->item[l->i++].slot);

		if (t && t->place->nsid == l->nsid)
			return tunnel_json(t);
	}
	return NULL;
}

static int by_ifindex(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static int run_list(struct call *c, struct rows *rows, struct err *e)
{
	struct listing *l;
	size_t n = 0;

	list_for_each (node, &c->ns->here)
		n++;
	l = calloc(1, sizeof(*l) + n * sizeof(l->item[0]));
	if (!l)
		return err_set(e, ENOMEM, "out of memory");
	l->d = c->rq->daemon;
	l->nsid = c->ns->nsid;
	list_for_each (node, &c->ns->here) {
		struct tunnel *t = list_entry(node, struct tunnel, in_place);

		l->item[l->n].ifindex = t->link.ifindex;
		l->item[l->n++].slot = t->slot;
	}
	qsort(l->item, l->n, sizeof(l->item[0]), by_ifindex);
	*rows = (struct rows){list_next, free, l};
	return 0;
}

/* The tunnel that a call without a device means. */
static int like_target(struct call *c, struct err *e)
{
	int err;

	if (c->t)
		return 0;
	if (!c->cfg.mode)
		return err_set(e, ENODEV, "%s", "");
	err = tunnel_resolve_dev(c->ns, &c->cfg, e);
	if (err)
		return err;
	c->t = tunnel_like(c->ns, &c->cfg);
	return c->t ? 0 : err_set(e, ENOENT, "%s", "");
}

static int run_get(struct call *c, struct rows *rows, struct err *e)
{
	int err = like_target(c, e);

	return err ? err : one_row(tunnel_json(c->t), rows, e);
}

static int run_add(struct call *c, struct rows *rows, struct err *e)
{
	(void)rows;
	return tunnel_create(c->ns, &c->cfg, e);
}

static int run_change(struct call *c, struct rows *rows, struct err *e)
{
	(void)rows;
	return tunnel_change(c->ns, c->t, &c->cfg, e);
}

static int run_delete(struct call *c, struct rows *rows, struct err *e)
{
	int err = like_target(c, e);

	(void)rows;
	/* it stands for the driver's fallback device, which cannot be deleted (spec cli 4.4) */
	if (err == -ENOENT && rules_is_fallback(&c->cfg))
		return err_set(e, EPERM, "%s", "");
	return err ? err : tunnel_delete(c->t, e);
}

static int run_prl(struct call *c, struct rows *rows, struct err *e)
{
	(void)rows;
	return c->t ? sit_prl(c->t, c->rq->config, e) : err_set(e, ENODEV, "%s", "");
}

static int run_6rd(struct call *c, struct rows *rows, struct err *e)
{
	(void)rows;
	return c->t ? sit_6rd(c->t, c->rq->config, e) : err_set(e, ENODEV, "%s", "");
}

static int run_xfrm(struct call *c, struct rows *rows, struct err *e)
{
	return xfrm_request(c->ns, c->rq->config, rows, e);
}

static size_t count(const struct list *l)
{
	size_t n = 0;

	list_for_each (node, l)
		n++;
	return n;
}

static json_t *modes_json(void)
{
	json_t *modes = json_array();

	for (int id = MODE_NONE + 1; id < MODE__MAX; id++)
		if (mode_by_id(id))
			json_array_append_new(modes, json_string(mode_info(id)->word));
	return modes;
}

/* How many tunnels bpf carries, and why not the first of the others. */
static json_t *datapath_json(const struct daemon *d)
{
	const char *why = "";
	json_int_t bpf = 0, user = 0;

	list_for_each (n, &d->tunnels) {
		const struct tunnel *t = list_entry(n, struct tunnel, node);

		bpf += t->fast;
		user += !t->fast;
		if (!t->fast && t->cfg.datapath != DATAPATH_USER && !*why)
			why = t->why;
	}
	return json_pack("{s:I, s:I, s:o*}", "bpf", bpf, "user", user, "why",
			 *why ? text_json(why) : NULL);
}

static int run_status(struct call *c, struct rows *rows, struct err *e)
{
	struct daemon *d = c->rq->daemon;

	return one_row(json_pack("{s:i, s:i, s:s, s:o, s:I, s:I, s:o, s:o}", "pid", (int)getpid(),
				 "engine_pid", (int)engproc_pid(d), "version", TUNL_VERSION,
				 "modes", modes_json(), "namespaces",
				 (json_int_t)count(&d->namespaces), "tunnels",
				 (json_int_t)count(&d->tunnels), "datapath", datapath_json(d),
				 "unmatched", reasons_json(shared_unmatched(d->shared))),
		       rows, e);
}

static int run_trace(struct call *c, struct rows *rows, struct err *e)
{
	int err = trace_start(c->ns, &rows->fd, e);

	if (err)
		return err;
	rows->has_fd = true;
	return one_row(json_pack("{s:i}", "version", TRACE_ABI), rows, e);
}

/* `here`, or `all` namespaces. */
static int run_monitor(struct call *c, struct rows *rows, struct err *e)
{
	struct request *rq = c->rq;
	struct ns_identity who;
	int err;

	if (!strcmp(rq->config, "all"))
		return monitor_subscribe(rq->daemon, NULL, rq->client, rows, e);
	err = rq->ns_fd < 0 ? -EPROTO : netns_identify(rq->ns_fd, &who);
	if (err)
		return err_set(e, -err, "the request came without a network namespace");
	return monitor_subscribe(rq->daemon, &who, rq->client, rows, e);
}

static int run_metrics(struct call *c, struct rows *rows, struct err *e)
{
	return metrics_rows(c->rq->daemon, rows, e);
}

static int run_stop(struct call *c, struct rows *rows, struct err *e)
{
	(void)rows;
	(void)e;
	c->rq->stop = true;
	return 0;
}

static int run_restart(struct call *c, struct rows *rows, struct err *e)
{
	(void)rows;
	(void)e;
	c->rq->restart = true;
	return 0;
}

static int run_reload(struct call *c, struct rows *rows, struct err *e)
{
	return conf_reload(c->rq->daemon, !strcmp(c->rq->config, "dry-run"), rows, e);
}

static int run_conf(struct call *c, struct rows *rows, struct err *e)
{
	return conf_report(c->rq->daemon, strcmp(c->rq->config, "all") ? c->ns : NULL, rows, e);
}

static const struct verb verbs[] = {
	{"add", run_add, .changes = true, .in_ns = true, .with_config = true},
	{"change", run_change, .changes = true, .in_ns = true, .with_config = true},
	{"delete", run_delete, .changes = true, .in_ns = true, .by_config = true},
	{"get", run_get, .in_ns = true, .by_config = true},
	{"list", run_list, .in_ns = true},
	{"prl", run_prl, .changes = true, .in_ns = true},
	{"6rd", run_6rd, .changes = true, .in_ns = true},
	{"reload", run_reload, .changes = true},
	{"conf", run_conf, .in_ns = true},
	{"xfrm", run_xfrm, .changes = true, .in_ns = true},
	{"trace", run_trace, .changes = true, .in_ns = true},
	{"monitor", run_monitor},
	{"metrics", run_metrics},
	{"status", run_status},
	{"stop", run_stop, .changes = true},
	{"restart", run_restart, .changes = true},
};

static const struct verb *verb_of(const char *word)
{
	for (size_t i = 0; i < countof(verbs); i++)
		if (!strcmp(verbs[i].word, word))
			return &verbs[i];
	return NULL;
}

static int read_config(struct call *c, const struct verb *v, struct err *e)
{
	struct err why = {0};

	if (!v->with_config && !(v->by_config && !strcmp(c->rq->target, "-")))
		return 0;
	if (grammar_line(c->rq->config, &c->cfg, &why) == 0)
		return 0;
	return err_set(e, EINVAL, "%s", why.text);
}

static int resolve_target(struct call *c, struct err *e)
{
	const char *name = c->rq->target;
	int err;

	if (!strcmp(name, "-"))
		return 0;
	if (!strcmp(name, "-:")) /* a colon is in no device's name */
		name = "-";
	err = tunnel_by_name(c->ns, name, &c->t);
	return err ? err_set(e, -err, "%s", "") : 0;
}

static int run_in_ns(struct call *c, const struct verb *v, struct rows *rows, struct err *e)
{
	int err;

	if (c->rq->ns_fd < 0)
		return err_set(e, EPROTO, "the request came without a network namespace");
	reconcile_settle(c->rq->daemon);
	err = netns_take(c->rq->daemon, c->rq->ns_fd, &c->ns, e);
	if (err)
		return err;
	c->ns->busy++; /* until the answer: it may have no tunnel before or after */
	err = resolve_target(c, e);
	if (!err)
		err = v->run(c, rows, e);
	c->ns->busy--;
	netns_drop_unused(c->ns);
	return err;
}

int request_run(struct request *rq, struct rows *rows, struct err *e)
{
	const struct verb *v = verb_of(rq->verb);
	struct call c = {.rq = rq};
	int err;

	if (!v)
		return err_set(e, EPROTO,
			       "there is no verb \"%.20s\": do tunl and tunld belong "
			       "together?",
			       rq->verb);
	if (v->changes && !rq->may_change)
		return err_set(e, EPERM, "%s", "");
	err = read_config(&c, v, e);
	if (err)
		return err;
	return v->in_ns ? run_in_ns(&c, v, rows, e) : v->run(&c, rows, e);
}
