/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_story.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/row.h"
#include "lab/lab_ns.h"
#include "lab/lab_story_impl.h"
#include "report/report.h"

static void say_intro(struct story *s)
{
	struct lab *l = &s->l;
	const struct lab_topo *t = l->rec.topo;

	lab_ui_say(&l->ui, "Lab %s: %s.", l->rec.id, t->title);
	if (t->about[0]) {
		fputc('\n', l->ui.out);
		lab_ui_wrap(&l->ui, t->about);
	}
	lab_ui_picture(&l->ui, t, &l->vars);
	lab_ui_wrap(&l->ui,
		    "Every line with [#] is a command that you may type yourself, as root. "
		    "All of it is in namespaces of its own; Ctrl-C takes it down at any time.");
}

/* Which datapath tunld has chosen for a tunnel, and why. */
static int ask_end(struct story *s, const struct lab_dev *dev, struct err *e)
{
	const char *role = s->l.rec.topo->nets[dev->net].role;
	char ns[32], key[LAB_ROLE_MAX + 20];
	struct tunnel_row row;
	int back, err;

	lab_ns_name(ns, sizeof(ns), s->l.rec.id, role);
	err = lab_ns_enter(ns, &back, e);
	if (err < 0)
		return err;
	err = row_get(dev->name, NULL, &row, e);
	lab_ns_leave(back);
	if (err < 0)
		return err_set(e, -err, "tunld does not know %s in %s: %.120s", dev->name, ns,
			       e->text[0] ? e->text : strerror(-err));
	if (!s->datapath[0])
		snprintf(s->datapath, sizeof(s->datapath), "%s", row.datapath);
	snprintf(key, sizeof(key), "%s", role);
	if (json_object_get(s->ends, key))
		snprintf(key, sizeof(key), "%s:%s", role, dev->name);
	lab_ui_say(&s->l.ui, "End %s carries its packets by the %s datapath%s%s.", key,
		   row.datapath, row.why[0] ? ": " : "", row.why);
	json_object_set_new(s->ends, key,
			    json_pack("{s:s, s:s}", "datapath", row.datapath, "why", row.why));
	return 0;
}

static int ask_ends(struct story *s, struct err *e)
{
	const struct lab_dev *dev;
	int err = 0;

	fputc('\n', s->l.ui.out);
	for (int i = 0; !err && (dev = lab_topo_next_tunnel(s->l.rec.topo, &i)); i++)
		err = ask_end(s, dev, e);
	return err;
}

/* The routes of every namespace, as they are at the end. */
static void note_routes(struct story *s)
{
	static const char *const what[] = {"-br addr", "route", "-6 route"};
	const struct lab_topo *t = s->l.rec.topo;
	struct lab_result *r = &s->l.last;
	struct lab_words w;
	char cmd[64];

	for (int i = 0; i < t->n_nets; i++) {
		for (size_t k = 0; k < countof(what); k++) {
			snprintf(cmd, sizeof(cmd), "ip -n {%s} %s", t->nets[i].role, what[k]);
			if (!lab_words_make(&w, cmd, &s->l.vars) ||
			    lab_cmd_run(&s->l.ui, &s->l.sig, &w, LAB_CMD_SILENT, r) || !r->len)
				continue;
			json_array_append_new(s->routes,
					      json_pack("{s:s, s:s, s:o}", "net", t->nets[i].role,
							"command", what[k], "text",
							lab_json_text(r->out, r->len)));
		}
	}
}

/* What a report wants besides. */
static int gather_more(struct story *s, struct err *e)
{
	int err;

	if (!s->o->report)
		return 0;
	err = story_series(s, e);
	if (!err)
		note_routes(s);
	return err;
}

static int tell(struct story *s, struct err *e)
{
	const struct lab_topo *t = s->l.rec.topo;
	int n = s->o->up ? t->n_build : t->n_steps, err = 0;

	say_intro(s);
	if (t->steps[0].act != LAB_SECTION)
		lab_heading(&s->l, "Building it");
	for (int i = 0; !err && i < n; i++) {
		if (lab_signals_check(&s->l.sig))
			return err_set(e, EINTR, "interrupted");
		if (i == t->n_build)
			err = ask_ends(s, e);
		if (!err)
			err = story_step(s, &t->steps[i], e);
		/* what had to be ended may have done its work */
		if (!err || e->code == ETIMEDOUT || t->steps[i].act != LAB_DO)
			s->l.done = i + 1;
	}
	if (!err && n == t->n_build)
		err = ask_ends(s, e);
	return err ? err : gather_more(s, e);
}

