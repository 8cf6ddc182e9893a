/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "ipsec/text.h"

enum { WORDS = 192 };

const struct word_value policy_flags[] = {
	{"localok", POLICY_F_LOCALOK}, {"icmp", POLICY_F_ICMP}, {NULL, 0}};

static const struct word_value ptypes[] = {{"main", 0}, {"sub", 1}, {NULL, 0}};
static const struct word_value levels[] = {{"required", 0}, {"use", 1}, {NULL, 0}};

/* What is being read beside the value itself. */
struct policy_reading {
	struct policy_cfg *cfg;
	bool has_sel, has_ptype;
};

static int table_u8(struct words *w, const struct word_value *t, const char *why, u8 *out)
{
	u32 value = *out;
	int err = words_of_table(w, t, why, &value);

	*out = (u8)value;
	return err;
}

static int tmpl_word(struct words *w, struct xfrm_tmpl *t, bool *has_id, bool *more)
{
	struct xfrm_name id = {0};
	u8 use = 0;
	int err;

	if (words_take(w, "mode"))
		return table_u8(w, xfrm_modes, "MODE value is invalid", &t->mode);
	if (words_take(w, "reqid"))
		return words_u32(w, "REQID value is invalid", ~0U, &t->reqid);
	if (words_take(w, "level")) {
		err = table_u8(w, levels, "LEVEL value is invalid\n", &use);
		t->use = use;
		return err;
	}
	*more = !*has_id;
	if (*has_id)
		return 0;
	*has_id = true;
	err = words_id(w, false, &id);
	t->family = id.family;
	t->proto = id.proto;
	t->spi = id.spi;
	t->src = id.src;
	t->dst = id.dst;
	return err;
}

static int read_tmpl(struct words *w, struct policy_cfg *cfg)
{
	struct xfrm_tmpl *t = &cfg->tmpl[cfg->ntmpls];
	bool has_id = false, more = true;

	if (cfg->ntmpls == XFRM_TMPLS)
		return words_need(w, "Too many tmpls: buffer overflow");
	if (!words_peek(w))
		return err_exit(w->e, 255, EINVAL,
				"Command line is not complete. Try option \"help\"");
	cfg->ntmpls++;
	while (more && words_peek(w)) {
		int err = tmpl_word(w, t, &has_id, &more);

		if (err)
			return err;
	}
	/* `tmpl level use` alone: ip sends it so, and the kernel does not take it */
	if (!t->proto)
		return err_exit(w->e, 2, EINVAL, "Error: Invalid XFRM protocol in template.");
	return 0;
}

static int flag_words(struct words *w, u8 *flags)
{
	bool hit = true;

	while (hit) {
		hit = false;
		for (u32 i = 0; policy_flags[i].word; i++)
			if (words_take(w, policy_flags[i].word)) {
				*flags |= (u8)policy_flags[i].value;
				hit = true;
			}
	}
	return 0;
}

static int read_dir(struct words *w, struct policy_cfg *cfg)
{
	if (cfg->has_dir)
		return words_twice(w, "dir", "dir");
	cfg->has_dir = true;
	return table_u8(w, xfrm_dirs, "DIR value is invalid", &cfg->dir);
}

static int read_ptype(struct words *w, struct policy_reading *r)
{
	u8 sub = 0;
	int err;

	if (r->has_ptype)
		return words_twice(w, "ptype", "ptype");
	r->has_ptype = true;
	err = table_u8(w, ptypes, "PTYPE value is invalid", &sub);
	r->cfg->sub = sub;
	return err;
}

static int one_word(struct words *w, struct policy_reading *r)
{
	struct policy_cfg *cfg = r->cfg;

	if (words_take(w, "dir"))
		return read_dir(w, cfg);
	if (words_take(w, "mark"))
		return words_mark(w, &cfg->mark);
	if (words_take(w, "index"))
		return words_u32(w, "INDEX value is invalid", ~0U, &cfg->index);
	if (words_take(w, "ptype"))
		return read_ptype(w, r);
	if (words_take(w, "action"))
		return table_u8(w, xfrm_actions, "ACTION value is invalid\n", &cfg->action);
	if (words_take(w, "priority"))
		return words_u32(w, "PRIORITY value is invalid", ~0U, &cfg->priority);
	if (words_take(w, "flag"))
		return flag_words(w, &cfg->flags);
	if (words_take(w, "limit"))
		return words_limit(w, &cfg->limits);
	if (words_take(w, "if_id"))
		return words_u32(w, "IF_ID value is invalid", ~0U, &cfg->if_id);
	if (words_take(w, "tmpl"))
		return read_tmpl(w, cfg);
	if (r->has_sel)
		return words_twice(w, "unknown", words_peek(w));
	r->has_sel = true;
	return words_sel(w, &cfg->sel);
}

int policy_read(struct words *w, struct policy_cfg *cfg)
{
	struct policy_reading r = {.cfg = cfg};

	memset(cfg, 0, sizeof(*cfg));
	cfg->limits = xfrm_no_limits();
	while (words_peek(w)) {
		int err = one_word(w, &r);

		if (err)
			return err;
	}
	if (!cfg->has_dir)
		return words_need(w, "Not enough information: DIR is required.");
	if (!cfg->sel.family)
		cfg->sel.family = XFRM_IP4;
	return 0;
}

static void print_tmpl(const struct xfrm_tmpl *m, struct text *t)
{
	text_add(t, " tmpl src ");
	text_addr(t, &m->src, m->family);
	text_add(t, " dst ");
	text_addr(t, &m->dst, m->family);
	text_add(t, " proto %s spi 0x%08x reqid %u mode %s level %s",
		 word_of_value(xfrm_protos, m->proto), be32_host(m->spi), m->reqid,
		 word_of_value(xfrm_modes, m->mode), m->use ? "use" : "required");
}

void policy_print(const struct policy_cfg *cfg, struct text *t)
{
	text_add(t, "dir %s", word_of_value(xfrm_dirs, cfg->dir));
	text_sel(t, &cfg->sel);
	text_add(t, " priority %u", cfg->priority);
	if (cfg->index)
		text_add(t, " index %u", cfg->index);
	if (cfg->action == POLICY_BLOCK)
		text_add(t, " action block");
	if (cfg->sub)
		text_add(t, " ptype sub");
	if (cfg->flags)
		text_add(t, " flag");
	for (u32 i = 0; policy_flags[i].word; i++)
		if (cfg->flags & policy_flags[i].value)
			text_add(t, " %s", policy_flags[i].word);
	if (cfg->mark.mask)
		text_mark(t, "mark", &cfg->mark);
	if (cfg->if_id)
		text_add(t, " if_id %u", cfg->if_id);
	text_limits(t, &cfg->limits);
	for (u32 i = 0; i < cfg->ntmpls; i++)
		print_tmpl(&cfg->tmpl[i], t);
}

int policy_line(char *line, struct policy_cfg *cfg, struct err *e)
{
	char *word[WORDS];
	struct words w = {.argc = text_split(line, word, WORDS), .argv = word, .e = e};

	return w.argc < 0 ? err_set(e, EINVAL, "too many words") : policy_read(&w, cfg);
}
