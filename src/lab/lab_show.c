/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps that show: ping, capture, explain, expect. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lab/lab_ns.h"
#include "lab/lab_story_impl.h"

enum {
	SHOWN_PACKETS = 4,     /* of one ping through a tunnel */
	EXPECT_WAIT_MS = 5000, /* what is expected of a command's output may take a moment */
	EXPECT_STEP_MS = 100,
};

static u64 now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

static const char *role(const struct story *s, int net)
{
	return s->l.rec.topo->nets[net].role;
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

static int capture(struct story *s, const struct lab_step *step, struct err *e)
{
	char ns[32];

	choose_pcap(s);
	lab_ns_name(ns, sizeof(ns), s->l.rec.id, role(s, step->net));
	lab_ui_say(&s->l.ui,
		   "Capturing in %s, as this would:\n"
		   "    ip netns exec %s tcpdump -ni %s -w %s ip\n",
		   strcmp(role(s, step->net), "r") ? ns : "the router", ns, step->dev, s->pcap);
	if (s->o->report)
		story_path_open(s);
	return lab_capture_open(s->capture, ns, step->dev, "ip", e);
}

/* The round-trip times that ping printed. */
static void read_rtts(struct story_ping *p, const char *out)
{
	while (p->n_rtts < STORY_RTTS && (out = strstr(out, "time="))) {
		out += strlen("time=");
		p->rtt[p->n_rtts++] = strtod(out, NULL);
	}
}

/* Run its command; what it caught is taken over. */
static int ping_run(struct story *s, struct story_ping *p, const char *cmd, struct err *e)
{
	struct lab_capture *c = s->capture;
	int err;

	p->first = c->n;
	p->begin = now_ns(CLOCK_REALTIME);
	err = lab_do(&s->l, cmd, LAB_CMD_INTERRUPTIBLE, &s->l.last, e);
	if (c->pcap)
		lab_capture_read(c, err || p->step->fails ? 0 : p->first + 2);
	p->until = now_ns(CLOCK_REALTIME);
	p->end = c->n;
	p->answered = !err;
	read_rtts(p, s->l.last.out);
	story_path_read(s);
	return err;
}

/* Ping, and add to a failure what the capture can tell of it. */
static int ping(struct story *s, const struct lab_step *step, struct err *e)
{
	struct story_ping *p = &s->pings[s->n_pings];
	const struct lab_step *where = lab_topo_capture(s->l.rec.topo);
	struct err why;
	int err;

	if (s->n_pings == STORY_PINGS)
		return err_set(e, E2BIG, "more than %d pings", STORY_PINGS);
	*p = (struct story_ping){.step = step};
	err = ping_run(s, p, step->text, &why);
	s->l.last_step = step;
	s->n_pings++;
	if (!err && step->fails)
		return err_set(e, EIO, "`ping %s` was answered, and was to be lost", step->target);
	if (!err || (step->fails && why.code == EIO))
		return 0;
	*e = why;
	if (why.code != EINTR && where && s->capture->pcap)
		err_set(e, why.code, "%.180s; %u of its packets were seen on %s", why.text,
			p->end - p->first, where->dev);
	return err;
}

/* What is said before a ping's packets. */
static void introduce(struct story *s, const struct story_ping *p, bool only)
{
	struct lab_ui *ui = &s->l.ui;

	if (p->step->bare)
		lab_ui_say(ui, "Without the tunnel, the request:\n");
	else if (only)
		lab_ui_say(ui, "Through the tunnel, the request and the reply:\n");
	else
		lab_ui_say(ui, "Ping of %s from %s%s:\n", p->step->target, role(s, p->step->net),
			   p->step->fails ? ", which was not answered" : "");
}

static int explain_ping(struct story *s, const struct story_ping *p, bool only, struct err *e)
{
	struct lab_wire_part part = {
		.first = p->first,
		.end = p->end,
		.shown = p->step->bare ? 1 : SHOWN_PACKETS,
		.tunnel = !p->step->bare && !p->step->fails,
	};

	introduce(s, p, only);
	if (p->first == p->end)
		lab_ui_say(&s->l.ui, "  None of its packets came by here.\n");
	return lab_wire_explain(&s->wire, &s->l.ui, s->capture, &part, e);
}

static int save(struct story *s, struct err *e)
{
	int err = lab_capture_save(s->capture, s->pcap, s->o->pcap || s->saved, e);

	if (!err && !s->saved)
		lab_ui_say(&s->l.ui,
			   "\nThe packets are saved. To look at them again:\n\n"
			   "    tunl explain %s\n"
			   "    tcpdump -nvr %s\n"
			   "    wireshark %s",
			   s->pcap, s->pcap, s->pcap);
	s->saved = !err;
	return err;
}

/* The packets of all pings since the last explanation. */
static int explain(struct story *s, struct err *e)
{
	const struct lab_topo *t = s->l.rec.topo;
	unsigned through = 0;
	int err = 0;

	for (int i = s->n_explained; i < s->n_pings; i++)
		through += !s->pings[i].step->bare;
	for (; !err && s->n_explained < s->n_pings; s->n_explained++)
		err = explain_ping(s, &s->pings[s->n_explained], through == 1, e);
	if (err)
		return err;
	if (!s->capture->n)
		return err_set(e, ENODATA, "none of the pings' packets was captured");
	if (t->overhead && s->wire.plain && s->wire.wrapped)
		lab_wire_compare(&s->wire, &s->l.ui, t);
	if (s->wire.sum[0])
		lab_ui_say(&s->l.ui, "\n    %s", s->wire.sum);
	return save(s, e);
}

/* Whether a captured packet is as expected. */
static bool seen(struct story *s, const struct lab_step *step)
{
	struct dissection *d = s->wire.d;
	struct size_sum sum;
	char text[512];

	for (u32 i = 0; i < s->capture->n; i++) {
		dissect_frame(d, &s->capture->frame[i], NULL);
		if (step->expect == EXPECT_SUM && size_sum(&sum, d))
			size_sum_text(&sum, text, sizeof(text));
		else if (step->expect == EXPECT_LAYERS)
			lab_wire_layers(d, text, sizeof(text));
		else
			continue;
		if (!strcmp(text, step->text))
			return true;
	}
	return false;
}

/* The command again, until its output has what is expected. */
static int expect_output(struct story *s, const char *text, struct err *e)
{
	const struct timespec pause = {.tv_nsec = EXPECT_STEP_MS * 1000000};
	u64 end = now_ns(CLOCK_MONOTONIC) + EXPECT_WAIT_MS * 1000000ull;
	const struct lab_step *cmd = s->l.last_step;
	struct lab_words w;

	if (!cmd)
		return err_set(e, EINVAL, "no command was run whose output could be expected");
	while (!strstr(s->l.last.out, text)) {
		if (lab_signals_check(&s->l.sig))
			return err_set(e, EINTR, "interrupted");
		if (cmd->act != LAB_RUN || now_ns(CLOCK_MONOTONIC) > end)
			return err_set(e, EIO, "`%.100s` does not print \"%.80s\"", cmd->text,
				       text);
		nanosleep(&pause, NULL);
		if (lab_words_make(&w, cmd->text, &s->l.vars))
			lab_cmd_run(&s->l.ui, &s->l.sig, &w, LAB_CMD_SILENT, &s->l.last);
	}
	return 0;
}

static int expect(struct story *s, const struct lab_step *step, struct err *e)
{
	char text[LAB_TEXT];

	if (!lab_text_fill(text, sizeof(text), step->text, &s->l.vars))
		return err_set(e, E2BIG, "line %u of the lab is too long", step->line);
	if (step->expect == EXPECT_OUTPUT)
		return expect_output(s, text, e);
	if (seen(s, step))
		return 0;
	return err_set(e, ENODATA, "no captured packet is as line %u of the lab expects it: %.150s",
		       step->line, step->text);
}

int story_step(struct story *s, const struct lab_step *step, struct err *e)
{
	switch (step->act) {
	case LAB_CAPTURE:
		return capture(s, step, e);
	case LAB_PING:
		return ping(s, step, e);
	case LAB_EXPLAIN:
		return explain(s, e);
	case LAB_EXPECT:
		return expect(s, step, e);
	case LAB_DO:
	case LAB_RUN:
	case LAB_SECTION:
	case LAB_SAY:
		break;
	}
	return lab_step_plain(&s->l, step, e);
}

/* Many pings to where this step pings. */
static int series_of(struct story *s, const struct lab_step *step, struct err *e)
{
	struct story_ping *p = &s->pings[s->n_pings];
	char cmd[LAB_TEXT];

	if (s->n_pings == STORY_PINGS)
		return 0;
	*p = (struct story_ping){.step = step, .series = true};
	s->n_pings++;
	snprintf(cmd, sizeof(cmd), "ip netns exec {%s} ping -n -c 20 -i 0.05 -W 2 %s",
		 role(s, step->net), step->target);
	return ping_run(s, p, cmd, e);
}

int story_series(struct story *s, struct err *e)
{
	const struct lab_topo *t = s->l.rec.topo;
	bool bare = false, tunnel = false;
	int err = 0;

	lab_capture_close(s->capture);
	story_path_close(s);
	for (int i = 0; !err && i < t->n_steps; i++) {
		const struct lab_step *step = &t->steps[i];
		bool *had = step->bare ? &bare : &tunnel;

		if (step->act != LAB_PING || step->fails || *had)
			continue;
		if (!bare && !tunnel)
			lab_heading(&s->l, "Round-trip times");
		*had = true;
		err = series_of(s, step, e);
	}
	return err;
}
