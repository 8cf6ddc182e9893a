/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading `ip xfrm`'s words, and what the grammars of states and policies share.
 * Refusals are iproute2's, word for word, with its exit status. A reader returns
 * 0, or -errno with words.e filled.
 */
#ifndef TUNL_IPSEC_WORDS_H
#define TUNL_IPSEC_WORDS_H

#include "ipsec/xfrm.h"
#include "lib/err.h"
#include "lib/text.h"

struct words {
	int argc;
	char **argv;
	int at;	    /* the next word */
	u16 family; /* of addresses; XFRM_ANY: as they come */
	struct err *e;
	/* the index of a device; 0: there is none of that name. NULL: ifN only */
	u32 (*ifindex)(const char *dev);
};

/* The next word; NULL: there are no more. words_peek() leaves it there. */
const char *words_peek(const struct words *w);
const char *words_next(struct words *w);

/* Whether the next word is this one; then it is taken. */
bool words_take(struct words *w, const char *word);

/* The argument of the word before. */
int words_arg(struct words *w, const char **arg);

/* Refusals. */
int words_bad(struct words *w, const char *arg, const char *why);
int words_missing(struct words *w, const char *what);
int words_twice(struct words *w, const char *what, const char *arg);
int words_need(struct words *w, const char *text); /* exit status 1 */

/* An unsigned number in C notation as argument; why: what is wrong with another. */
int words_u32(struct words *w, const char *why, u32 max, u32 *out);

/* One of a table's words. The table ends with word NULL. */
struct word_value {
	const char *word;
	u32 value;
};

int words_of_table(struct words *w, const struct word_value *t, const char *why, u32 *out);
const char *word_of_value(const struct word_value *t, u32 value);

extern const struct word_value xfrm_modes[], xfrm_protos[], xfrm_dirs[], xfrm_actions[];

/* ADDR[/LEN]; family set by it, len NULL: ignored. */
int words_prefix(struct words *w, struct xfrm_addr *addr, u8 *len, u16 *family);

/* What names a state: src, dst, proto, spi, in any order; at least one. */
struct xfrm_name {
	u16 family;
	u8 proto; /* 0: not given */
	bool has_spi;
	be32 spi;
	u8 src_len, dst_len; /* bits that were given; 0: not */
	struct xfrm_addr src, dst;
};

/* loose: proto need not be there. */
int words_id(struct words *w, bool loose, struct xfrm_name *id);

/* Behind `mark`, `sel`, `limit`; words of a selector until one that is none. */
int words_mark(struct words *w, struct xfrm_markmask *m);
int words_sel(struct words *w, struct xfrm_sel *sel);
int words_limit(struct words *w, struct xfrm_limits *l);

/* The same as text. */
void text_addr(struct text *t, const struct xfrm_addr *a, u16 family);
void text_mark(struct text *t, const char *word, const struct xfrm_markmask *m);
void text_sel(struct text *t, const struct xfrm_sel *s);
void text_limits(struct text *t, const struct xfrm_limits *l);

#endif
