/* SPDX-License-Identifier: BSD-2-Clause */
/* The single values of the grammar, and whole configurations compared. */
#include <string.h>

#include "lib/addr.h"
#include "lib/dsfield.h"
#include "lib/num.h"
#include "model/grammar.h"

static const char *const datapath_words[] = {
	[DATAPATH_AUTO] = "auto",
	[DATAPATH_BPF] = "bpf",
	[DATAPATH_USER] = "user",
};

bool field_ttl(const char *word, u8 *ttl)
{
	u32 v;

	if (!num_u32(word, 255, &v))
		return false;
	*ttl = (u8)v;
	return true;
}

/* What stands behind a `/` counts after `inherit` only: `10/20` is 10. */
bool field_tos(const char *word, u8 *tos)
{
	const char *value = word, *slash = strchr(word, '/');
	size_t left = slash ? (size_t)(slash - word) : strlen(word);
	char name[64];
	u8 v, inherit = 0;

	if (left == strlen("inherit") && !strncmp(word, "inherit", left)) {
		inherit = TUNL_TOS_INHERIT;
		if (!slash) {
			*tos = inherit;
			return true;
		}
		value = slash + 1;
		left = strlen(value);
	}
	if (left >= sizeof(name))
		return false;
	memcpy(name, value, left);
	name[left] = '\0';
	if (!dsfield_parse(name, &v))
		return false;
	*tos = v | inherit;
	return true;
}

bool field_key(const char *word, be32 *key)
{
	u32 v;

	if (strchr(word, '.'))
		return addr4_parse(word, key);
	if (!num_u32(word, ~0u, &v))
		return false;
	*key = be32_of(v);
	return true;
}

bool field_mss(const char *word, u16 *mss)
{
	u32 v = TUNL_MSS_AUTO;

	if (!strcmp(word, "off"))
		v = 0;
	else if (strcmp(word, "auto") && (!num_dec(word, 65495, &v) || v < TUNL_MSS_MIN))
		return false;
	*mss = (u16)v;
	return true;
}

bool field_keepalive(const char *word, u16 *seconds, u8 *count)
{
	const char *comma = strchr(word, ',');
	char first[8];
	u32 s = 0, n = 0;

	if (strcmp(word, "off")) {
		if (!comma || (size_t)(comma - word) >= sizeof(first))
			return false;
		memcpy(first, word, (size_t)(comma - word));
		first[comma - word] = '\0';
		if (!num_dec(first, 32767, &s) || !num_dec(comma + 1, 255, &n) || !s || !n)
			return false;
	}
	*seconds = (u16)s;
	*count = (u8)n;
	return true;
}

bool field_datapath(const char *word, enum datapath *dp)
{
	for (u32 i = 0; i < countof(datapath_words); i++)
		if (!strcmp(word, datapath_words[i])) {
			*dp = (enum datapath)i;
			return true;
		}
	return false;
}

const char *datapath_word(enum datapath dp)
{
	return (u32)dp < countof(datapath_words) ? datapath_words[dp] : "auto";
}

static bool sixrd_equal(const struct sixrd *a, const struct sixrd *b)
{
	return !memcmp(a->prefix, b->prefix, sizeof(a->prefix)) && be32_eq(a->relay, b->relay) &&
	       a->prefix_len == b->prefix_len && a->relay_len == b->relay_len;
}

static bool who_equal(const struct tunnel_cfg *a, const struct tunnel_cfg *b)
{
	return !strcmp(a->name, b->name) && a->mode == b->mode && a->proto == b->proto &&
	       be32_eq(a->local, b->local) && be32_eq(a->remote, b->remote) &&
	       !strcmp(a->dev, b->dev) && a->link == b->link;
}

bool cfg_equal(const struct tunnel_cfg *a, const struct tunnel_cfg *b)
{
	return who_equal(a, b) && a->ttl == b->ttl && a->tos == b->tos &&
	       a->pmtudisc == b->pmtudisc && a->ignore_df == b->ignore_df &&
	       a->iflags == b->iflags && a->oflags == b->oflags && be32_eq(a->ikey, b->ikey) &&
	       be32_eq(a->okey, b->okey) && a->fwmark == b->fwmark &&
	       sixrd_equal(&a->sixrd, &b->sixrd) && a->datapath == b->datapath &&
	       a->mss == b->mss && a->keep_s == b->keep_s && a->keep_n == b->keep_n &&
	       peers_equal(&a->peers, &b->peers);
}
