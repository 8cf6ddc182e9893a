/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tunl can be told to do, as a table: `tunl help`, the completion for shells and the
 * test that the manual has it all are made from it. Constant; lives as long as the program.
 */
#ifndef TUNL_CLI_VERBS_H
#define TUNL_CLI_VERBS_H

#include <stdbool.h>
#include <stddef.h>

struct verb {
	const char *word;     /* "add"; of a command with commands of its own, "lab run" */
	const char *synopsis; /* what stands behind it; a line a form; NULL: what `ip` has */
	const char *summary;  /* one phrase */
	const char *text;     /* the rest of its help, a line a paragraph; NULL: no more */
	/*
	 * What may follow, for completion: words parted by blanks, of which @tunnel, @dev,
	 * @netns, @file, @lab, @verb and @options stand for what there is of these.
	 */
	const char *next;
	bool any_beginning; /* as of the verbs of `ip tunnel`, any beginning will do */
	bool has_options;   /* the options of a tunnel (model/options.h) are its words */
};

/* The rows in order; NULL after the last, and the first after NULL. */
const struct verb *verb_next(const struct verb *prev);

/* By all its words, or where it may by a beginning; NULL: there is none. */
const struct verb *verb_find(const char *words);

/* The row whose word is most like it; NULL: none is. */
const struct verb *verb_like(const char *words, const struct verb *prev);

/* Values that may stand behind a word or for the name of an argument ("MODE"); NULL: anything. */
const char *verb_values(const char *word);

#endif
