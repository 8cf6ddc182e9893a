/* SPDX-License-Identifier: BSD-2-Clause */
#include "live_world.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/text.h"
#include "wire/ip4.h"

enum { MARK_TABLE = 2000 };

/* The value behind a word, or NULL. */
static const char *value_of(char **w, unsigned n, const char *word)
{
	for (unsigned i = 2; i + 1 < n; i++)
		if (!strcmp(w[i], word))
			return w[i + 1];
	return NULL;
}

static bool has_word(char **w, unsigned n, const char *word)
{
	for (unsigned i = 2; i < n; i++)
		if (!strcmp(w[i], word))
			return true;
	return false;
}

/* ` WORD VALUE` where there is a value. */
static const char *pair(char *buf, size_t size, const char *word, const char *value)
{
	snprintf(buf, size, value ? " %s %s" : "", word, value);
	return buf;
}

static void line_route(struct net *n, char **w, unsigned count)
{
	const char *mark = value_of(w, count, "mark"), *mtu = value_of(w, count, "mtu");
	const char *type = value_of(w, count, "type"), *src = value_of(w, count, "src");
	const char *dev = value_of(w, count, "dev"), *via = value_of(w, count, "via");
	char text[4][64], table[24] = "main";

	dev = dev ? dev : "eth0";
	if (type && !strcmp(type, "unreachable")) {
		net_ip(n, "route replace unreachable %s", w[1]);
		return;
	}
	if (mark) {
		snprintf(table, sizeof(table), "%d", MARK_TABLE + atoi(mark));
		net_ip(n, "rule add pref 50 fwmark %s lookup %s", mark, table);
	}
	if (src) /* a route cannot name another */
		net_ip(n, "addr replace %s/32 dev %s", src, dev);
	net_ip(n, "route replace %s %s%s dev %s%s%s%s table %s", type ? type : "", w[1],
	       pair(text[0], sizeof(text[0]), "via", via), dev, via ? " onlink" : "",
	       pair(text[1], sizeof(text[1]), "src", src),
	       pair(text[2], sizeof(text[2]), has_word(w, count, "lock") ? "mtu lock" : "mtu", mtu),
	       table);
}

static void line_noroute(struct net *n, char **w, unsigned count)
{
	(void)count;
	net_ip(n, "route del %s", w[1]);
}

static void line_local(struct net *n, char **w, unsigned count)
{
	const char *dev = value_of(w, count, "dev");

	net_ip(n, "addr replace %s/32 dev %s", w[1], dev ? dev : "eth0");
}

static void line_nolocal(struct net *n, char **w, unsigned count)
{
	(void)count;
	/* as it was given, whatever its length */
	net_ip(n, "addr flush to %s", w[1]);
}

static void line_link(struct net *n, char **w, unsigned count)
{
	(void)count;
	if (!if_nametoindex(w[1]))
		net_tap(n, w[1], 0, (u32)atoi(w[3]));
	else
		net_ip(n, "link set dev %s mtu %s", w[1], w[3]);
}

/* As a route's property: it has the same effect as one that was learned. */
static void learn(struct net *n, const struct world *w, char **words, unsigned count)
{
	struct route_key key = {0};
	char text[ADDR4_TEXT];
	struct route rt;

	addr4_parse(words[1], &key.dst);
	world_route(w, &key, &rt);
	for (u32 i = 0; i < w->ndevices; i++)
		if (w->device[i].ifindex == rt.oif)
			net_ip(n, "route replace %s/32 dev %s%s%s%s mtu %s%s", words[1],
			       w->device[i].name, rt.has_via ? " via " : "",
			       rt.has_via ? addr4_print(rt.via, text) : "",
			       rt.has_via ? " onlink" : "",
			       has_word(words, count, "lock") ? "lock " : "", words[3]);
}

static void line_route6(struct net *n, char **w, unsigned count)
{
	char text[64];

	net_ip6(n, "route replace %s%s dev %s", w[1],
		pair(text, sizeof(text), "via", value_of(w, count, "via")),
		value_of(w, count, "dev"));
}

static void line_addr6(struct net *n, char **w, unsigned count)
{
	net_ip6(n, "addr replace %s dev %s nodad", w[1], value_of(w, count, "dev"));
}

