/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the reader of a configuration (conf.c) and the words of devices (conf_words.c). */
#ifndef TUNL_MODEL_CONF_IMPL_H
#define TUNL_MODEL_CONF_IMPL_H

#include "model/conf.h"

/* A word of the text; text is NUL-terminated, in the reader's copy. */
struct conf_token {
	char *text;
	u32 line, column;
	bool literal; /* a backslash was before it: no brace */
};

/* The words of one tunnel, gone through from the front. */
struct conf_words {
	struct conf_token *token;
	u32 n, at;
	struct err *e;
};

/*
 * Take the word at w->at, with what belongs to it, into t. Words taken; 0: it is none of
 * the device's; -errno with w->e filled, and w->at at the word that is wrong.
 */
int conf_take(struct conf_words *w, struct conf_tunnel *t);

#endif
