/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_story.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/row.h"
#include "lab/lab_build.h"
#include "lab/lab_capture.h"
#include "lab/lab_ns.h"
#include "lab/lab_wire.h"

/* The lab with all that is learned from it. */
struct story {
	const struct lab_opts *o;
	struct lab l;
	struct lab_capture *capture;
	struct lab_wire wire;
	json_t *ends;	     /* {"a": {"datapath": ..., "why": ...}} */
	double rtt[2];	     /* ms, without and with the tunnel; < 0: not known */
	u32 first;	     /* frame of the capture: the first within the tunnel */
	char pcap[PATH_MAX]; /* where the capture is to be saved */
	bool saved;
	char datapath[2][16]; /* in use, per end */
};

static void say_intro(struct story *s)
{
	struct lab *l = &s->l;

	lab_ui_say(&l->ui, "Lab %s: %s.", l->rec.id, l->rec.topo->title);
	lab_ui_picture(&l->ui, l->rec.topo, &l->vars);
	lab_ui_say(&l->ui,
		   "Every line with [#] is a command that you may type yourself, as root.\n"
		   "All of it is in namespaces of its own; Ctrl-C takes it down at any time.");
}

/* Which datapath tunld has chosen for an end, and why. */
static int ask_end(struct story *s, unsigned i, struct err *e)
{
	const struct lab_end *end = &s->l.rec.topo->end[i];
	struct tunnel_row row;
	char ns[32];
	int back, err;

	lab_ns_name(ns, sizeof(ns), s->l.rec.id, end->role[0]);
	err = lab_ns_enter(ns, &back, e);
	if (err < 0)
		return err;
	err = row_get(end->dev, NULL, &row, e);
	lab_ns_leave(back);
	if (err < 0)
		return err_set(e, -err, "tunld does not know %s in %s: %.120s", end->dev, ns,
			       e->text[0] ? e->text : strerror(-err));
	snprintf(s->datapath[i], sizeof(s->datapath[i]), "%s", row.datapath);
	lab_ui_say(&s->l.ui, "End %s carries its packets by the %s datapath%s%s.", end->role,
		   row.datapath, row.why[0] ? ": " : "", row.why);
	json_object_set_new(s->ends, end->role,
			    json_pack("{s:s, s:s}", "datapath", row.datapath, "why", row.why));
	return 0;
}

static int look_around(struct story *s, struct err *e)
{
	const struct lab_topo *t = s->l.rec.topo;
	int err = 0;

	lab_ui_say(&s->l.ui, "\nThe routes of both ends now:\n");
	for (size_t i = 0; !err && t->look[i]; i++)
		err = lab_do(&s->l, t->look[i], 0, NULL, e);
	fputc('\n', s->l.ui.out);
	for (unsigned i = 0; !err && i < countof(t->end); i++)
		err = ask_end(s, i, e);
	return err;
}

/* Ping, and add to a failure what the capture can tell of it. */
static int ping_once(struct story *s, const char *cmd, double *rtt, struct err *e)
{
	struct lab_result *r = malloc(sizeof(*r));
	u32 before = s->capture->n;
	struct err why;
	const char *t;
	int err;

	if (!r)
		return err_set(e, ENOMEM, "out of memory");
	err = lab_do(&s->l, cmd, LAB_CMD_INTERRUPTIBLE, r, &why);
	lab_capture_read(s->capture, err ? 0 : before + 2);
	t = strstr(r->out, "time=");
	if (t)
		*rtt = strtod(t + strlen("time="), NULL);
	free(r);
	if (err && why.code != EINTR)
		return err_set(e, -err, "%.180s; %u of its packets were seen on %s", why.text,
			       s->capture->n - before, s->l.rec.topo->capture_dev);
	if (err)
		*e = why;
	return err;
}

/* Where the capture is going to be saved. */
static void choose_pcap(struct story *s)
{
	const char *dir = getenv("TMPDIR");

	if (s->o->pcap)
		snprintf(s->pcap, sizeof(s->pcap), "%s", s->o->pcap);
	else
		snprintf(s->pcap, sizeof(s->pcap), "%.3000s/tunl-lab-%s.pcap",
			 dir && *dir ? dir : "/tmp", s->l.rec.id);
}

static int ping_both(struct story *s, struct err *e)
{
	const struct lab_topo *t = s->l.rec.topo;
	char ns[32];
	int err;

	lab_heading(&s->l, "Ping, without the tunnel and through it");
	lab_ns_name(ns, sizeof(ns), s->l.rec.id, t->capture_role[0]);
	lab_ui_say(&s->l.ui,
		   "Capturing in the router, as this would:\n"
		   "    ip netns exec %s tcpdump -ni %s -w %s ip\n",
		   ns, t->capture_dev, s->pcap);
	err = lab_capture_open(s->capture, ns, t->capture_dev, e);
	if (!err)
		err = ping_once(s, t->ping_underlay, &s->rtt[0], e);
	s->first = s->capture->n;
	if (!err)
		err = ping_once(s, t->ping_tunnel, &s->rtt[1], e);
	return err;
}

