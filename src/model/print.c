/* SPDX-License-Identifier: BSD-2-Clause */
/* Printing a configuration as a line of the grammar: the inverse of grammar_line(). */
#include <string.h>

#include "lib/addr.h"
#include "lib/text.h"
#include "model/grammar.h"
#include "model/modes.h"
#include "model/options.h"
#include "wire/ip4.h"

/* A name that the grammar would take for an option needs `name` before it. */
static void print_name(struct text *t, const struct tunnel_cfg *cfg)
{
	if (cfg->name[0])
		text_add(t, "%s%s", option_find(cfg->name, DIALECT_TEXT) ? "name " : "", cfg->name);
}

static void print_mode(struct text *t, const struct tunnel_cfg *cfg)
{
	const struct mode_info *m = mode_info(cfg->mode);

	if (m)
		text_add(t, " mode %s", m->word);
	if (cfg->proto == (m ? m->proto : PROTO_ANY))
		return;
	if (cfg->proto == PROTO_ANY)
		text_add(t, " proto any");
	else
		text_add(t, " proto %u", cfg->proto);
}

static void print_addr(struct text *t, const char *word, be32 addr)
{
	char buf[ADDR4_TEXT];

	if (!be32_is_zero(addr))
		text_add(t, " %s %s", word, addr4_print(addr, buf));
}

static void print_tos(struct text *t, u8 tos)
{
	u8 value = tos & ~TUNL_TOS_INHERIT;

	if (tos == TUNL_TOS_INHERIT)
		text_add(t, " tos inherit");
	else if (tos & TUNL_TOS_INHERIT)
		text_add(t, " tos inherit/0x%02x", value);
	else if (tos)
		text_add(t, " tos 0x%02x", value);
}

static void print_keys(struct text *t, const struct tunnel_cfg *cfg)
{
	bool in = cfg->iflags & TUNL_F_KEY, out = cfg->oflags & TUNL_F_KEY;

	if (in && out && be32_eq(cfg->ikey, cfg->okey)) {
		text_add(t, " key %u", be32_host(cfg->ikey));
		return;
	}
	if (in)
		text_add(t, " ikey %u", be32_host(cfg->ikey));
	if (out)
		text_add(t, " okey %u", be32_host(cfg->okey));
}

static void print_flag(struct text *t, const struct tunnel_cfg *cfg, u16 flag, const char *word)
{
	bool in = cfg->iflags & flag, out = cfg->oflags & flag;

	if (in || out)
		text_add(t, " %s%s", in && out ? "" : in ? "i" : "o", word);
}

static void print_6rd(struct text *t, const struct tunnel_cfg *cfg)
{
	static const struct sixrd none;
	const struct sixrd *s = &cfg->sixrd;
	struct tunnel_cfg usual;
	char buf[ADDR6_TEXT];

	tunnel_cfg_init(&usual);
	if (mode_info(cfg->mode))
		tunnel_cfg_set_mode(&usual, cfg->mode);
	if (memcmp(s->prefix, usual.sixrd.prefix, sizeof(s->prefix)) ||
	    s->prefix_len != usual.sixrd.prefix_len)
		text_add(t, " 6rd-prefix %s/%u", addr6_print(s->prefix, buf), s->prefix_len);
	if (!be32_eq(s->relay, none.relay) || s->relay_len)
		text_add(t, " 6rd-relay_prefix %s/%u", addr4_print(s->relay, buf), s->relay_len);
}

static void print_mss(struct text *t, u16 mss)
{
	if (mss == TUNL_MSS_AUTO)
		text_add(t, " mss auto");
	else if (mss)
		text_add(t, " mss %u", mss);
}

size_t grammar_print(const struct tunnel_cfg *cfg, char *buf, size_t size)
{
	char peers[PEERS_TEXT];
	struct text t;

	text_init(&t, buf, size);
	print_name(&t, cfg);
	print_mode(&t, cfg);
	print_addr(&t, "remote", cfg->remote);
	print_addr(&t, "local", cfg->local);
	if (cfg->dev[0])
		text_add(&t, " dev %s", cfg->dev);
	if (cfg->ttl)
		text_add(&t, " ttl %u", cfg->ttl);
	print_tos(&t, cfg->tos);
	if (!cfg->pmtudisc)
		text_add(&t, " nopmtudisc");
	if (cfg->ignore_df)
		text_add(&t, " ignore-df");
	print_keys(&t, cfg);
	print_flag(&t, cfg, TUNL_F_SEQ, "seq");
	print_flag(&t, cfg, TUNL_F_CSUM, "csum");
	if (cfg->fwmark)
		text_add(&t, " fwmark 0x%x", cfg->fwmark);
	print_6rd(&t, cfg);
	if (cfg->datapath != DATAPATH_AUTO)
		text_add(&t, " datapath %s", datapath_word(cfg->datapath));
	print_mss(&t, cfg->mss);
	if (cfg->keep_s)
		text_add(&t, " keepalive %u,%u", cfg->keep_s, cfg->keep_n);
	if (cfg->peers.n)
		text_add(&t, " peers %s", peers_print(&cfg->peers, peers));
	if (buf[0] == ' ') /* no name: the line begins with its first word */
		memmove(buf, buf + 1, t.len--);
	return t.len;
}
