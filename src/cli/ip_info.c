/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The items of a tunnel's detail line and of its JSON linkinfo: one table, one
 * row an item, in the order in which iproute2 prints them (spec cli 3.4).
 */
#include <string.h>

#include "cli/ip_detail.h"
#include "lib/addr.h"
#include "mode/mode.h"
#include "model/grammar.h"
#include "model/rules.h"
#include "wire/ip4.h"

enum { IPTNL = 1, GRE = 2, VTI = 4, ALL = 7 };

struct item {
	const char *key; /* in JSON */
	unsigned kinds;
	/* Append the words to t; the JSON value, or NULL: none. */
	json_t *(*print)(const struct tunnel_cfg *cfg, struct text *t);
};

static json_t *print_proto(const struct tunnel_cfg *cfg, struct text *t)
{
	static const struct {
		u8 proto;
		const char *word;
	} words[] = {{PROTO_IPIP, "ipip"},
		     {PROTO_IPV6, "ip6ip"},
		     {PROTO_MPLS, "mplsip"},
		     {PROTO_ANY, "any"}};
	size_t i;

	for (i = 0; i < countof(words) - 1 && words[i].proto != cfg->proto; i++)
		;
	text_add(t, "%s ", words[i].word);
	return json_string(words[i].word);
}

static json_t *print_addr(const char *word, be32 addr, struct text *t)
{
	char buf[ADDR4_TEXT];

	text_add(t, "%s %s ", word, addr4_any(addr, buf));
	return json_string(buf);
}

static json_t *print_remote(const struct tunnel_cfg *cfg, struct text *t)
{
	return print_addr("remote", cfg->remote, t);
}

static json_t *print_local(const struct tunnel_cfg *cfg, struct text *t)
{
	return print_addr("local", cfg->local, t);
}

static json_t *print_dev(const struct tunnel_cfg *cfg, struct text *t)
{
	if (!cfg->dev[0])
		return NULL;
	text_add(t, "dev %s ", cfg->dev);
	return json_string(cfg->dev);
}

static json_t *print_ttl(const struct tunnel_cfg *cfg, struct text *t)
{
	if (cfg->ttl)
		text_add(t, "ttl %u ", cfg->ttl);
	else
		text_add(t, "ttl inherit ");
	return json_integer(cfg->ttl);
}

/* Never by name, and "inherit" only for exactly that. */
static json_t *print_tos(const struct tunnel_cfg *cfg, struct text *t)
{
	if (!cfg->tos)
		return NULL;
	if (cfg->tos == TUNL_TOS_INHERIT)
		text_add(t, "tos inherit ");
	else
		text_add(t, "tos 0x%x ", cfg->tos);
	return json_sprintf("0x%x", cfg->tos);
}

static json_t *print_pmtudisc(const struct tunnel_cfg *cfg, struct text *t)
{
	text_add(t, cfg->pmtudisc ? "pmtudisc " : "nopmtudisc ");
	return json_boolean(cfg->pmtudisc);
}

static json_t *print_gre_pmtudisc(const struct tunnel_cfg *cfg, struct text *t)
{
	if (!cfg->pmtudisc)
		text_add(t, "nopmtudisc ");
	return json_boolean(cfg->pmtudisc);
}

static json_t *print_flag(bool set, const char *word, struct text *t)
{
	if (!set)
		return NULL;
	text_add(t, "%s ", word);
	return json_true();
}

static json_t *print_ignore_df(const struct tunnel_cfg *cfg, struct text *t)
{
	return print_flag(cfg->ignore_df, "ignore-df", t);
}

static json_t *print_isatap(const struct tunnel_cfg *cfg, struct text *t)
{
	return print_flag(cfg->mode == MODE_ISATAP, "isatap", t);
}

static bool has_6rd(const struct tunnel_cfg *cfg)
{
	return mode_info(cfg->mode)->has_6rd && cfg->sixrd.prefix_len;
}

static bool has_relay(const struct tunnel_cfg *cfg)
{
	return has_6rd(cfg) && !be32_is_zero(cfg->sixrd.relay);
}

static json_t *print_prefix(const struct tunnel_cfg *cfg, struct text *t)
{
	char buf[ADDR6_TEXT];

	if (!has_6rd(cfg))
		return NULL;
	text_add(t, "6rd-prefix %s/%u ", addr6_print(cfg->sixrd.prefix, buf),
		 cfg->sixrd.prefix_len);
	return json_string(buf);
}

static json_t *print_prefixlen(const struct tunnel_cfg *cfg, struct text *t)
{
	(void)t;
	return has_6rd(cfg) ? json_integer(cfg->sixrd.prefix_len) : NULL;
}

static json_t *print_relay(const struct tunnel_cfg *cfg, struct text *t)
{
	char buf[ADDR4_TEXT];

	if (!has_relay(cfg))
		return NULL;
	text_add(t, "6rd-relay_prefix %s/%u ", addr4_print(cfg->sixrd.relay, buf),
		 cfg->sixrd.relay_len);
	return json_string(buf);
}

