/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one grammar: the words after `tunl add`, a request on the control
 * socket, a line of the state file. Reading what was printed gives the same
 * value back. The words themselves are the table in model/options.h.
 */
#ifndef TUNL_MODEL_GRAMMAR_H
#define TUNL_MODEL_GRAMMAR_H

#include <stddef.h>

#include "lib/err.h"
#include "model/tunnel.h"

/* Who speaks: decides which words there are. */
enum dialect {
	DIALECT_IP = 1,	  /* `ip tunnel`: exactly iproute2's words */
	DIALECT_TUNL = 2, /* `tunl`: `datapath` too */
	DIALECT_TEXT = 4, /* requests and state file: every field has a word */
};

enum tunnel_verb { VERB_ADD, VERB_CHANGE, VERB_DELETE, VERB_SHOW };

enum { GRAMMAR_LINE = 1280 }; /* longest printed line, with its NUL */
enum { GRAMMAR_WORDS = 64 };  /* most words grammar_line() takes */

/* What a reader needs from outside; hooks may be NULL. */
struct grammar {
	enum dialect dialect;
	enum tunnel_verb verb;
	/*
	 * Fill cfg with the existing tunnel of that name: called at NAME where
	 * `change` has it first (spec cli 1.6). -errno with e filled ends the reading.
	 */
	int (*load)(void *ctx, const char *name, struct tunnel_cfg *cfg, struct err *e);
	/* Ifindex of a device, or 0; NULL: not resolved, cfg->link stays 0. */
	u32 (*ifindex)(void *ctx, const char *dev);
	void *ctx;
};

/* The value that no word has touched: nothing set, DF on. */
void tunnel_cfg_init(struct tunnel_cfg *cfg);

/* Give cfg a mode with what belongs to it: its protocol, sit's 6rd prefix 2002::/16. */
void tunnel_cfg_set_mode(struct tunnel_cfg *cfg, enum mode_id mode);

/*
 * Read words into cfg (initialised here) with all checks of spec cli 1.4 steps
 * 1-6 in their order. -errno with e->text iproute2's message and e->status its
 * exit status (1 or 255). e->text may end in a newline: iproute2 prints an empty
 * line there. -ECANCELED: `help` was asked for; e->status is 255, e->text empty.
 */
int grammar_read(const struct grammar *g, int argc, char *const *argv, struct tunnel_cfg *cfg,
		 struct err *e);

/*
 * What `add` makes of words that were read one by one (model/options.h): the mode
 * that the name tells, a group's own key; and what it refuses, but for a fixed TTL
 * without DF, which `ip link` makes too. -EINVAL with e filled.
 */
int grammar_settle(struct tunnel_cfg *cfg, struct err *e);

/*
 * Read a line of blank-separated words in DIALECT_TEXT. No defaults are filled
 * in from elsewhere and nothing is guessed: what is said is what is meant. The
 * mode may be absent (MODE_NONE): the caller judges.
 */
int grammar_line(const char *line, struct tunnel_cfg *cfg, struct err *e);

/*
 * Print cfg as a line in DIALECT_TEXT: every field that is not the default.
 * Returns its length; size GRAMMAR_LINE always suffices. cfg->link is not told
 * (cfg->dev is), nor ikey or okey whose TUNL_F_KEY is not set.
 */
size_t grammar_print(const struct tunnel_cfg *cfg, char *buf, size_t size);

/* Single fields, for other readers of the same values (`ip link` kinds). */

/* 0..255 in C notation (`inherit` is for the caller: its meaning differs). */
bool field_ttl(const char *word, u8 *ttl);

/* `inherit`, VALUE, inherit/VALUE (spec cli 1.3). */
bool field_tos(const char *word, u8 *tos);

/* A number in C notation, or with a dot in it an ADDR. */
bool field_key(const char *word, be32 *key);

/* `auto`, `bpf`, `user`, and back. */
bool field_datapath(const char *word, enum datapath *dp);
const char *datapath_word(enum datapath dp);

/* `auto`, `off`, or a size. */
bool field_mss(const char *word, u16 *mss);
bool field_keepalive(const char *word, u16 *seconds, u8 *count); /* SEC,COUNT or off */

/* Field by field (the structs have padding). */
bool cfg_equal(const struct tunnel_cfg *a, const struct tunnel_cfg *b);

#endif
