/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ipsec/text.h"
#include "lib/num.h"
#include "wire/ip4.h"

enum { WORDS = 128 };

const struct word_value sa_flags[] = {{"noecn", SA_NOECN},
				      {"decap-dscp", SA_DECAP_DSCP},
				      {"nopmtudisc", SA_NOPMTUDISC},
				      {"wildrecv", SA_WILDRECV},
				      {"icmp", SA_ICMP},
				      {"af-unspec", SA_AF_UNSPEC},
				      {"align4", SA_ALIGN4},
				      {"esn", SA_ESN},
				      {NULL, 0}};
const struct word_value sa_extra_flags[] = {
	{"dont-encap-dscp", SA_DONT_ENCAP_DSCP}, {"oseq-may-wrap", SA_OSEQ_MAY_WRAP}, {NULL, 0}};

static const struct word_value encaps[] = {
	{"espinudp-nonike", ENCAP_ESPINUDP_NONIKE}, {"espinudp", ENCAP_ESPINUDP}, {NULL, 0}};

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* 0xHEX, of odd length with a zero before it; anything else is the key's bytes themselves. "0x" is
 * no byte. */
static int read_key(struct words *w, struct xfrm_algo_cfg *a)
{
	const char *key = words_next(w);
	size_t len;

	if (!key)
		return words_missing(w, "ALGO-KEYMAT");
	len = strlen(key);
	if (strncmp(key, "0x", 2)) {
		if (len > sizeof(a->key))
			return words_bad(w, "KEY", "ALGO-KEYMAT value makes buffer overflow\n");
		memcpy(a->key, key, len);
		a->key_len = (u32)len;
		return 0;
	}
	key += 2;
	len -= 2;
	if ((len + 1) / 2 > sizeof(a->key))
		return words_bad(w, "KEY", "ALGO-KEYMAT value makes buffer overflow\n");
	a->key_len = (u32)(len + 1) / 2;
	for (size_t i = 0, odd = len % 2; i < len; i++) {
		int d = hex_digit(key[i]);

		if (d < 0)
			return words_bad(w, "KEY", "ALGO-KEYMAT value is invalid");
		a->key[(i + odd) / 2] = (u8)(a->key[(i + odd) / 2] << 4 | d);
	}
	return 0;
}

/* Behind aead, enc, auth or auth-trunc: a name, a key, and a length if it has one. */
static int read_algo(struct words *w, const char *why_bits, struct xfrm_algo_cfg *a)
{
	const char *name = words_next(w);
	int err;

	if (!name)
		return words_missing(w, "ALGO-NAME");
	memset(a, 0, sizeof(*a));
	text_copy(a->name, sizeof(a->name), name);
	err = read_key(w, a);
	if (err || !why_bits)
		return err;
	if (!words_peek(w))
		return words_missing(w, !strncmp(why_bits, "ALGO-ICV", 8) ? "ALGO-ICV-LEN"
									  : "ALGO-TRUNC-LEN");
	return words_u32(w, why_bits, ~0U, &a->icv_bits);
}

static int algo_word(struct words *w, struct sa_cfg *cfg, bool *hit)
{
	const char *word = words_peek(w);
	bool aead = !strcmp(word, "aead"), enc = !strcmp(word, "enc");
	bool trunc = !strcmp(word, "auth-trunc"), auth = trunc || !strcmp(word, "auth");

	*hit = aead || enc || auth;
	if (!*hit)
		return 0;
	if (cfg->aead.name[0] || (enc && cfg->enc.name[0]) || (auth && cfg->auth.name[0]) ||
	    (aead && (cfg->enc.name[0] || cfg->auth.name[0])))
		return words_twice(w, "ALGO-TYPE", word);
	words_next(w);
	if (aead)
		return read_algo(w, "ALGO-ICV-LEN value is invalid", &cfg->aead);
	if (enc)
		return read_algo(w, NULL, &cfg->enc);
	cfg->auth_trunc = trunc;
	return read_algo(w, trunc ? "ALGO-TRUNC-LEN value is invalid" : NULL, &cfg->auth);
}

/* Words of a table, added up, until one that is none; or one number in hexadecimal. */
static int read_flags(struct words *w, const struct word_value *t, const char *why, u32 *flags)
{
	const char *word = words_peek(w);
	u32 i;

	if (word && strlen(word) > 2 && !strncmp(word, "0x", 2)) {
		words_next(w);
		return num_hex(word, ~0U, flags) ? 0 : words_bad(w, word, why);
	}
	if (!word)
		return words_arg(w, &word);
	do {
		for (i = 0; t[i].word && !words_take(w, t[i].word); i++)
			;
		*flags |= t[i].word ? t[i].value : 0;
	} while (t[i].word);
	return 0;
}

