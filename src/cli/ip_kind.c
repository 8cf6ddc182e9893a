/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kinds and their options, as tables. The order of options[] is that in
 * which prefixes are tried (gre and vti abbreviate, ipip and sit hardly).
 * Usage, reading and abbreviation come from the one table.
 */
#include "cli/ip_kind.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/tunnel.h"
#include "lib/addr.h"
#include "lib/num.h"
#include "lib/text.h"
#include "mode/mode.h"
#include "model/grammar.h"
#include "model/rules.h"
#include "wire/ip4.h"

enum { K_IPIP = 1, K_SIT = 2, K_GRE = 4, K_VTI = 8 };
enum { K_IPTNL = K_IPIP | K_SIT, K_TTL = K_IPTNL | K_GRE, K_KEY = K_GRE | K_VTI, K_ALL = 15 };
enum { DIR_IN = 1, DIR_OUT = 2, DIR_BOTH = 3 };

struct ip_kind {
	const char *word;
	unsigned bit;
	enum mode_id mode;
	u8 proto;    /* when options are given */
	bool df;     /* likewise */
	u8 bare_ttl; /* without options: the fallback device's */
	bool clamps; /* an MTU out of range is made to fit */
	int (*finish)(struct tunnel_cfg *cfg, struct err *e);
};

struct reading {
	const struct ip_kind *kind;
	struct tunnel_cfg *cfg;
	bool create;
	struct err *e;
};

struct option {
	const char *word;
	const char *arg;     /* what its argument is called in usage; NULL: none */
	unsigned kinds;	     /* that have it */
	unsigned abbreviate; /* that match it by prefix */
	int (*set)(const struct reading *r, const struct option *o, const char *arg);
	u16 flag;
	u8 dirs;
};

static int bad_arg(struct err *e, const char *arg, const char *why)
{
	return err_exit(e, EXIT_SYNTAX, EINVAL, "Error: argument \"%s\" is wrong: %s", arg, why);
}

static int set_nothing(const struct reading *r, const struct option *o, const char *arg)
{
	(void)r, (void)o, (void)arg;
	return 0;
}

static int set_addr(const struct reading *r, const struct option *o, const char *arg)
{
	be32 *to = o->word[0] == 'r' ? &r->cfg->remote : &r->cfg->local;

	if (addr4_parse(arg, to))
		return 0;
	return err_exit(r->e, EXIT_REFUSED, EINVAL,
			"Error: inet address is expected rather than \"%s\".", arg);
}

static int set_dev(const struct reading *r, const struct option *o, const char *arg)
{
	(void)o;
	r->cfg->link = dev_ifindex(NULL, arg);
	if (!r->cfg->link)
		return err_exit(r->e, EXIT_SYNTAX, ENODEV, "Cannot find device \"%s\"", arg);
	dev_name(r->cfg);
	return 0;
}

static int set_ttl(const struct reading *r, const struct option *o, const char *arg)
{
	(void)o;
	if (!strcmp(arg, "inherit")) {
		r->cfg->ttl = 0;
		return 0;
	}
	return field_ttl(arg, &r->cfg->ttl) ? 0 : bad_arg(r->e, arg, "invalid TTL\n");
}

/* Unlike in `ip tunnel` there is no inherit/VALUE. */
static int set_tos(const struct reading *r, const struct option *o, const char *arg)
{
	(void)o;
	if (!strchr(arg, '/') && field_tos(arg, &r->cfg->tos))
		return 0;
	return bad_arg(r->e, arg, "bad TOS value");
}

static int set_pmtudisc(const struct reading *r, const struct option *o, const char *arg)
{
	(void)arg;
	r->cfg->pmtudisc = o->word[0] == 'p';
	return 0;
}

static int set_ignore_df(const struct reading *r, const struct option *o, const char *arg)
{
	(void)arg;
	r->cfg->ignore_df = o->word[0] == 'i';
	return 0;
}

