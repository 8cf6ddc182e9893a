/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verbs of a lab file. Those that build become the commands that a person
 * would type; each device's place and addresses are noted for the pictures.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lab/lab_file_impl.h"
#include "lib/types.h"
#include "model/grammar.h"

/* Add a command that builds; text and undo are the lab's strings. */
static int step_do(struct file_reader *r, const struct file_line *l, const char *text,
		   const char *undo)
{
	struct lab_step *s = file_step(r, l, LAB_DO);

	if (!s)
		return -EINVAL;
	s->text = text;
	s->undo = undo;
	return text ? 0 : file_no_memory(r);
}

/* A new device at word i; its index, or -EINVAL. */
static int dev_new(struct file_reader *r, const struct file_line *l, int i, struct file_place *p)
{
	struct lab_topo *t = r->t;

	if (file_place(r, l, i, p))
		return -EINVAL;
	if (file_dev(t, p) >= 0)
		return file_wrong(r, l, i, "there is a device %s already", l->w[i].s);
	if (t->n_devs == LAB_DEVS)
		return file_wrong(r, l, i, "more than %d devices", LAB_DEVS);
	t->devs[t->n_devs] = (struct lab_dev){.net = p->net, .name = p->dev, .peer = -1};
	return t->n_devs++;
}

/* net NAME [forward] [ipv6] */
static int read_net(struct file_reader *r, const struct file_line *l)
{
	struct lab_net net = {.role = l->w[1].s};
	struct lab_topo *t = r->t;
	bool ipv6 = false;
	int err;

	if (!lab_id_is_valid(net.role) || !strcmp(net.role, "datapath"))
		return file_wrong(r, l, 1, "a namespace's name is up to %d of a-z and 0-9",
				  LAB_ROLE_MAX);
	if (lab_topo_net(t, net.role, strlen(net.role)) >= 0)
		return file_wrong(r, l, 1, "there is a namespace %s already", net.role);
	for (int i = 2; i < l->n; i++) {
		bool six = !strcmp(l->w[i].s, "ipv6");

		if (!six && strcmp(l->w[i].s, "forward"))
			return file_wrong(r, l, i, "not `forward` nor `ipv6`");
		*(six ? &ipv6 : &net.forwards) = true;
	}
	if (t->n_nets == LAB_NETS)
		return file_wrong(r, l, 0, "more than %d namespaces", LAB_NETS);
	t->nets[t->n_nets++] = net;
	err = step_do(r, l, file_keep(t, "ip netns add {%s}", net.role),
		      file_keep(t, "ip netns del {%s}", net.role));
	/* no router solicitations or the like between what we want to see */
	return err ? err
		   : step_do(r, l,
			     file_keep(t, "ip netns exec {%s} sysctl -eqw %s%s%s", net.role,
				       ipv6 ? "net.ipv6.conf.default.accept_dad=0"
					    : "net.ipv6.conf.default.disable_ipv6=1",
				       net.forwards ? " net.ipv4.ip_forward=1" : "",
				       net.forwards && ipv6 ? " net.ipv6.conf.all.forwarding=1"
							    : ""),
			     NULL);
}

/* An address of device d at word i, with what follows it there. */
static int add_addr(struct file_reader *r, const struct file_line *l, int i, int d)
{
	struct lab_dev *dev = &r->t->devs[d];
	const char *rest = file_join(r, l, i);

	if (dev->n_addrs == LAB_ADDRS)
		return file_wrong(r, l, i, "more than %d addresses", LAB_ADDRS);
	dev->addr[dev->n_addrs++] = l->w[i].s;
	return rest ? step_do(r, l,
			      file_keep(r->t, "ip -n {%s} addr add %s dev %s%s",
					file_role(r, dev->net), rest, dev->name,
					strchr(l->w[i].s, ':') ? " nodad" : ""),
			      NULL)
		    : -EINVAL;
}

/* The words of a link that are addresses: each has a slash. */
static int add_addrs(struct file_reader *r, const struct file_line *l, int from, int d)
{
	int err = 0;

	for (int i = from; !err && i < l->n && strchr(l->w[i].s, '/'); i++) {
		struct file_line one = *l;

		one.n = i + 1;
		err = add_addr(r, &one, i, d);
	}
	return err;
}

/*
 * What `ip link` reads before a name of letters alone: such may be the beginning of a
 * word of its own.
 */
static const char *name_word(const char *dev, const char *word)
{
	return dev[strspn(dev, "abcdefghijklmnopqrstuvwxyz")] ? "" : word;
}

static int set_up(struct file_reader *r, const struct file_line *l, const struct file_place *p,
		  const char *mtu)
{
	return step_do(r, l,
		       file_keep(r->t, "ip -n {%s} link set %s%s%s%s up", file_role(r, p->net),
				 name_word(p->dev, "dev "), p->dev, mtu ? " mtu " : "",
				 mtu ? mtu : ""),
		       NULL);
}