static json_t *print_relaylen(const struct tunnel_cfg *cfg, struct text *t)
{
	(void)t;
	return has_relay(cfg) ? json_integer(cfg->sixrd.relay_len) : NULL;
}

/* Keys are dotted here. vti does not tell a zero one. */
static json_t *print_key(const char *word, bool set, be32 key, struct text *t)
{
	char buf[ADDR4_TEXT];

	if (!set)
		return NULL;
	text_add(t, "%s %s ", word, addr4_print(key, buf));
	return json_string(buf);
}

static json_t *print_ikey(const struct tunnel_cfg *cfg, struct text *t)
{
	bool set = cfg->mode == MODE_VTI ? !be32_is_zero(cfg->ikey) : cfg->iflags & TUNL_F_KEY;

	return print_key("ikey", set, cfg->ikey, t);
}

static json_t *print_okey(const struct tunnel_cfg *cfg, struct text *t)
{
	bool set = cfg->mode == MODE_VTI ? !be32_is_zero(cfg->okey) : cfg->oflags & TUNL_F_KEY;

	return print_key("okey", set, cfg->okey, t);
}

static json_t *print_iseq(const struct tunnel_cfg *cfg, struct text *t)
{
	return print_flag(cfg->iflags & TUNL_F_SEQ, "iseq", t);
}

static json_t *print_oseq(const struct tunnel_cfg *cfg, struct text *t)
{
	return print_flag(cfg->oflags & TUNL_F_SEQ, "oseq", t);
}

static json_t *print_icsum(const struct tunnel_cfg *cfg, struct text *t)
{
	return print_flag(cfg->iflags & TUNL_F_CSUM, "icsum", t);
}

static json_t *print_ocsum(const struct tunnel_cfg *cfg, struct text *t)
{
	return print_flag(cfg->oflags & TUNL_F_CSUM, "ocsum", t);
}

static json_t *print_fwmark(const struct tunnel_cfg *cfg, struct text *t)
{
	if (!cfg->fwmark)
		return NULL;
	text_add(t, "fwmark 0x%x ", cfg->fwmark);
	return json_sprintf("0x%x", cfg->fwmark);
}

static const struct item items[] = {
	{"proto", IPTNL, print_proto},
	{"remote", ALL, print_remote},
	{"local", ALL, print_local},
	{"link", ALL, print_dev},
	{"ttl", IPTNL | GRE, print_ttl},
	{"tos", IPTNL | GRE, print_tos},
	{"pmtudisc", IPTNL, print_pmtudisc},
	{"pmtudisc", GRE, print_gre_pmtudisc},
	{"ignore_df", GRE, print_ignore_df},
	{"isatap", IPTNL, print_isatap},
	{"prefix", IPTNL, print_prefix},
	{"prefixlen", IPTNL, print_prefixlen},
	{"relay_prefix", IPTNL, print_relay},
	{"relay_prefixlen", IPTNL, print_relaylen},
	{"ikey", GRE | VTI, print_ikey},
	{"okey", GRE | VTI, print_okey},
	{"iseq", GRE, print_iseq},
	{"oseq", GRE, print_oseq},
	{"icsum", GRE, print_icsum},
	{"ocsum", GRE, print_ocsum},
	{"fwmark", ALL, print_fwmark},
};

static const unsigned kind_of[MODE__MAX] = {
	[MODE_IPIP] = IPTNL, [MODE_SIT] = IPTNL, [MODE_ISATAP] = IPTNL,
	[MODE_GRE] = GRE,    [MODE_VTI] = VTI,
};

/* All items, into t and into data (either may be left unread). */
static void print_items(const struct tunnel_cfg *cfg, struct text *t, json_t *data)
{
	size_t i;

	for (i = 0; i < countof(items); i++)
		if (items[i].kinds & kind_of[cfg->mode])
			json_object_set_new(data, items[i].key, items[i].print(cfg, t));
}

void ip_info_text(const struct tunnel_cfg *cfg, struct text *t)
{
	json_t *data = json_object();

	text_add(t, "%s ", mode_info(cfg->mode)->kind);
	print_items(cfg, t, data);
	json_decref(data);
}

json_t *ip_info_json(const struct tunnel_cfg *cfg)
{
	char unread[GRAMMAR_LINE];
	json_t *data = json_object();
	struct text t;

	text_init(&t, unread, sizeof(unread));
	print_items(cfg, &t, data);
	return json_pack("{s:s,s:o}", "info_kind", mode_info(cfg->mode)->kind, "info_data", data);
}

const char *ip_info_link(const struct tunnel_cfg *cfg)
{
	return cfg->dev[0] ? cfg->dev : "NONE";
}

u32 ip_info_mtu_min(const struct tunnel_cfg *cfg)
{
	return rules_mtu_min(cfg);
}

u32 ip_info_mtu_max(const struct tunnel_cfg *cfg)
{
	const struct mode *mode = mode_by_id(cfg->mode);

	return rules_mtu_max(cfg, mode && mode->hlen ? mode->hlen(cfg) : 0);
}