static void say_standing(struct story *s)
{
	const struct lab *l = &s->l;
	const struct lab_topo *t = l->rec.topo;
	const struct lab_step *ping = lab_topo_tunnel_ping(t), *where = lab_topo_capture(t);
	const struct lab_dev *tunnel;
	const char *id = l->rec.id;
	int i = 0;

	lab_ui_say(&s->l.ui, "\nThe lab %s is left standing. To play with it:\n", id);
	if (ping)
		lab_ui_say(&s->l.ui, "    tunl lab exec %s %s ping -c 3 %s", id,
			   t->nets[ping->net].role, ping->target);
	if (where)
		lab_ui_say(&s->l.ui, "    tunl lab exec %s %s tcpdump -ni %s", id,
			   t->nets[where->net].role, where->dev);
	tunnel = lab_topo_next_tunnel(t, &i);
	if (tunnel)
		lab_ui_say(&s->l.ui, "    tunl lab exec %s %s tunl -s show", id,
			   t->nets[tunnel->net].role);
	lab_ui_say(&s->l.ui,
		   "    tunl lab status\n\nTo take it down:\n\n"
		   "    tunl lab down %s",
		   id);
}

/* Take it down, unless it is to stand. The first cause is the one that is told. */
static int finish(struct story *s, int err, struct err *e)
{
	struct err why;
	bool stands = !err && (s->o->keep || s->o->up);

	if (stands) {
		say_standing(s);
	} else {
		lab_heading(&s->l, "Down");
		if (lab_unbuild(&s->l, &why) < 0 && !err) {
			err = -why.code;
			*e = why;
		}
	}
	lab_record_close(&s->l.store, &s->l.rec, !stands);
	lab_store_close(&s->l.store);
	return err;
}

static int write_report(struct story *s, struct err *e)
{
	json_t *doc = story_json(s, 0, e);
	int err = report_write(s->o->report, doc, e);

	json_decref(doc);
	if (!err && strcmp(s->o->report, "-") != 0)
		lab_ui_say(&s->l.ui, "\nThe report is in %s: open it with a browser.",
			   s->o->report);
	return err;
}

static void print_json(struct story *s, int err, const struct err *e)
{
	json_t *j = story_json(s, err, e);

	json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(j);
}

static void print_end(struct story *s, int err, const struct err *e)
{
	if (s->o->json)
		print_json(s, err, e);
	if (err)
		fprintf(stderr, "tunl lab: %s\n", e->text);
	else if (s->o->quiet && s->o->up)
		printf("%s\n", s->l.rec.id);
	else if (s->o->quiet && s->o->report && strcmp(s->o->report, "-") != 0)
		printf("%s\n", s->o->report);
	else if (s->o->quiet && !s->o->report)
		printf("%s (%s datapath)\n", s->wire.sum[0] ? s->wire.sum : s->o->topo->name,
		       s->datapath);
}

static int story_open(struct story *s, struct err *e)
{
	struct lab_record *r = &s->l.rec;
	int err;

	r->topo = s->o->topo;
	r->fd = -1;
	snprintf(r->id, sizeof(r->id), "%s", s->o->id ? s->o->id : "");
	snprintf(r->datapath, sizeof(r->datapath), "%s", s->o->datapath ? s->o->datapath : "");
	s->capture = calloc(1, sizeof(*s->capture));
	if (!s->capture)
		return err_set(e, ENOMEM, "out of memory");
	err = lab_wire_init(&s->wire, e);
	if (!err)
		err = lab_check_needs(e);
	if (!err)
		err = lab_store_open(&s->l.store, true, e);
	if (!err)
		err = lab_record_create(&s->l.store, r, e);
	lab_bind(&s->l);
	return err;
}

static void story_free(struct story *s)
{
	story_path_close(s);
	for (int i = 0; i < LAB_DEVS; i++)
		free(s->path.at[i]);
	if (s->capture)
		lab_capture_close(s->capture);
	free(s->capture);
	lab_wire_fini(&s->wire);
	json_decref(s->l.steps);
	json_decref(s->ends);
	json_decref(s->routes);
	lab_ui_fini(&s->l.ui);
	free(s);
}

int lab_story(const struct lab_opts *o)
{
	struct story *s = calloc(1, sizeof(*s));
	struct err e = {0};
	int err, caught;

	if (!s) {
		fprintf(stderr, "tunl lab: out of memory\n");
		return 1;
	}
	s->o = o;
	s->l.store.fd = -1;
	s->l.steps = json_array();
	s->ends = json_object();
	s->routes = json_array();
	lab_ui_init(&s->l.ui, o->quiet || o->json || (o->report && !strcmp(o->report, "-")));
	lab_signals_hold(&s->l.sig);
	err = story_open(s, &e);
	if (!err)
		err = finish(s, tell(s, &e), &e);
	else
		lab_store_close(&s->l.store);
	if (!err && o->report)
		err = write_report(s, &e);
	print_end(s, err, &e);
	caught = s->l.sig.caught;
	lab_signals_release(&s->l.sig);
	story_free(s);
	return err && caught ? 128 + caught : err != 0;
}