/* link NET:DEV [ADDR/LEN]... NET:DEV [ADDR/LEN]... [mtu N] */
static int read_link(struct file_reader *r, const struct file_line *l)
{
	struct file_place p[2];
	int d[2], second = 2, at = 0, err;
	const char *mtu = NULL;

	while (second < l->n && strchr(l->w[second].s, '/'))
		second++;
	for (at = second + 1; at < l->n && strchr(l->w[at].s, '/');)
		at++;
	if (at < l->n && (strcmp(l->w[at].s, "mtu") || at + 2 != l->n))
		return file_wrong(r, l, at, "not an address with its length, nor `mtu N`");
	if (at < l->n)
		mtu = l->w[at + 1].s;
	if ((d[0] = dev_new(r, l, 1, &p[0])) < 0 || (d[1] = dev_new(r, l, second, &p[1])) < 0)
		return -EINVAL;
	r->t->devs[d[0]].peer = d[1];
	r->t->devs[d[1]].peer = d[0];
	err = step_do(r, l,
		      file_keep(r->t, "ip -n {%s} link add %s%s type veth peer name %s netns {%s}",
				file_role(r, p[0].net), name_word(p[0].dev, "name "), p[0].dev,
				p[1].dev, file_role(r, p[1].net)),
		      NULL);
	for (int i = 0; !err && i < 2; i++) {
		err = add_addrs(r, l, i ? second + 1 : 2, d[i]);
		if (!err)
			err = set_up(r, l, &p[i], mtu);
	}
	return err;
}

/* addr NET:DEV ADDR [WORDS of ip addr] */
static int read_addr(struct file_reader *r, const struct file_line *l)
{
	struct file_place p;
	int d;

	if (file_place(r, l, 1, &p))
		return -EINVAL;
	d = file_dev(r->t, &p);
	if (d < 0)
		return file_wrong(r, l, 1, "there is no device %s (`link` and `tunnel` make them)",
				  l->w[1].s);
	return add_addr(r, l, 2, d);
}

/* route NET WORDS of ip route */
static int read_route(struct file_reader *r, const struct file_line *l)
{
	int net = file_net(r, l, 1, strlen(l->w[1].s));
	const char *rest = net < 0 ? NULL : file_join(r, l, 2);

	return rest ? step_do(r, l,
			      file_keep(r->t, "ip -n {%s} route add %s", file_role(r, net), rest),
			      NULL)
		    : -EINVAL;
}

/* Hold the words of a tunnel against the grammar: what `tunl add` would say. */
static int check_tunnel(struct file_reader *r, const struct file_line *l, const char *dev)
{
	const struct grammar g = {.dialect = DIALECT_TUNL, .verb = VERB_ADD};
	char *words[LAB_WORDS + 1] = {(char *)dev};
	struct tunnel_cfg cfg;
	struct err why = {0};
	int n = 1;

	for (int i = 2; i < l->n; i++)
		words[n++] = (char *)l->w[i].s;
	if (grammar_read(&g, n, words, &cfg, &why) == 0)
		return 0;
	why.text[strcspn(why.text, "\n")] = '\0';
	/* at the word that the message quotes, if it does */
	for (int i = 2; i < l->n; i++) {
		char quoted[80];

		snprintf(quoted, sizeof(quoted), "\"%.60s\"", l->w[i].s);
		if (strstr(why.text, quoted))
			return file_wrong(r, l, i, "%.150s", why.text);
	}
	return file_wrong(r, l, 2, "%.150s", why.text[0] ? why.text : "no tunnel");
}

/* tunnel NET:DEV WORDS of tunl add */
static int read_tunnel(struct file_reader *r, const struct file_line *l)
{
	struct file_place p;
	const char *rest, *datapath;
	int d = dev_new(r, l, 1, &p), err;

	if (d < 0 || check_tunnel(r, l, p.dev))
		return -EINVAL;
	rest = file_join(r, l, 2);
	if (!rest)
		return -EINVAL;
	r->t->devs[d].tunnel = rest;
	datapath = strstr(rest, "datapath ") ? "" : " {datapath}";
	err = step_do(
		r, l,
		file_keep(r->t, "ip netns exec {%s} tunl add %s %s%s", file_role(r, p.net), p.dev,
			  rest, datapath),
		file_keep(r->t, "ip netns exec {%s} tunl del %s", file_role(r, p.net), p.dev));
	return err ? err : set_up(r, l, &p, NULL);
}

static const struct file_verb verbs[] = {
	{"title", 0, TAKES_LINE, "TEXT", file_read_title},
	{"about", 0, TAKES_BLOCK, "TEXT", file_read_about},
	{"picture", 0, TAKES_BLOCK, "LINES", file_read_picture},
	{"overhead", 0, TAKES_LINE, "TEXT", file_read_overhead},
	{"section", 0, TAKES_LINE, "TEXT", file_read_section},
	{"say", 0, TAKES_BLOCK, "TEXT", file_read_say},
	{"net", 1, TAKES_WORDS, "NAME [forward] [ipv6]", read_net},
	{"link", 2, TAKES_WORDS, "NET:DEV [ADDR/LEN]... NET:DEV [ADDR/LEN]... [mtu N]", read_link},
	{"addr", 2, TAKES_WORDS, "NET:DEV ADDR [peer ADDR]", read_addr},
	{"route", 2, TAKES_WORDS, "NET ROUTE", read_route},
	{"tunnel", 2, TAKES_WORDS, "NET:DEV TUNNEL", read_tunnel},
	{"run", 2, TAKES_WORDS, "NET COMMAND", file_read_run},
	{"fails", 2, TAKES_WORDS, "NET COMMAND", file_read_fails},
	{"capture", 1, TAKES_WORDS, "NET:DEV", file_read_capture},
	{"ping", 2, TAKES_WORDS, "NET ADDR [OPTIONS]", file_read_ping},
	{"explain", 0, TAKES_WORDS, "", file_read_explain},
	{"expect", 0, TAKES_LINE, "sum|layers|output TEXT", file_read_expect},
};

const struct file_verb *file_verb_find(const char *word)
{
	for (size_t i = 0; i < countof(verbs); i++)
		if (!strcmp(verbs[i].word, word))
			return &verbs[i];
	return NULL;
}
