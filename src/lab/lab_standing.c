/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_standing.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/row.h"
#include "lab/lab_build.h"
#include "lab/lab_ns.h"

enum { LABS_MAX = 256 };

static int complain(const struct err *e)
{
	fprintf(stderr, "tunl lab: %s\n", e->text);
	return 1;
}

/* The only lab there is. */
static int only_one(struct lab_store *s, char *id, struct err *e)
{
	char ids[LABS_MAX][LAB_ID_MAX + 1];
	size_t n = lab_store_list(s, ids, LABS_MAX);

	if (n == 0)
		return err_set(e, ENOENT, "no lab is standing (`tunl lab up` makes one)");
	if (n > 1)
		return err_set(e, EINVAL,
			       "%zu labs are standing: say which (`tunl lab status` lists them)",
			       n);
	strcpy(id, ids[0]);
	return 0;
}

/* Open the store and a record; id NULL: the only one. The store is closed on failure. */
static int find_lab(struct lab_store *s, const char *id, bool take, struct lab_record *r,
		    struct err *e)
{
	char only[LAB_ID_MAX + 1];
	int err = lab_store_open(s, false, e);

	if (err)
		return err;
	if (!id) {
		err = only_one(s, only, e);
		id = only;
	}
	if (!err)
		err = lab_record_open(s, id, take, r, e);
	if (err)
		lab_store_close(s);
	return err;
}

/* `tunl` within the lab is this one, also where it is not installed. */
static void put_us_in_path(void)
{
	char self[PATH_MAX], path[4 * PATH_MAX];
	char *slash;

	if (!lab_self_path(self, sizeof(self)) || !(slash = strrchr(self, '/')))
		return;
	*slash = '\0';
	snprintf(path, sizeof(path), "%s:%s", getenv("PATH"), self);
	setenv("PATH", path, 1);
}

static int exec_in(const char *ns, char **argv)
{
	char *words[LAB_WORDS * 8] = {"ip", "netns", "exec", (char *)ns};
	size_t n = 4;

	while (*argv && n < countof(words) - 1)
		words[n++] = *argv++;
	if (*argv) {
		fprintf(stderr, "tunl lab: more than %zu words\n", countof(words) - 5);
		return 255;
	}
	put_us_in_path();
	execvp("ip", words);
	fprintf(stderr, "tunl lab: cannot run `ip`: %s (Debian's package iproute2 has it)\n",
		strerror(errno));
	return 1;
}

/* Whether word names a lab that stands. */
static bool is_lab(const char *word)
{
	char ids[LABS_MAX][LAB_ID_MAX + 1];
	struct lab_store s;
	struct err e;
	bool found = false;
	size_t n;

	if (lab_store_open(&s, false, &e))
		return false;
	n = lab_store_list(&s, ids, LABS_MAX);
	for (size_t i = 0; i < n; i++)
		found |= !strcmp(ids[i], word);
	lab_store_close(&s);
	return found;
}

/* "a, r and b" */
static const char *roles(const struct lab_topo *t, char *buf, size_t len)
{
	size_t n = 0;

	for (int i = 0; i < t->n_nets && n < len; i++)
		n += (size_t)snprintf(buf + n, len - n, "%s%s",
				      !i		  ? ""
				      : i + 1 < t->n_nets ? ", "
							  : " and ",
				      t->nets[i].role);
	return buf;
}

/* The namespace that is meant into ns; 0, or -errno with e filled. */
static int find_ns(const char *id, const char *role, char *ns, size_t len, struct err *e)
{
	struct lab_record r;
	struct lab_store s;
	char all[128];
	int err;

	if (find_lab(&s, id, false, &r, e))
		return -e->code;
	lab_ns_name(ns, len, r.id, role);
	lab_store_close(&s);
	err = lab_topo_net(r.topo, role, strlen(role)) < 0
		      ? err_set(e, EINVAL, "the lab has no \"%.40s\"; it has %s", role,
				roles(r.topo, all, sizeof(all)))
		      : 0;
	lab_topo_free(r.topo);
	if (!err && !lab_ns_exists(ns))
		err = err_set(e, ENOENT, "the namespace %s is not there any more", ns);
	return err;
}

int lab_exec(int argc, char **argv)
{
	bool named = argc > 2 && (is_lab(argv[0]) || strlen(argv[1]) == 1);
	struct err e;
	char ns[64];

	if (argc < (named ? 3 : 2)) {
		fprintf(stderr, "Usage: tunl lab exec [ID] NET COMMAND...\n");
		return 255;
	}
	if (find_ns(named ? argv[0] : NULL, argv[named], ns, sizeof(ns), &e))
		return complain(&e);
	return exec_in(ns, argv + 1 + named);
}

/* The datapath in use at an end, or what is wrong with it; static text or *row's. */
static const char *end_state(const struct lab *l, const struct lab_dev *end, struct tunnel_row *row)
{
	const char *role = l->rec.topo->nets[end->net].role;
	struct err e;
	char ns[32];
	int back, err;

	if (lab_ns_enter(lab_ns_name(ns, sizeof(ns), l->rec.id, role), &back, &e) < 0)
		return "gone";
	err = row_get(end->name, NULL, row, &e);
	lab_ns_leave(back);
	if (err < 0)
		return "no tunnel";
	return row->up ? row->datapath : "down";
}