static int set_key(const struct reading *r, const struct option *o, const char *arg)
{
	be32 key;

	if (!field_key(arg, &key)) {
		if (strchr(arg, '.'))
			return err_exit(r->e, EXIT_REFUSED, EINVAL,
					"Error: an IP address is expected rather than \"%s\"", arg);
		return err_exit(
			r->e, EXIT_SYNTAX, EINVAL,
			"invalid value for \"%s\": \"%s\"; it should be an unsigned integer",
			o->word, arg);
	}
	if (o->dirs & DIR_IN) {
		r->cfg->iflags |= TUNL_F_KEY;
		r->cfg->ikey = key;
	}
	if (o->dirs & DIR_OUT) {
		r->cfg->oflags |= TUNL_F_KEY;
		r->cfg->okey = key;
	}
	return 0;
}

static int set_flag(const struct reading *r, const struct option *o, const char *arg)
{
	(void)arg;
	if (o->dirs & DIR_IN)
		r->cfg->iflags |= o->flag;
	if (o->dirs & DIR_OUT)
		r->cfg->oflags |= o->flag;
	return 0;
}

static int clear_flag(const struct reading *r, const struct option *o, const char *arg)
{
	(void)arg;
	if (o->dirs & DIR_IN)
		r->cfg->iflags &= ~o->flag;
	if (o->dirs & DIR_OUT)
		r->cfg->oflags &= ~o->flag;
	return 0;
}

static int set_mode(const struct reading *r, const struct option *o, const char *arg)
{
	static const struct {
		const char *word;
		unsigned kinds;
		u8 proto;
	} modes[] = {
		{"ipv6/ipv4", K_SIT, PROTO_IPV6},   {"ip6ip", K_SIT, PROTO_IPV6},
		{"ipv4/ipv4", K_IPTNL, PROTO_IPIP}, {"ipip", K_IPTNL, PROTO_IPIP},
		{"ip4ip4", K_IPTNL, PROTO_IPIP},    {"mpls/ipv4", K_IPTNL, PROTO_MPLS},
		{"mplsip", K_IPTNL, PROTO_MPLS},    {"any/ipv4", K_IPTNL, PROTO_ANY},
		{"any", K_IPTNL, PROTO_ANY},
	};
	size_t i;

	(void)o;
	for (i = 0; i < countof(modes); i++) {
		if ((modes[i].kinds & r->kind->bit) && !strcmp(arg, modes[i].word)) {
			r->cfg->proto = modes[i].proto;
			return 0;
		}
	}
	return bad_arg(r->e, arg, "Cannot guess tunnel mode.");
}

static int set_isatap(const struct reading *r, const struct option *o, const char *arg)
{
	(void)o, (void)arg;
	if (r->create)
		r->cfg->mode = MODE_ISATAP;
	return 0;
}

static int set_fwmark(const struct reading *r, const struct option *o, const char *arg)
{
	(void)o;
	return num_u32(arg, ~0U, &r->cfg->fwmark) ? 0 : bad_arg(r->e, arg, "invalid fwmark\n");
}

static int bad_prefix(const struct reading *r, const char *family, const char *arg)
{
	return err_exit(r->e, EXIT_REFUSED, EINVAL,
			"Error: %s prefix is expected rather than \"%s\".", family, arg);
}

/* ipip reads the 6rd words, and has no use for them. */
static int set_6rd_prefix(const struct reading *r, const struct option *o, const char *arg)
{
	struct sixrd v = r->cfg->sixrd;

	(void)o;
	if (!prefix6_parse(arg, v.prefix, &v.prefix_len))
		return bad_prefix(r, "inet6", arg);
	if (r->kind->bit & K_SIT)
		r->cfg->sixrd = v;
	return 0;
}

static int set_6rd_relay(const struct reading *r, const struct option *o, const char *arg)
{
	struct sixrd v = r->cfg->sixrd;

	(void)o;
	if (!prefix4_parse(arg, &v.relay, &v.relay_len))
		return bad_prefix(r, "inet", arg);
	if (r->kind->bit & K_SIT)
		r->cfg->sixrd = v;
	return 0;
}

static int set_6rd_reset(const struct reading *r, const struct option *o, const char *arg)
{
	(void)o, (void)arg;
	if (r->kind->bit & K_SIT)
		r->cfg->sixrd = (struct sixrd){.prefix = {0x20, 0x02}, .prefix_len = 16};
	return 0;
}