static int flag_word(struct words *w, struct sa_cfg *cfg)
{
	u32 flags = cfg->flags;
	int err = read_flags(w, sa_flags, "FLAG value is invalid", &flags);

	cfg->flags = (u8)flags;
	return err;
}

static int read_encap(struct words *w, struct sa_cfg *cfg)
{
	u32 type, sport, dport;
	u16 family = XFRM_ANY;
	int err = words_of_table(w, encaps, "ENCAP-TYPE value is invalid", &type);

	if (!err)
		err = words_u32(w, "SPORT value after \"encap\" is invalid", 65535, &sport);
	if (!err)
		err = words_u32(w, "DPORT value after \"encap\" is invalid", 65535, &dport);
	if (err)
		return err;
	cfg->encap.type = (u16)type;
	cfg->encap.sport = (u16)sport;
	cfg->encap.dport = (u16)dport;
	return words_prefix(w, &cfg->encap.oa, NULL, &family);
}

static int out_mark(struct words *w, struct sa_cfg *cfg)
{
	cfg->has_out_mark = true;
	return words_mark(w, &cfg->out_mark);
}

/* The words with one number behind them. */
static const struct {
	const char *word, *why;
	size_t at;
} numbers[] = {
	{"reqid", "REQID value is invalid", offsetof(struct sa_cfg, reqid)},
	{"seq", "SEQ value is invalid", offsetof(struct sa_cfg, seq)},
	{"replay-window", "value after \"replay-window\" is invalid",
	 offsetof(struct sa_cfg, window)},
	{"replay-seq", "value after \"replay-seq\" is invalid",
	 offsetof(struct sa_cfg, replay_seq)},
	{"replay-seq-hi", "value after \"replay-seq-hi\" is invalid",
	 offsetof(struct sa_cfg, replay_seq_hi)},
	{"replay-oseq", "value after \"replay-oseq\" is invalid",
	 offsetof(struct sa_cfg, replay_oseq)},
	{"replay-oseq-hi", "value after \"replay-oseq-hi\" is invalid",
	 offsetof(struct sa_cfg, replay_oseq_hi)},
	{"if_id", "value after \"if_id\" is invalid", offsetof(struct sa_cfg, if_id)},
	{"tfcpad", "value after \"tfcpad\" is invalid", offsetof(struct sa_cfg, tfcpad)},
};

static int number_word(struct words *w, struct sa_cfg *cfg, bool *hit)
{
	for (u32 i = 0; i < countof(numbers); i++)
		if (words_take(w, numbers[i].word)) {
			*hit = true;
			return words_u32(w, numbers[i].why, ~0U,
					 (u32 *)((u8 *)cfg + numbers[i].at));
		}
	*hit = false;
	return 0;
}

static int mode_word(struct words *w, u8 *mode)
{
	u32 value = *mode;
	int err = words_of_table(w, xfrm_modes, "MODE value is invalid", &value);

	*mode = (u8)value;
	return err;
}

static int id_words(struct words *w, struct sa_cfg *cfg)
{
	struct xfrm_name id = {.family = w->family};
	int err;

	if (cfg->has_id)
		return words_bad(w, words_peek(w), "unknown");
	err = words_id(w, false, &id);
	cfg->has_id = true;
	cfg->family = id.family;
	cfg->proto = id.proto;
	cfg->spi = id.spi;
	cfg->src = id.src;
	cfg->dst = id.dst;
	return err;
}

static int one_word(struct words *w, struct sa_cfg *cfg)
{
	bool hit;
	int err = number_word(w, cfg, &hit);

	if (!hit)
		err = algo_word(w, cfg, &hit);
	if (hit)
		return err;
	if (words_take(w, "mode"))
		return mode_word(w, &cfg->mode);
	if (words_take(w, "mark"))
		return words_mark(w, &cfg->mark);
	if (words_take(w, "output-mark"))
		return out_mark(w, cfg);
	if (words_take(w, "flag"))
		return flag_word(w, cfg);
	if (words_take(w, "extra-flag"))
		return read_flags(w, sa_extra_flags, "EXTRA-FLAG value is invalid", &cfg->extra);
	if (words_take(w, "sel"))
		return words_sel(w, &cfg->sel);
	if (words_take(w, "limit"))
		return words_limit(w, &cfg->limits);
	if (words_take(w, "encap"))
		return read_encap(w, cfg);
	return id_words(w, cfg);
}