static bool ping_works(struct lab *l)
{
	struct lab_result *r = malloc(sizeof(*r));
	const struct lab_step *ping = lab_topo_tunnel_ping(l->rec.topo);
	struct lab_words w;
	bool works =
		r && ping && lab_words_make(&w, ping->text, &l->vars) &&
		lab_cmd_run(&l->ui, &l->sig, &w, LAB_CMD_INTERRUPTIBLE | LAB_CMD_SILENT, r) == 0;

	free(r);
	return works;
}

static const char *lab_state(const struct lab *l)
{
	if (l->rec.busy)
		return "at work";
	return lab_stands(l) ? "standing" : "broken";
}

/* The state of each tunnel into ends, and as text for a person. */
static void ends_of(const struct lab *l, json_t *ends, char *text, size_t len)
{
	const struct lab_topo *t = l->rec.topo;
	const struct lab_dev *dev;
	struct tunnel_row row;
	size_t n = 0;

	*text = '\0';
	for (int i = 0; (dev = lab_topo_next_tunnel(t, &i)); i++) {
		const char *role = t->nets[dev->net].role, *state = end_state(l, dev, &row);
		char key[LAB_ROLE_MAX + 20];

		snprintf(key, sizeof(key), "%s", role);
		if (json_object_get(ends, key))
			snprintf(key, sizeof(key), "%s:%s", role, dev->name);
		json_object_set_new(ends, key, json_string(state));
		if (n < len)
			n += (size_t)snprintf(text + n, len - n, "  %s: %s", key, state);
	}
}

/* The state of one lab into out, and a line of text for a person. */
static void status_of(struct lab *l, json_t *out, bool text)
{
	const char *state = lab_state(l);
	bool works = !strcmp(state, "standing") && ping_works(l);
	json_t *ends = json_object();
	char built[32], line[512];

	ends_of(l, ends, line, sizeof(line));
	json_array_append_new(out,
			      json_pack("{s:s, s:s, s:s, s:o, s:b, s:I}", "id", l->rec.id, "lab",
					l->rec.topo->name, "state", state, "datapath", ends, "ping",
					works, "built", (json_int_t)l->rec.built));
	strftime(built, sizeof(built), "%F %T", localtime(&l->rec.built));
	if (text)
		printf("%-8s  %s  %s since %s%s  ping: %s\n", l->rec.id, l->rec.topo->name, state,
		       built, line, works ? "ok" : "no answer");
}

int lab_status(bool json)
{
	char ids[LABS_MAX][LAB_ID_MAX + 1];
	struct lab l = {0};
	json_t *all = json_array();
	struct err e;
	size_t n;

	if (lab_store_open(&l.store, false, &e))
		return complain(&e);
	lab_ui_init(&l.ui, true);
	lab_signals_hold(&l.sig);
	n = lab_store_list(&l.store, ids, LABS_MAX);
	for (size_t i = 0; i < n && !lab_signals_check(&l.sig); i++) {
		if (lab_record_open(&l.store, ids[i], false, &l.rec, &e))
			continue;
		lab_bind(&l);
		status_of(&l, all, !json);
		lab_topo_free(l.rec.topo);
	}
	if (json)
		json_dumpf(all, stdout, JSON_INDENT(2));
	if (json || n == 0)
		puts(json ? "" : "No lab is standing (`tunl lab up` makes one).");
	json_decref(all);
	lab_ui_fini(&l.ui);
	lab_signals_release(&l.sig);
	lab_store_close(&l.store);
	return 0;
}

/* The record is l's, and locked. */
static int take_down(struct lab *l, struct err *e)
{
	int err;

	lab_bind(l);
	l->done = l->rec.topo->n_steps;
	l->steps = json_array();
	lab_ui_say(&l->ui, "Taking down the lab %s.\n", l->rec.id);
	err = lab_unbuild(l, e);
	lab_record_close(&l->store, &l->rec, !err);
	json_decref(l->steps);
	lab_topo_free(l->rec.topo);
	return err;
}

static int down_all(struct lab *l, struct err *e)
{
	char ids[LABS_MAX][LAB_ID_MAX + 1];
	size_t n = lab_store_list(&l->store, ids, LABS_MAX);
	struct err why;
	int err, first = 0;

	for (size_t i = 0; i < n; i++) {
		err = lab_record_open(&l->store, ids[i], true, &l->rec, &why);
		if (err == -EBUSY)
			continue;
		if (!err)
			err = take_down(l, &why);
		if (err && !first) {
			first = err;
			*e = why;
		}
	}
	return first;
}

static int down_one(struct lab *l, const char *id, struct err *e)
{
	char only[LAB_ID_MAX + 1];
	int err = id ? 0 : only_one(&l->store, only, e);

	if (!err)
		err = lab_record_open(&l->store, id ? id : only, true, &l->rec, e);
	return err ? err : take_down(l, e);
}

int lab_down(const char *id, bool all, bool quiet)
{
	struct lab l = {0};
	struct err e;
	int err;

	if (lab_store_open(&l.store, false, &e))
		return complain(&e);
	lab_ui_init(&l.ui, quiet);
	lab_signals_hold(&l.sig);
	err = all ? down_all(&l, &e) : down_one(&l, id, &e);
	lab_store_close(&l.store);
	lab_ui_fini(&l.ui);
	lab_signals_release(&l.sig);
	return err ? complain(&e) : 0;
}