/* fou and gue never come here: ip_kind_serves(). */
static int set_encap(const struct reading *r, const struct option *o, const char *arg)
{
	(void)o;
	return !strcmp(arg, "none") ? 0 : bad_arg(r->e, arg, "Invalid encap type.");
}

static int set_encap_port(const struct reading *r, const struct option *o, const char *arg)
{
	bool source = o->word[6] == 's';
	u32 port;

	if ((source && !strcmp(arg, "auto")) || num_u32(arg, 0xffff, &port))
		return 0;
	return bad_arg(r->e, arg, source ? "Invalid source port." : "Invalid destination port.");
}

static const struct option options[] = {
	{"key", "KEY", K_KEY, K_KEY, set_key, TUNL_F_KEY, DIR_BOTH},
	{"nokey", NULL, K_GRE, K_GRE, clear_flag, TUNL_F_KEY, DIR_BOTH},
	{"ikey", "KEY", K_KEY, K_KEY, set_key, TUNL_F_KEY, DIR_IN},
	{"noikey", NULL, K_GRE, K_GRE, clear_flag, TUNL_F_KEY, DIR_IN},
	{"okey", "KEY", K_KEY, K_KEY, set_key, TUNL_F_KEY, DIR_OUT},
	{"nookey", NULL, K_GRE, K_GRE, clear_flag, TUNL_F_KEY, DIR_OUT},
	{"seq", NULL, K_GRE, K_GRE, set_flag, TUNL_F_SEQ, DIR_BOTH},
	{"noseq", NULL, K_GRE, K_GRE, clear_flag, TUNL_F_SEQ, DIR_BOTH},
	{"iseq", NULL, K_GRE, K_GRE, set_flag, TUNL_F_SEQ, DIR_IN},
	{"noiseq", NULL, K_GRE, K_GRE, clear_flag, TUNL_F_SEQ, DIR_IN},
	{"oseq", NULL, K_GRE, K_GRE, set_flag, TUNL_F_SEQ, DIR_OUT},
	{"nooseq", NULL, K_GRE, K_GRE, clear_flag, TUNL_F_SEQ, DIR_OUT},
	{"csum", NULL, K_GRE, K_GRE, set_flag, TUNL_F_CSUM, DIR_BOTH},
	{"nocsum", NULL, K_GRE, K_GRE, clear_flag, TUNL_F_CSUM, DIR_BOTH},
	{"icsum", NULL, K_GRE, K_GRE, set_flag, TUNL_F_CSUM, DIR_IN},
	{"noicsum", NULL, K_GRE, K_GRE, clear_flag, TUNL_F_CSUM, DIR_IN},
	{"ocsum", NULL, K_GRE, K_GRE, set_flag, TUNL_F_CSUM, DIR_OUT},
	{"noocsum", NULL, K_GRE, K_GRE, clear_flag, TUNL_F_CSUM, DIR_OUT},
	{"nopmtudisc", NULL, K_TTL, K_GRE, set_pmtudisc},
	{"pmtudisc", NULL, K_TTL, K_GRE, set_pmtudisc},
	{"remote", "ADDR", K_ALL, K_KEY, set_addr},
	{"local", "ADDR", K_ALL, K_KEY, set_addr},
	{"dev", "PHYS_DEV", K_ALL, K_ALL, set_dev},
	{"ttl", "TTL", K_TTL, K_GRE, set_ttl},
	{"hoplimit", "TTL", K_TTL, K_GRE, set_ttl},
	{"hlim", "TTL", K_TTL, K_GRE, set_ttl},
	{"tos", "TOS", K_TTL, K_GRE, set_tos},
	{"tclass", "TOS", K_TTL, K_GRE, set_tos},
	{"tc", "TOS", K_IPTNL, 0, set_tos},
	{"dsfield", "TOS", K_TTL, K_TTL, set_tos},
	{"ignore-df", NULL, K_GRE, 0, set_ignore_df},
	{"noignore-df", NULL, K_GRE, 0, set_ignore_df},
	{"mode", "MODE", K_IPTNL, 0, set_mode},
	{"isatap", NULL, K_SIT, 0, set_isatap},
	{"6rd-prefix", "PREFIX", K_IPTNL, 0, set_6rd_prefix},
	{"6rd-relay_prefix", "PREFIX", K_IPTNL, 0, set_6rd_relay},
	{"6rd-reset", NULL, K_IPTNL, 0, set_6rd_reset},
	{"fwmark", "MARK", K_ALL, 0, set_fwmark},
	{"external", NULL, K_TTL, 0, set_nothing},
	{"encap", "{ fou | gue | none }", K_TTL, 0, set_encap},
	{"noencap", NULL, K_TTL, 0, set_nothing},
	{"encap-sport", "PORT", K_TTL, 0, set_encap_port},
	{"encap-dport", "PORT", K_TTL, 0, set_encap_port},
	{"encap-csum", NULL, K_TTL, 0, set_nothing},
	{"noencap-csum", NULL, K_TTL, 0, set_nothing},
	{"encap-csum6", NULL, K_TTL, 0, set_nothing},
	{"noencap-csum6", NULL, K_TTL, 0, set_nothing},
	{"encap-udp6-csum", NULL, K_TTL, 0, set_nothing},
	{"noencap-udp6-csum", NULL, K_TTL, 0, set_nothing},
	{"encap-remcsum", NULL, K_TTL, 0, set_nothing},
	{"noencap-remcsum", NULL, K_TTL, 0, set_nothing},
};

