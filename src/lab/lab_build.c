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
	l->vars.topo = l->rec.topo;
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

json_t *lab_json_text(const char *text, size_t len)
{
	json_t *j = json_stringn(text, len);
	char *clean;

	if (j)
		return j;
	clean = strndup(text, len);
	for (char *c = clean; c && *c; c++)
		if (*c & 0x80)
			*c = '?';
	j = json_string(clean ? clean : "");
	free(clean);
	return j;
}

static void report_step(struct lab *l, const char *cmd, const struct lab_result *r)
{
	json_array_append_new(l->steps, json_pack("{s:s, s:s, s:i, s:f, s:o}", "heading",
						  l->heading ? l->heading : "", "command", cmd,
						  "status", r->status, "ms", r->ms, "output",
						  lab_json_text(r->out, r->len)));
}

/* Why a command did not end well. */
static int explain_failure(const char *cmd, const struct lab_result *r, struct err *e)
{
	char last[160];

	if (r->interrupted)
		return err_set(e, EINTR, "interrupted");
	if (r->timed_out)
		return err_set(e, ETIMEDOUT, "`%.120s` did not end within 25 s and was ended", cmd);
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

static int run(struct lab *l, const struct lab_step *step, struct err *e)
{
	int err = lab_do(l, step->text, 0, &l->last, e);

	l->last_step = step;
	if (!step->fails)
		return err;
	if (!err)
		return err_set(e, EIO, "`%.160s` was to fail, and did not", step->text);
	return l->last.timed_out || l->last.status == 127 ? err : 0;
}

int lab_step_plain(struct lab *l, const struct lab_step *step, struct err *e)
{
	switch (step->act) {
	case LAB_DO:
		return lab_do(l, step->text, 0, NULL, e);
	case LAB_RUN:
		return run(l, step, e);
	case LAB_SECTION:
		lab_heading(l, step->text);
		return 0;
	case LAB_SAY:
		fputc('\n', l->ui.out);
		lab_ui_wrap(&l->ui, step->text);
		fputc('\n', l->ui.out);
		return 0;
	case LAB_CAPTURE:
	case LAB_PING:
	case LAB_EXPLAIN:
	case LAB_EXPECT:
		break;
	}
	return err_set(e, EINVAL, "not a plain step");
}

static int ns_left(const struct lab *l, char *name, size_t len)
{
	int n = 0;

	for (int i = 0; i < l->rec.topo->n_nets; i++)
		if (lab_ns_exists(lab_ns_name(name, len, l->rec.id, l->rec.topo->nets[i].role)))
			n++;
	return n;
}

bool lab_stands(const struct lab *l)
{
	char name[32];

	return ns_left(l, name, sizeof(name)) == l->rec.topo->n_nets;
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
	for (int i = 0; i < t->n_nets; i++)
		if (lab_ns_exists(lab_ns_name(name, sizeof(name), l->rec.id, t->nets[i].role)))
			return err_set(e, EIO, "the namespace %s is left: %.150s", name, why.text);
	return 0;
}
