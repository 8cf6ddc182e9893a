/* SPDX-License-Identifier: BSD-2-Clause */
#include "ipsec/words.h"

#include <errno.h>
#include <string.h>

#include "lib/num.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum { STATUS_REFUSED = 1, STATUS_SYNTAX = 255 };

const struct word_value xfrm_modes[] = {
	{"transport", XFRM_TRANSPORT}, {"tunnel", XFRM_TUNNEL}, {"beet", XFRM_BEET}, {NULL, 0}};
const struct word_value xfrm_protos[] = {
	{"esp", PROTO_ESP},	{"ah", PROTO_AH},   {"comp", 108}, {"route2", PROTO_ROUTING},
	{"hao", PROTO_DSTOPTS}, {"ipsec-any", 255}, {NULL, 0}};
const struct word_value xfrm_dirs[] = {
	{"in", POLICY_IN}, {"out", POLICY_OUT}, {"fwd", POLICY_FWD}, {NULL, 0}};
const struct word_value xfrm_actions[] = {
	{"allow", POLICY_ALLOW}, {"block", POLICY_BLOCK}, {NULL, 0}};

const char *words_peek(const struct words *w)
{
	return w->at < w->argc ? w->argv[w->at] : NULL;
}

const char *words_next(struct words *w)
{
	return w->at < w->argc ? w->argv[w->at++] : NULL;
}

bool words_take(struct words *w, const char *word)
{
	const char *next = words_peek(w);

	if (!next || strcmp(next, word))
		return false;
	w->at++;
	return true;
}

int words_arg(struct words *w, const char **arg)
{
	*arg = words_next(w);
	if (*arg)
		return 0;
	return err_exit(w->e, STATUS_SYNTAX, EINVAL,
			"Command line is not complete. Try option \"help\"");
}

int words_bad(struct words *w, const char *arg, const char *why)
{
	return err_exit(w->e, STATUS_SYNTAX, EINVAL, "Error: argument \"%s\" is wrong: %s", arg,
			why);
}

int words_missing(struct words *w, const char *what)
{
	return err_exit(w->e, STATUS_SYNTAX, EINVAL, "Error: argument \"%s\" is required", what);
}

int words_twice(struct words *w, const char *what, const char *arg)
{
	return err_exit(w->e, STATUS_SYNTAX, EINVAL,
			"Error: duplicate \"%s\": \"%s\" is the second value.", what, arg);
}

int words_need(struct words *w, const char *text)
{
	return err_exit(w->e, STATUS_REFUSED, EINVAL, "%s", text);
}

int words_u32(struct words *w, const char *why, u32 max, u32 *out)
{
	const char *arg;
	int err = words_arg(w, &arg);

	if (err)
		return err;
	return num_u32(arg, max, out) ? 0 : words_bad(w, arg, why);
}

int words_of_table(struct words *w, const struct word_value *t, const char *why, u32 *out)
{
	const char *arg;
	int err = words_arg(w, &arg);

	if (err)
		return err;
	for (; t->word; t++)
		if (!strcmp(arg, t->word)) {
			*out = t->value;
			return 0;
		}
	return words_bad(w, arg, why);
}

const char *word_of_value(const struct word_value *t, u32 value)
{
	for (; t->word; t++)
		if (t->value == value)
			return t->word;
	return NULL;
}

/* One of the words of a name; *hit: it was one. */
static int id_word(struct words *w, struct xfrm_name *id, bool *hit)
{
	u32 value = 0;
	int err = 0;

	*hit = true;
	if (words_take(w, "src")) {
		err = words_prefix(w, &id->src, &id->src_len, &id->family);
	} else if (words_take(w, "dst")) {
		err = words_prefix(w, &id->dst, &id->dst_len, &id->family);
	} else if (words_take(w, "proto")) {
		err = words_of_table(w, xfrm_protos, "XFRM-PROTO value is invalid", &value);
		id->proto = (u8)value;
	} else if (words_take(w, "spi")) {
		err = words_u32(w, "SPI value is invalid", ~0U, &value);
		id->spi = be32_of(value);
		id->has_spi = true;
	} else {
		*hit = false;
	}
	return err;
}

int words_id(struct words *w, bool loose, struct xfrm_name *id)
{
	int begun = w->at;
	bool hit = true;

	while (hit && words_peek(w)) {
		int err = id_word(w, id, &hit);

		if (err)
			return err;
	}
	if (w->at == begun)
		return words_bad(w, words_peek(w), "unknown");
	return !loose && !id->proto ? words_missing(w, "XFRM-PROTO") : 0;
}

int words_mark(struct words *w, struct xfrm_markmask *m)
{
	int err = words_u32(w, "MARK value is invalid\n", ~0U, &m->value);

	m->mask = ~0U;
	if (err || !words_take(w, "mask"))
		return err;
	err = words_u32(w, "MASK value is invalid\n", ~0U, &m->mask);
	if (!m->mask) /* is no mark at all to iproute2 */
		m->value = 0;
	return err;
}

static bool num_u64(const char *s, u64 *out)
{
	u64 v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || v > (~0ULL - 9) / 10)
			return false;
		v = v * 10 + (u64)(*s - '0');
	}
	*out = v;
	return true;
}

/* The words of limits, with where they go. */
static const struct {
	const char *word;
	size_t at;
} limit_words[] = {
	{"time-soft", offsetof(struct xfrm_limits, soft_add)},
	{"time-hard", offsetof(struct xfrm_limits, hard_add)},
	{"time-use-soft", offsetof(struct xfrm_limits, soft_use)},
	{"time-use-hard", offsetof(struct xfrm_limits, hard_use)},
	{"byte-soft", offsetof(struct xfrm_limits, soft_bytes)},
	{"byte-hard", offsetof(struct xfrm_limits, hard_bytes)},
	{"packet-soft", offsetof(struct xfrm_limits, soft_packets)},
	{"packet-hard", offsetof(struct xfrm_limits, hard_packets)},
};

int words_limit(struct words *w, struct xfrm_limits *l)
{
	const char *word, *arg;
	int err = words_arg(w, &word);

	if (err)
		return err;
	for (u32 i = 0; i < countof(limit_words); i++) {
		if (strcmp(word, limit_words[i].word))
			continue;
		err = words_arg(w, &arg);
		if (err || num_u64(arg, (u64 *)((u8 *)l + limit_words[i].at)))
			return err;
		return err_exit(w->e, STATUS_SYNTAX, EINVAL,
				"Error: argument \"%s\" is wrong: value after \"%s\" is invalid",
				arg, word);
	}
	return words_bad(w, word, "LIMIT value is invalid");
}

void text_limits(struct text *t, const struct xfrm_limits *l)
{
	struct xfrm_limits none = xfrm_no_limits();

	for (u32 i = 0; i < countof(limit_words); i++) {
		u64 v, d;

		memcpy(&v, (const u8 *)l + limit_words[i].at, sizeof(v));
		memcpy(&d, (const u8 *)&none + limit_words[i].at, sizeof(d));
		if (v != d)
			text_add(t, " limit %s %llu", limit_words[i].word, v);
	}
}

void text_mark(struct text *t, const char *word, const struct xfrm_markmask *m)
{
	text_add(t, " %s 0x%x", word, m->value);
	if (m->mask != ~0U)
		text_add(t, " mask 0x%x", m->mask);
}