static int iptnl_finish(struct tunnel_cfg *cfg, struct err *e)
{
	if (cfg->ttl && !cfg->pmtudisc)
		return err_exit(e, EXIT_SYNTAX, EINVAL, "ttl != 0 and nopmtudisc are incompatible");
	return 0;
}

/* The group is the key of a broadcast tunnel that was given none (spec cli 1.6). */
static int gre_finish(struct tunnel_cfg *cfg, struct err *e)
{
	if (be32_host(cfg->remote) >> 28 != 0xe)
		return 0;
	if (be32_is_zero(cfg->ikey)) {
		cfg->ikey = cfg->remote;
		cfg->iflags |= TUNL_F_KEY;
	}
	if (be32_is_zero(cfg->okey)) {
		cfg->okey = cfg->remote;
		cfg->oflags |= TUNL_F_KEY;
	}
	if (be32_is_zero(cfg->local))
		return err_exit(e, EXIT_REFUSED, EINVAL,
				"A broadcast tunnel requires a source address.");
	return 0;
}

static const struct ip_kind kinds[] = {
	{"ipip", K_IPIP, MODE_IPIP, PROTO_ANY, true, 0, true, iptnl_finish},
	{"sit", K_SIT, MODE_SIT, PROTO_ANY, true, 64, false, iptnl_finish},
	{"gre", K_GRE, MODE_GRE, PROTO_GRE, true, 0, true, gre_finish},
	{"vti", K_VTI, MODE_VTI, PROTO_IPIP, false, 0, true, NULL},
};

const struct ip_kind *ip_kind_find(const char *word)
{
	size_t i;

	for (i = 0; i < countof(kinds); i++)
		if (!strcmp(word, kinds[i].word))
			return mode_by_id(kinds[i].mode) ? &kinds[i] : NULL;
	return NULL;
}

enum mode_id ip_kind_mode(const struct ip_kind *kind)
{
	return kind->mode;
}

static const struct option *option_find(const struct ip_kind *kind, const char *word)
{
	size_t i;

	for (i = 0; i < countof(options); i++) {
		const struct option *o = &options[i];
		bool abbreviate = o->abbreviate & kind->bit;

		if ((o->kinds & kind->bit) &&
		    (abbreviate ? text_is_prefix(word, o->word) : !strcmp(word, o->word)))
			return o;
	}
	return NULL;
}

static bool option_serves(const struct option *o, const char *arg)
{
	if (o->set == set_encap)
		return !arg || (strcmp(arg, "fou") && strcmp(arg, "gue"));
	if (o->set == set_isatap)
		return mode_by_id(MODE_ISATAP);
	return strcmp(o->word, "external");
}

