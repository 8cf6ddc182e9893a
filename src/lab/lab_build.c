/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lab/lab_ns.h"

void lab_bind(struct lab *l)
{
	l->vars.id = l->rec.id;
	l->vars.datapath = l->rec.datapath[0] ? l->rec.datapath : NULL;
}

void lab_heading(struct lab *l, const char *text)
{
	l->heading = text;
	lab_ui_heading(&l->ui, text);
}

static void words_join(char *buf, size_t len, const struct lab_words *w)
{
	size_t n = 0;

	*buf = '\0';
	for (int i = 0; i < w->n && n < len; i++)
		n += (size_t)snprintf(buf + n, len - n, "%s%s", i ? " " : "", w->v[i]);
}

static void report_step(struct lab *l, const char *cmd, const struct lab_result *r)
{
	json_array_append_new(l->steps, json_pack("{s:s, s:s, s:i, s:f}", "heading",
						  l->heading ? l->heading : "", "command", cmd,
						  "status", r->status, "ms", r->ms));
}

/* Why a command did not end well. */
static int explain_failure(const char *cmd, const struct lab_result *r, struct err *e)
{
	char last[160];

	if (r->interrupted)
		return err_set(e, EINTR, "interrupted");
	if (r->timed_out)
		return err_set(e, ETIMEDOUT, "`%.120s` did not end within 10 s and was ended", cmd);
	lab_result_last_line(r, last, sizeof(last));
	if (!last[0])
		return err_set(e, EIO, "`%.160s` failed with exit status %d", cmd, r->status);
	return err_set(e, EIO, "`%.120s` failed: %.120s", cmd, last);
}

static int do_words(struct lab *l, const struct lab_words *w, unsigned flags, struct lab_result *r,
		    struct err *e)
{
	char cmd[LAB_TEXT];

	words_join(cmd, sizeof(cmd), w);
	lab_ui_cmd(&l->ui, w);
	lab_cmd_run(&l->ui, &l->sig, w, flags, r);
	report_step(l, cmd, r);
	return r->status == 0 && !r->interrupted ? 0 : explain_failure(cmd, r, e);
}

int lab_do(struct lab *l, const char *text, unsigned flags, struct lab_result *r, struct err *e)
{
	struct lab_result *own = r ? NULL : malloc(sizeof(*own));
	struct lab_words w;
	int err;

	if (!r && !own)
		return err_set(e, ENOMEM, "out of memory");
	if (lab_words_make(&w, text, &l->vars))
		err = do_words(l, &w, flags, r ? r : own, e);
	else
		err = err_set(e, E2BIG, "a step is too long: %.100s", text);
	free(own);
	return err;
}

int lab_build(struct lab *l, struct err *e)
{
	const struct lab_topo *t = l->rec.topo;
	int err = 0;

	while (!err && l->done < t->n_steps) {
		const struct lab_step *s = &t->steps[l->done];

		if (lab_signals_check(&l->sig))
			return err_set(e, EINTR, "interrupted");
		if (s->heading)
			lab_heading(l, s->heading);
		err = lab_do(l, s->cmd, 0, NULL, e);
		/* what had to be ended may have done its work */
		if (!err || e->code == ETIMEDOUT)
			l->done++;
	}
	return err;
}

static int ns_left(const struct lab *l, char *name, size_t len)
{
	int n = 0;

	for (const char *role = l->rec.topo->roles; *role; role++)
		if (lab_ns_exists(lab_ns_name(name, len, l->rec.id, *role)))
			n++;
	return n;
}

bool lab_stands(const struct lab *l)
{
	char name[32];

	return ns_left(l, name, sizeof(name)) == (int)strlen(l->rec.topo->roles);
}

int lab_unbuild(struct lab *l, struct err *e)
{
	const struct lab_topo *t = l->rec.topo;
	struct err why;
	char name[32];

	while (l->done > 0) {
		const char *undo = t->steps[--l->done].undo;

		if (undo)
			lab_do(l, undo, 0, NULL, &why);
	}
	for (const char *role = t->roles; *role; role++)
		if (lab_ns_exists(lab_ns_name(name, sizeof(name), l->rec.id, *role)))
			return err_set(e, EIO, "the namespace %s is left: %.150s", name, why.text);
	return 0;
}
