/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verb `xfrm`, whose config is
 *
 *	state	{ add | update } CONFIG...  { delete | get } ID [ mark M ]
 *		{ list | get ... } [ keys ]  flush  count
 *	policy	{ add | update | delete | get } CONFIG...  list  flush [ sub ]  count
 *	stat
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/shared.h"
#include "daemon/xfrm.h"
#include "ipsec/algo.h"
#include "ipsec/secret.h"

enum { WORDS = 200, ROWS = 32 };

/* A request with its words, the operation's first. */
struct asked {
	struct nsx *x;
	struct words w;
	struct rows *rows;
	struct err *e;
	bool keys; /* they are wanted in the answer */
};

/* The errno alone: iproute2 knows what it says of it. */
static int answer(struct asked *a, int err)
{
	return err ? err_set(a->e, -err, "%s", "") : 0;
}

/* The window of extended numbers, as the kernel keeps it. */
static json_t *map_json(const struct sa *sa)
{
	u32 words = (sa->cfg.window + 31) / 32;
	json_t *map = json_array();

	for (u32 i = 0; i < words; i++)
		json_array_append_new(map, json_integer((json_int_t)sa->live->replay.bitmap[i]));
	return map;
}

static json_t *live_json(const struct sa *sa)
{
	const struct sa_live *v = sa->live;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "bytes",
			 (json_int_t)v->bytes, "packets", (json_int_t)v->packets, "add",
			 (json_int_t)v->add_time, "use", (json_int_t)v->use_time, "late",
			 (json_int_t)v->late, "replayed", (json_int_t)v->replayed, "failed",
			 (json_int_t)v->failed, "oseq", (json_int_t)v->replay.out, "seq",
			 (json_int_t)v->replay.top, "bitmap",
			 (json_int_t)replay_bitmap(&v->replay, &sa->cfg), "map", map_json(sa));
}

static json_t *sa_json(const struct sa *sa, bool keys)
{
	char *line = secret_alloc(XFRM_LINE);
	json_t *row = NULL;
	struct text t;

	if (!line)
		return NULL;
	text_init(&t, line, XFRM_LINE);
	sa_print(&sa->cfg, !keys, &t);
	row = json_pack("{s:s, s:o}", "state", line, "live", live_json(sa));
	secret_free(line);
	return row;
}

static json_t *policy_json(const struct policy *p)
{
	char line[XFRM_LINE];
	struct text t;

	text_init(&t, line, sizeof(line));
	policy_print(&p->cfg, &t);
	return json_pack("{s:s, s:I}", "policy", line, "add", (json_int_t)p->added);
}

/* All rows are made at once: what is listed may change while they are sent. */
struct listing {
	json_t *all;
	size_t at;
};

static json_t *list_next(void *ctx)
{
	struct listing *l = ctx;

	return json_incref(json_array_get(l->all, l->at++));
}

static void list_done(void *ctx)
{
	struct listing *l = ctx;

	json_decref(l->all);
	free(l);
}

static int answer_rows(struct asked *a, json_t *all)
{
	struct listing *l = malloc(sizeof(*l));

	if (!l || !all) {
		json_decref(all);
		free(l);
		return answer(a, -ENOMEM);
	}
	*l = (struct listing){all, 0};
	*a->rows = (struct rows){list_next, list_done, l};
	return 0;
}

static int answer_row(struct asked *a, json_t *row)
{
	json_t *all = json_array();

	json_array_append_new(all, row);
	return answer_rows(a, all);
}

/* More than the errno says. */
static int sa_refused(struct asked *a, const struct sa_cfg *cfg, int err)
{
	const char *name = cfg->aead.name[0] ? cfg->aead.name : cfg->enc.name;

	if (err == -EPROTONOSUPPORT)
		return err_set(a->e, -err, "Requested type not found.");
	if (err == -ENOSYS)
		return err_set(a->e, -err,
			       "an algorithm of \"%s\"%s%s is not among tunl's: see tunl-xfrm(8)",
			       name, cfg->auth.name[0] ? " and " : "", cfg->auth.name);
	if (algo_check(cfg) == -EINVAL)
		return err_set(a->e, -err, "%s takes no key or ICV of that length", name);
	if (err == -EOPNOTSUPP)
		return err_set(a->e, -err, "espinudp-nonike and tfcpad are not tunl's");
	return answer(a, err);
}