static int check(struct words *w, const struct sa_cfg *cfg)
{
	if (cfg->flags & SA_ESN && !cfg->window)
		return err_exit(w->e, 255, EINVAL, "Error: esn flag set without replay-window.");
	if (cfg->window > XFRM_WINDOW_MAX)
		return err_exit(w->e, 255, EINVAL,
				"Error: replay-window (%u) > XFRMA_REPLAY_ESN_MAX (%u).",
				cfg->window, XFRM_WINDOW_MAX);
	if (!cfg->has_id)
		return words_need(w, "Not enough information: ID is required");
	if (cfg->proto == PROTO_ESP && !cfg->enc.name[0] && !cfg->aead.name[0])
		return words_need(w, "ALGO-TYPE value \"enc\" or \"aead\" is required with "
				     "XFRM-PROTO value \"esp\"");
	return 0;
}

int sa_read(struct words *w, struct sa_cfg *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->limits = xfrm_no_limits();
	while (words_peek(w)) {
		int err = one_word(w, cfg);

		if (err)
			return err;
	}
	if (!cfg->family)
		cfg->family = XFRM_IP4;
	return check(w, cfg);
}

static void print_algo(struct text *t, const char *word, const struct xfrm_algo_cfg *a, bool hide)
{
	if (!a->name[0])
		return;
	text_add(t, " %s %s ", word, a->name);
	if (hide) {
		text_add(t, "hidden");
		return;
	}
	text_add(t, "0x");
	for (u32 i = 0; i < a->key_len; i++)
		text_add(t, "%02x", a->key[i]);
}

static void print_algos(struct text *t, const struct sa_cfg *cfg, bool hide)
{
	print_algo(t, "aead", &cfg->aead, hide);
	if (cfg->aead.name[0])
		text_add(t, " %u", cfg->aead.icv_bits);
	print_algo(t, cfg->auth_trunc ? "auth-trunc" : "auth", &cfg->auth, hide);
	if (cfg->auth.name[0] && cfg->auth_trunc)
		text_add(t, " %u", cfg->auth.icv_bits);
	print_algo(t, "enc", &cfg->enc, hide);
}

static void print_flags(struct text *t, const char *word, const struct word_value *f, u32 flags)
{
	if (!flags)
		return;
	text_add(t, " %s", word);
	for (; f->word; f++)
		if (flags & f->value)
			text_add(t, " %s", f->word);
}

void sa_print(const struct sa_cfg *cfg, bool hide, struct text *t)
{
	const char *mode = word_of_value(xfrm_modes, cfg->mode);

	text_add(t, "src ");
	text_addr(t, &cfg->src, cfg->family);
	text_add(t, " dst ");
	text_addr(t, &cfg->dst, cfg->family);
	text_add(t, " proto %s spi 0x%08x mode %s", word_of_value(xfrm_protos, cfg->proto),
		 be32_host(cfg->spi), mode);
	for (u32 i = 0; i < countof(numbers); i++) {
		u32 v;

		memcpy(&v, (const u8 *)cfg + numbers[i].at, sizeof(v));
		if (v)
			text_add(t, " %s %u", numbers[i].word, v);
	}
	print_flags(t, "flag", sa_flags, cfg->flags);
	print_flags(t, "extra-flag", sa_extra_flags, cfg->extra);
	if (cfg->mark.mask)
		text_mark(t, "mark", &cfg->mark);
	if (cfg->has_out_mark)
		text_mark(t, "output-mark", &cfg->out_mark);
	print_algos(t, cfg, hide);
	text_limits(t, &cfg->limits);
	if (cfg->encap.type) {
		text_add(t, " encap %s %u %u ", word_of_value(encaps, cfg->encap.type),
			 cfg->encap.sport, cfg->encap.dport);
		text_addr(t, &cfg->encap.oa, cfg->family);
	}
	if (cfg->sel.family) {
		text_add(t, " sel");
		text_sel(t, &cfg->sel);
	}
}

int sa_line(char *line, struct sa_cfg *cfg, struct err *e)
{
	char *word[WORDS];
	struct words w = {.argc = text_split(line, word, WORDS), .argv = word, .e = e};

	return w.argc < 0 ? err_set(e, EINVAL, "too many words") : sa_read(&w, cfg);
}