bool ip_kind_serves(const struct ip_kind *kind, char **words)
{
	for (; *words; words++) {
		const struct option *o = option_find(kind, *words);

		if (!o)
			return true;
		if (!option_serves(o, words[1]))
			return false;
		if (o->arg && words[1])
			words++;
	}
	return true;
}

enum ip_6rd ip_kind_6rd(const struct ip_kind *kind, char **words)
{
	enum ip_6rd said = IP_6RD_NONE;

	for (; (kind->bit & K_SIT) && *words; words++) {
		const struct option *o = option_find(kind, *words);

		if (o && o->set == set_6rd_prefix && words[1])
			said = !strcmp(words[1], "any") || !strcmp(words[1], "all") ? IP_6RD_BAD
										    : IP_6RD_SAID;
		else if (o && (o->set == set_6rd_relay || o->set == set_6rd_reset))
			said = max_of(said, IP_6RD_SAID);
		if (o && o->arg && words[1])
			words++;
	}
	return said;
}

static int usage(const struct ip_kind *kind, struct err *e)
{
	const char *lead = "Usage: ...";
	size_t i;

	for (i = 0; i < countof(options); i++) {
		const struct option *o = &options[i];

		if (!(o->kinds & kind->bit))
			continue;
		fprintf(stderr, "%s %s  [ %s%s%s ]\n", lead, *lead == 'U' ? kind->word : "",
			o->word, o->arg ? " " : "", o->arg ? o->arg : "");
		lead = "\t\t";
	}
	fprintf(stderr, "\nWhere:  ADDR := { IP_ADDRESS | any }\n"
			"        TOS  := { NUMBER | inherit }\n"
			"        TTL  := { 0..255 | inherit }\n"
			"        KEY  := { DOTTED_QUAD | NUMBER }\n"
			"        MARK := { 0x0..0xffffffff }\n"
			"        MODE := { ipip | ip6ip | mplsip | any }\n");
	return err_exit(e, EXIT_REFUSED, ECANCELED, "%s", "");
}

void ip_kind_init(const struct ip_kind *kind, char **words, struct tunnel_cfg *cfg)
{
	tunnel_cfg_init(cfg);
	tunnel_cfg_set_mode(cfg, kind->mode);
	if (*words) {
		cfg->proto = kind->proto;
		cfg->pmtudisc = kind->df;
	} else {
		cfg->pmtudisc = false;
		cfg->ttl = kind->bare_ttl;
	}
}

int ip_kind_read(const struct ip_kind *kind, bool create, char **words, struct tunnel_cfg *cfg,
		 struct err *e)
{
	const struct reading r = {.kind = kind, .cfg = cfg, .create = create, .e = e};
	char **word;
	int err;

	for (word = words; *word; word++) {
		const struct option *o = option_find(kind, *word);

		if (!o)
			return usage(kind, e);
		if (o->arg && !*++word)
			return err_exit(e, EXIT_SYNTAX, EINVAL,
					"Command line is not complete. Try option \"help\"");
		err = o->set(&r, o, *word);
		if (err)
			return err;
	}
	return *words && kind->finish ? kind->finish(cfg, e) : 0;
}

const char *ip_kind_mtu_fault(const struct ip_kind *kind, const struct tunnel_cfg *cfg, u32 mtu)
{
	if (kind->clamps)
		return NULL;
	if (mtu < rules_mtu_min(cfg))
		return "mtu less than device minimum";
	return mtu > rules_mtu_max(cfg, 0) ? "mtu greater than device maximum" : NULL;
}

u32 ip_kind_mtu(const struct ip_kind *kind, const struct tunnel_cfg *cfg, u32 mtu)
{
	const struct mode *mode = mode_by_id(kind->mode);
	u32 hlen = mode->hlen ? mode->hlen(cfg) : 0;

	if (!kind->clamps)
		return mtu;
	return min_of(max_of(mtu, rules_mtu_min(cfg)), rules_mtu_max(cfg, hlen));
}