static int sa_add(struct asked *a, bool update)
{
	struct sa_cfg *cfg = secret_alloc(sizeof(*cfg));
	int err = cfg ? sa_read(&a->w, cfg) : -ENOMEM;

	if (!err)
		err = xfrm_sa_add(a->x, cfg, update);
	if (err && !a->e->text[0])
		err = sa_refused(a, cfg, err);
	secret_free(cfg);
	return err;
}

static int sa_named(struct asked *a, struct sa **sa)
{
	struct xfrm_name name = {0};
	struct xfrm_markmask mark = {0};
	struct sa_id id;
	int err = words_id(&a->w, false, &name);

	if (!err && words_take(&a->w, "mark"))
		err = words_mark(&a->w, &mark);
	if (err)
		return err;
	id = (struct sa_id){
		.family = name.family ? name.family : XFRM_IP4,
		.proto = name.proto,
		.spi = name.spi,
		.mark = mark.value & mark.mask,
		.dst = name.dst,
	};
	*sa = db_sa_find(&a->x->db, &id);
	return *sa ? 0 : answer(a, -ESRCH);
}

static int sa_delete(struct asked *a)
{
	struct sa *sa;
	int err = sa_named(a, &sa);

	if (!err)
		xfrm_sa_del(a->x, sa);
	return err;
}

static int sa_get(struct asked *a)
{
	struct sa *sa;
	int err = sa_named(a, &sa);

	return err ? err : answer_row(a, sa_json(sa, a->keys));
}

/* Newest first, as the kernel lists them. */
static int sa_list(struct asked *a)
{
	json_t *all = json_array();

	for (struct list *n = a->x->db.sas.prev; n != &a->x->db.sas; n = n->prev)
		json_array_append_new(all, sa_json(list_entry(n, struct sa, node), a->keys));
	return answer_rows(a, all);
}

static int sa_flush(struct asked *a)
{
	if (!a->x->db.nsas)
		return answer(a, -ESRCH);
	list_for_each_safe (n, &a->x->db.sas)
		xfrm_forget_sa(a->x, list_entry(n, struct sa, node));
	xfrm_written(a->x);
	return 0;
}

static int sa_count(struct asked *a)
{
	return answer_row(a, json_pack("{s:I}", "states", (json_int_t)a->x->db.nsas));
}

static int policy_add(struct asked *a, bool update)
{
	struct policy_cfg cfg;
	int err = policy_read(&a->w, &cfg);

	if (err)
		return err;
	err = xfrm_policy_add(a->x, &cfg, update);
	if (err == -EINVAL && cfg.index && (cfg.index & 7) != cfg.dir)
		return err_set(a->e, EINVAL, "Policy index doesn't match direction.");
	return answer(a, err);
}

static int policy_named(struct asked *a, struct policy **p)
{
	struct policy_cfg cfg;
	int err = policy_read(&a->w, &cfg);

	if (err)
		return err;
	*p = cfg.index ? db_policy_by_index(&a->x->db, cfg.dir, cfg.index)
		       : db_policy_same(&a->x->db, &cfg);
	return *p ? 0 : answer(a, -ENOENT);
}

static int policy_delete(struct asked *a)
{
	struct policy *p;
	int err = policy_named(a, &p);

	if (!err)
		xfrm_policy_del(a->x, p);
	return err;
}

static int policy_get(struct asked *a)
{
	struct policy *p;
	int err = policy_named(a, &p);

	return err ? err : answer_row(a, policy_json(p));
}

static int by_creation(const void *a, const void *b)
{
	const struct policy *x = *(struct policy *const *)a, *y = *(struct policy *const *)b;

	return x->slot > y->slot ? -1 : x->slot < y->slot;
}

/* All policies, newest first; the caller frees the array. */
static struct policy **policies(struct nsx *x, size_t *n)
{
	struct policy **all;

