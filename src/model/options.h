/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of the grammar as a table: the reader, the help and the manual's
 * list come from it.
 */
#ifndef TUNL_MODEL_OPTIONS_H
#define TUNL_MODEL_OPTIONS_H

#include "model/grammar.h"

/* A reading in progress (grammar.c). */
struct reading {
	const struct grammar *g;
	struct tunnel_cfg *cfg;
	struct err *e;
	bool first;	     /* nothing was read before this */
	enum mode_id loaded; /* of the tunnel that a change began with */
	const char *dev;     /* the last `dev` as it was written, however long; borrowed */
};

struct tunnel_option {
	const char *word;
	const char *metavar; /* of its argument; NULL: it takes none */
	u32 dialects;	     /* who has it: enum dialect, or-ed */
	bool prefix;	     /* any beginning of the word will do */
	const char *help;    /* one phrase; NULL: another spelling of the row above */
	/* Take the option. arg is NULL where metavar is. 0, or -errno with r->e filled. */
	int (*read)(struct reading *r, const char *word, const char *arg);
};

/* The rows in order; NULL after the last, and the first after NULL. */
const struct tunnel_option *option_next(const struct tunnel_option *prev);

/* The row that a word means in a dialect; NULL: it is a NAME. */
const struct tunnel_option *option_find(const char *word, enum dialect dialect);

/* NAME of a tunnel, bare or after `name` (in grammar.c: it may load the tunnel). */
int reading_name(struct reading *r, const char *name);

#endif
