/* SPDX-License-Identifier: BSD-2-Clause */
/* Printing a tunnel of a configuration as a line: the inverse of conf_read(). */
#include <arpa/inet.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/text.h"
#include "model/conf.h"
#include "model/grammar.h"

static void print_net(struct text *t, const struct conf_net *n, bool with_len)
{
	char addr[ADDR6_TEXT];

	inet_ntop(n->family, n->addr, addr, sizeof(addr));
	text_add(t, "%s", addr);
	if (with_len)
		text_add(t, "/%u", n->len);
}

static void print_addrs(struct text *t, const struct conf_tunnel *ct)
{
	for (u32 i = 0; i < ct->naddrs; i++) {
		text_add(t, " address ");
		print_net(t, &ct->addr[i].local, true);
		if (!ct->addr[i].peer.family)
			continue;
		text_add(t, " peer ");
		print_net(t, &ct->addr[i].peer, true);
	}
}

static void print_route(struct text *t, const struct conf_route *r)
{
	text_add(t, " route ");
	print_net(t, &r->dst, true);
	if (r->via.family) {
		text_add(t, " via ");
		print_net(t, &r->via, false);
	}
	if (r->src.family) {
		text_add(t, " src ");
		print_net(t, &r->src, false);
	}
	if (r->metric)
		text_add(t, " metric %u", r->metric);
	if (r->table)
		text_add(t, " table %u", r->table);
	if (r->onlink)
		text_add(t, " onlink");
}

/* The newest router stands first in the list, and is to be added last. */
static void print_routers(struct text *t, const struct prl *p)
{
	char addr[ADDR4_TEXT];

	for (u32 i = p ? p->n : 0; i > 0; i--)
		text_add(t, " %s %s", p->entry[i - 1].is_default ? "prl-default" : "prl-nodefault",
			 addr4_print(p->entry[i - 1].addr, addr));
}

static void print_ends(struct text *t, const struct conf_tunnel *ct)
{
	if (ct->host)
		text_add(t, " remote %s", ct->host);
	if (ct->local_dev[0])
		text_add(t, " local dev %s", ct->local_dev);
}

/* What a name needs before it to be read as one. */
static const char *name_prefix(const char *name)
{
	return name[0] && strchr("#{}\\", name[0]) ? "\\" : conf_is_word(name) ? "name " : "";
}

size_t conf_print(const struct conf_tunnel *ct, char *buf, size_t size)
{
	struct tunnel_cfg cfg = ct->cfg;
	char line[GRAMMAR_LINE];
	struct text t;

	/* what a name or a device stands for at the moment is not what was written */
	if (ct->host)
		cfg.remote = be32_of(0);
	if (ct->local_dev[0])
		cfg.local = be32_of(0);
	grammar_print(&cfg, line, sizeof(line));
	text_init(&t, buf, size);
	text_add(&t, "%s%s", name_prefix(cfg.name), line);
	print_ends(&t, ct);
	print_routers(&t, ct->routers);
	if (ct->netns[0])
		text_add(&t, " netns %s", ct->netns);
	if (ct->mtu)
		text_add(&t, " mtu %u", ct->mtu);
	print_addrs(&t, ct);
	for (u32 i = 0; i < ct->nroutes; i++)
		print_route(&t, &ct->route[i]);
	if (ct->up)
		text_add(&t, " up");
	return t.len;
}
