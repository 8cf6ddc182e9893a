/* SPDX-License-Identifier: BSD-2-Clause */
/* Building a line in a buffer of fixed size: what does not fit is cut and told. */
#ifndef TUNL_LIB_TEXT_H
#define TUNL_LIB_TEXT_H

#include <stddef.h>

#include "lib/types.h"

struct text {
	char *buf; /* the caller's; always ends in a NUL */
	size_t size;
	size_t len; /* without the NUL */
	bool cut;   /* something did not fit */
};

/* Begin with an empty line. size is at least 1. */
void text_init(struct text *t, char *buf, size_t size);

/* Append as printf does. */
void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Split line, in place, at blanks into at most max words. The number of words;
 * -1: there are more.
 */
int text_split(char *line, char **words, int max);

/* Whether word is a beginning (not empty, perhaps all) of full. */
bool text_is_prefix(const char *word, const char *full);

/* Copy into a buffer of size bytes, cut where it must; always ends in a NUL. */
void text_copy(char *buf, size_t size, const char *from);

#endif
