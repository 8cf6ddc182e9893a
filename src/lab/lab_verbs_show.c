/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs of a lab file that show: text, commands, captures, pings, what is expected. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lab/lab_file_impl.h"
#include "lib/types.h"

int file_read_title(struct file_reader *r, const struct file_line *l)
{
	r->t->title = l->rest;
	return 0;
}

/* The rest of the line and the block as paragraphs: lines are joined, empty ones part. */
static const char *flow(struct file_reader *r, const struct file_line *l)
{
	const char *all = file_keep(r->t, "%s%s%s", l->rest, *l->rest && l->block ? "\n" : "",
				    l->block ? l->block : "");
	char *out = (char *)all, *in = out;

	for (; in && *in; in++) {
		if (*in == '\n' && in[1] != '\n')
			*out++ = ' ';
		else if (*in == '\n')
			*out++ = '\n', in += strspn(in, "\n") - 1;
		else
			*out++ = *in;
	}
	if (out)
		*out = '\0';
	return all;
}

int file_read_about(struct file_reader *r, const struct file_line *l)
{
	r->t->about = flow(r, l);
	return r->t->about ? 0 : file_no_memory(r);
}

int file_read_overhead(struct file_reader *r, const struct file_line *l)
{
	r->t->overhead = l->rest;
	return 0;
}

int file_read_picture(struct file_reader *r, const struct file_line *l)
{
	r->t->picture = l->block ? l->block : l->rest;
	return 0;
}

static int read_text(struct file_reader *r, const struct file_line *l, enum lab_act act)
{
	struct lab_step *s = file_step(r, l, act);

	if (!s)
		return -EINVAL;
	s->text = flow(r, l);
	return s->text ? 0 : file_no_memory(r);
}

int file_read_section(struct file_reader *r, const struct file_line *l)
{
	return read_text(r, l, LAB_SECTION);
}

int file_read_say(struct file_reader *r, const struct file_line *l)
{
	return read_text(r, l, LAB_SAY);
}

static int add_run(struct file_reader *r, const struct file_line *l, bool fails)
{
	int net = file_net(r, l, 1, strlen(l->w[1].s));
	bool ip = net >= 0 && !strcmp(l->w[2].s, "ip");
	const char *rest = net < 0 ? NULL : file_join(r, l, ip ? 3 : 2);
	struct lab_step *s = rest ? file_step(r, l, LAB_RUN) : NULL;

	if (!s)
		return -EINVAL;
	s->net = net;
	s->fails = fails;
	s->text = file_keep(r->t, ip ? "ip -n {%s} %s" : "ip netns exec {%s} %s", file_role(r, net),
			    rest);
	return s->text ? 0 : file_no_memory(r);
}

/* run NET COMMAND */
int file_read_run(struct file_reader *r, const struct file_line *l)
{
	return add_run(r, l, false);
}

/* fails NET COMMAND */
int file_read_fails(struct file_reader *r, const struct file_line *l)
{
	return add_run(r, l, true);
}

static void end_building(struct file_reader *r)
{
	struct lab_topo *t = r->t;
	int n = t->n_steps;

	/* the heading before it belongs to the show, not to `lab up` */
	if (n && t->steps[n - 1].act == LAB_SECTION)
		n--;
	if (!r->done_building)
		t->n_build = n;
	r->done_building = true;
}

/* capture NET:DEV */
int file_read_capture(struct file_reader *r, const struct file_line *l)
{
	struct file_place p;
	struct lab_step *s;

	if (file_place(r, l, 1, &p))
		return -EINVAL;
	if (lab_topo_capture(r->t))
		return file_wrong(r, l, 0, "a second capture: a lab has one");
	if (file_dev(r->t, &p) < 0)
		return file_wrong(r, l, 1, "there is no device %s", l->w[1].s);
	end_building(r);
	s = file_step(r, l, LAB_CAPTURE);
	if (!s)
		return -EINVAL;
	s->net = p.net;
	s->dev = p.dev;
	return 0;
}

/* The options of a ping as ping(8) has them. */
static const struct {
	const char *word, *option;
} ping_options[] = {{"size", "-s"}, {"from", "-I"}, {"ttl", "-t"}};

struct ping {
	const char *count;
	char options[128];
	bool bare, lost;
};

/* The word at i, and its value if it has one; the words taken, or -EINVAL. */
static int ping_word(struct file_reader *r, const struct file_line *l, int i, struct ping *p)
{
	const char *word = l->w[i].s, *value = i + 1 < l->n ? l->w[i + 1].s : NULL;
	size_t n = strlen(p->options);

	if (!strcmp(word, "bare") || !strcmp(word, "lost")) {
		*(word[0] == 'b' ? &p->bare : &p->lost) = true;
		return 1;
	}
	if (!strcmp(word, "df")) {
		snprintf(p->options + n, sizeof(p->options) - n, " -M do");
		return 1;
	}
	if (!strcmp(word, "count") && value) {
		p->count = value;
		return 2;
	}
	for (size_t k = 0; value && k < countof(ping_options); k++) {
		if (strcmp(word, ping_options[k].word))
			continue;
		snprintf(p->options + n, sizeof(p->options) - n, " %s %.40s",
			 ping_options[k].option, value);
		return 2;
	}
	return file_wrong(r, l, i,
			  "not `bare`, `lost`, `df`, `count N`, `size N`, `from ADDR`, `ttl N`");
}

/* ping NET ADDR [bare] [lost] [df] [count N] [size N] [from ADDR] [ttl N] */
int file_read_ping(struct file_reader *r, const struct file_line *l)
{
	struct ping p = {.count = "1"};
	int net = file_net(r, l, 1, strlen(l->w[1].s)), n;
	struct lab_step *s;

	if (net < 0)
		return -EINVAL;
	for (int i = 3; i < l->n; i += n) {
		n = ping_word(r, l, i, &p);
		if (n < 0)
			return n;
	}
	end_building(r);
	s = file_step(r, l, LAB_PING);
	if (!s)
		return -EINVAL;
	s->net = net;
	s->bare = p.bare;
	s->fails = p.lost;
	s->target = l->w[2].s;
	s->text = file_keep(r->t, "ip netns exec {%s} ping -n -c %.9s -W %s%s %s",
			    file_role(r, net), p.count, p.lost ? "1" : "2", p.options, s->target);
	return s->text ? 0 : file_no_memory(r);
}

int file_read_explain(struct file_reader *r, const struct file_line *l)
{
	if (!lab_topo_capture(r->t))
		return file_wrong(r, l, 0, "nothing has been captured (`capture NET:DEV`)");
	return file_step(r, l, LAB_EXPLAIN) ? 0 : -EINVAL;
}

/* expect sum TEXT | layers A/B/C | output TEXT */
int file_read_expect(struct file_reader *r, const struct file_line *l)
{
	static const char *const kinds[] = {
		[EXPECT_SUM] = "sum", [EXPECT_LAYERS] = "layers", [EXPECT_OUTPUT] = "output"};
	const char *rest = l->rest;
	struct lab_step *s;

	for (size_t k = 0; k < countof(kinds); k++) {
		size_t n = strlen(kinds[k]);

		if (strncmp(rest, kinds[k], n) != 0 || rest[n] != ' ')
			continue;
		s = file_step(r, l, LAB_EXPECT);
		if (!s)
			return -EINVAL;
		s->expect = (enum lab_expect)k;
		s->text = rest + n + 1;
		return 0;
	}
	return file_wrong(r, l, 1, "not `sum TEXT`, `layers A/B/C`, `output TEXT`");
}