static int save(struct story *s, struct err *e)
{
	int err = lab_capture_save(s->capture, s->pcap, s->o->pcap, e);

	s->saved = !err;
	if (s->saved)
		lab_ui_say(&s->l.ui,
			   "\nThe packets are saved. To look at them again:\n\n"
			   "    tunl explain %s\n"
			   "    tcpdump -nvr %s\n"
			   "    wireshark %s",
			   s->pcap, s->pcap, s->pcap);
	return err;
}

static int tell_wire(struct story *s, struct err *e)
{
	int err;

	lab_heading(&s->l, "What was on the wire");
	err = lab_wire_explain(&s->wire, &s->l.ui, s->capture, s->first, e);
	if (err)
		return err;
	if (!s->wire.wrapped)
		return err_set(e, ENODATA,
			       "the ping was answered, but none of its packets was captured");
	lab_wire_compare(&s->wire, &s->l.ui, s->l.rec.topo);
	lab_ui_say(&s->l.ui, "\n    %s", s->wire.sum);
	return save(s, e);
}

static int tell(struct story *s, struct err *e)
{
	int (*const parts[])(struct story *, struct err *) = {look_around, ping_both, tell_wire};
	int err;

	choose_pcap(s);
	say_intro(s);
	err = lab_build(&s->l, e);
	for (size_t i = 0; !err && i < (s->o->up ? 1 : countof(parts)); i++)
		err = lab_signals_check(&s->l.sig) ? err_set(e, EINTR, "interrupted")
						   : parts[i](s, e);
	return err;
}

static void say_standing(struct story *s)
{
	const struct lab *l = &s->l;
	const char *id = l->rec.id;

	lab_ui_say(&s->l.ui,
		   "\nThe lab %s is left standing. To play with it:\n\n"
		   "    tunl lab exec %s a ping -c 3 %s\n"
		   "    tunl lab exec %s r tcpdump -ni %s\n"
		   "    tunl lab exec %s b tunl -s show\n"
		   "    tunl lab status\n\n"
		   "To take it down:\n\n"
		   "    tunl lab down %s",
		   id, id, l->rec.topo->end[1].inner, id, l->rec.topo->capture_dev, id, id);
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

static json_t *rtt_json(double ms)
{
	return ms < 0 ? json_null() : json_real(ms);
}

static void print_json(struct story *s, int err, const struct err *e)
{
	json_t *j = json_pack(
		"{s:s, s:s, s:b, s:s?, s:b, s:O, s:O, s:{s:o, s:o}, s:O?, s:O?, s:s?}", "lab",
		s->o->topo->name, "id", s->l.rec.id, "ok", !err, "error", err ? e->text : NULL,
		"standing", !err && (s->o->keep || s->o->up), "steps", s->l.steps, "ends", s->ends,
		"rtt_ms", "underlay", rtt_json(s->rtt[0]), "tunnel", rtt_json(s->rtt[1]), "packets",
		s->wire.packets, "sums", s->wire.sums, "pcap", s->saved ? s->pcap : NULL);

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
	else if (s->o->quiet)
		printf("%s (%s datapath)\n", s->wire.sum, s->datapath[0]);
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
	err = lab_check_needs(e);
	if (!err)
		err = lab_store_open(&s->l.store, true, e);
	if (!err)
		err = lab_record_create(&s->l.store, r, e);
	lab_bind(&s->l);
	return err;
}

int lab_story(const struct lab_opts *o)
{
	struct story s = {.o = o, .rtt = {-1, -1}, .l.store.fd = -1};
	struct err e = {0};
	int err;

	s.l.steps = json_array();
	s.ends = json_object();
	lab_ui_init(&s.l.ui, o->quiet || o->json);
	lab_signals_hold(&s.l.sig);
	err = story_open(&s, &e);
	if (!err)
		err = finish(&s, tell(&s, &e), &e);
	else
		lab_store_close(&s.l.store);
	print_end(&s, err, &e);
	if (s.capture)
		lab_capture_close(s.capture);
	free(s.capture);
	lab_wire_fini(&s.wire);
	json_decref(s.l.steps);
	json_decref(s.ends);
	lab_ui_fini(&s.l.ui);
	err = err && s.l.sig.caught ? 128 + s.l.sig.caught : err != 0;
	lab_signals_release(&s.l.sig);
	return err;
}