static void line_neigh(struct net *n, char **w, unsigned count)
{
	(strchr(w[1], ':') ? net_ip6 : net_ip)(n, "neigh replace %s lladdr %s dev %s nud permanent",
					       w[1], value_of(w, count, "lladdr"),
					       value_of(w, count, "dev"));
}

static const struct {
	const char *word;
	void (*fn)(struct net *n, char **w, unsigned count);
} lines[] = {
	{"route", line_route},	   {"noroute", line_noroute}, {"local", line_local},
	{"nolocal", line_nolocal}, {"link", line_link},	      {"route6", line_route6},
	{"neigh", line_neigh},	   {"addr6", line_addr6},
};

const char *live_world_line(struct net *n, const struct world *w, char **words, unsigned count)
{
	if (!strcmp(words[0], "learn"))
		learn(n, w, words, count);
	for (size_t i = 0; i < countof(lines); i++)
		if (!strcmp(lines[i].word, words[0]))
			lines[i].fn(n, words, count);
	return net_do(n) ? "the kernel does not take it" : NULL;
}

static void add_gre(struct text *t, const struct tunnel_cfg *cfg)
{
	static const struct {
		u16 flag;
		const char *word;
	} flags[] = {{TUNL_F_CSUM, "csum"}, {TUNL_F_SEQ, "seq"}};

	text_add(t, cfg->iflags & TUNL_F_KEY ? " ikey %u" : " noikey", be32_host(cfg->ikey));
	text_add(t, cfg->oflags & TUNL_F_KEY ? " okey %u" : " nookey", be32_host(cfg->okey));
	for (size_t i = 0; i < countof(flags); i++) {
		text_add(t, " %si%s", cfg->iflags & flags[i].flag ? "" : "no", flags[i].word);
		text_add(t, " %so%s", cfg->oflags & flags[i].flag ? "" : "no", flags[i].word);
	}
	text_add(t, cfg->ignore_df ? " ignore-df" : " noignore-df");
}

static void add_proto(struct text *t, const struct tunnel_cfg *cfg)
{
	text_add(t, " mode %s",
		 cfg->proto == PROTO_ANY    ? "any"
		 : cfg->proto == PROTO_MPLS ? "mplsip"
		 : cfg->proto == PROTO_IPV6 ? "ip6ip"
					    : "ipip");
}

void live_6rd_words(const struct sixrd *s, char *buf, size_t size)
{
	char addr[ADDR6_TEXT];
	struct text t;

	text_init(&t, buf, size);
	text_add(&t, "6rd-prefix %s/%u", addr6_print(s->prefix, addr), s->prefix_len);
	text_add(&t, " 6rd-relay_prefix %s/%u", addr4_print(s->relay, addr), s->relay_len);
}

static void add_sit(struct text *t, const struct tunnel_cfg *cfg)
{
	char words[128];

	live_6rd_words(&cfg->sixrd, words, sizeof(words));
	text_add(t, "%s %s", cfg->mode == MODE_ISATAP ? " isatap" : "", words);
}

const char *live_link_words(const struct tunnel_cfg *cfg, char *buf, size_t size)
{
	bool is_sit = cfg->mode == MODE_SIT || cfg->mode == MODE_ISATAP;
	char addr[ADDR4_TEXT];
	struct text t;

	text_init(&t, buf, size);
	text_add(&t, "type %s", is_sit ? "sit" : cfg->mode == MODE_GRE ? "gre" : "ipip");
	text_add(&t, " remote %s",
		 be32_is_zero(cfg->remote) ? "any" : addr4_print(cfg->remote, addr));
	text_add(&t, " local %s", be32_is_zero(cfg->local) ? "any" : addr4_print(cfg->local, addr));
	if (cfg->dev[0])
		text_add(&t, " dev %s", cfg->dev);
	text_add(&t, cfg->ttl ? " ttl %u" : " ttl inherit", cfg->ttl);
	text_add(&t, cfg->tos == TUNL_TOS_INHERIT ? " tos inherit" : " tos 0x%x", cfg->tos);
	text_add(&t, cfg->pmtudisc ? " pmtudisc" : " nopmtudisc");
	text_add(&t, " fwmark %u", cfg->fwmark);
	if (cfg->mode == MODE_GRE)
		add_gre(&t, cfg);
	else
		add_proto(&t, cfg);
	if (is_sit)
		add_sit(&t, cfg);
	return buf;
}