	*n = 0;
	all = calloc(x->db.npolicies[0] + x->db.npolicies[1] + x->db.npolicies[2] + 1UL,
		     sizeof(struct policy *));
	for (u32 dir = 0; all && dir < POLICY_DIRS; dir++)
		list_for_each (node, &x->db.policies[dir])
			all[(*n)++] = list_entry(node, struct policy, node);
	if (all)
		qsort(all, *n, sizeof(struct policy *), by_creation);
	return all;
}

static int policy_list(struct asked *a)
{
	json_t *rows = json_array();
	size_t n;
	struct policy **all = policies(a->x, &n);

	for (size_t i = 0; i < n; i++)
		json_array_append_new(rows, policy_json(all[i]));
	free(all);
	return answer_rows(a, rows);
}

static int policy_flush(struct asked *a)
{
	bool sub = words_take(&a->w, "sub");
	size_t n;
	struct policy **all = policies(a->x, &n);

	for (size_t i = 0; i < n; i++)
		if (all[i]->cfg.sub == sub)
			xfrm_forget_policy(a->x, all[i]);
	xfrm_written(a->x);
	free(all);
	return 0;
}

static int policy_count(struct asked *a)
{
	const u32 *n = a->x->db.npolicies;

	return answer_row(a,
			  json_pack("{s:I, s:I, s:I}", "in", (json_int_t)n[POLICY_IN], "out",
				    (json_int_t)n[POLICY_OUT], "fwd", (json_int_t)n[POLICY_FWD]));
}

static int sa_new(struct asked *a)
{
	return sa_add(a, false);
}

static int sa_upd(struct asked *a)
{
	return sa_add(a, true);
}

static int policy_new(struct asked *a)
{
	return policy_add(a, false);
}

static int policy_upd(struct asked *a)
{
	return policy_add(a, true);
}

static int stat_get(struct asked *a)
{
	const struct xfrm_mib *mib = shared_mib(a->x->ns->daemon->shared, a->x->mib);
	json_t *row = json_object();

	for (u32 i = 0; i < MIB__MAX; i++)
		json_object_set_new(row, mib_name((enum mib)i),
				    json_integer((json_int_t)mib->count[i]));
	return answer_row(a, row);
}

static const struct {
	const char *object, *op;
	int (*run)(struct asked *a);
} ops[] = {
	{"state", "add", sa_new},	   {"state", "update", sa_upd},
	{"state", "delete", sa_delete},	   {"state", "get", sa_get},
	{"state", "list", sa_list},	   {"state", "flush", sa_flush},
	{"state", "count", sa_count},	   {"policy", "add", policy_new},
	{"policy", "update", policy_upd},  {"policy", "delete", policy_delete},
	{"policy", "get", policy_get},	   {"policy", "list", policy_list},
	{"policy", "flush", policy_flush}, {"policy", "count", policy_count},
	{"stat", "get", stat_get},
};

static int run(struct asked *a, const char *object, const char *op)
{
	for (u32 i = 0; i < countof(ops); i++)
		if (!strcmp(object, ops[i].object) && !strcmp(op, ops[i].op))
			return ops[i].run(a);
	return err_set(a->e, EPROTO, "there is no xfrm operation \"%.20s %.20s\"", object, op);
}

int xfrm_request(struct ns *ns, char *config, struct rows *rows, struct err *e)
{
	char *word[WORDS];
	struct asked a = {.rows = rows, .e = e};
	int n = text_split(config, word, WORDS), err;

	if (n < 2)
		return err_set(e, EPROTO, "xfrm needs an object and an operation");
	err = xfrm_of(ns, &a.x);
	if (err)
		return answer(&a, err);
	if (xfrm_is_kernels(ns->daemon) && strcmp(word[0], "stat"))
		return err_set(e, EOPNOTSUPP, "the kernel has ESP: see `ip xfrm`");
	a.w = (struct words){.argc = n, .argv = word, .at = 2, .e = e};
	a.keys = words_take(&a.w, "keys");
	err = run(&a, word[0], word[1]);
	return err < 0 && e->code == 0 ? answer(&a, err) : err;
}
