/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lab files: a lab as text that a person can copy and change (tunl-lab(7)). The
 * ones that come with tunl are embedded in the program, and installed beside it.
 */
#ifndef TUNL_LAB_LAB_FILE_H
#define TUNL_LAB_LAB_FILE_H

#include <stddef.h>

#include "lab/lab_topo.h"
#include "lib/err.h"

enum { LAB_FILE_MAX = 65536 }; /* bytes of a lab file */

/* The lab that is run where none is named. */
#define LAB_DEFAULT "ipip"

/* A string that a lab owns. */
struct lab_string {
	struct lab_string *next;
	char s[];
};

/*
 * Make a lab of a file's text of len bytes. `source` names it in errors
 * ("FILE:LINE:COLUMN: ..."), and the lab: its last part, without ".lab". NULL
 * with e filled. lab_topo_free() frees it.
 */
struct lab_topo *lab_file_parse(const char *source, const char *text, size_t len, struct err *e);

/* Read a file; NULL with e filled. */
struct lab_topo *lab_file_read(const char *path, struct err *e);

/* One of the labs that come with tunl. */
struct lab_builtin {
	char name[LAB_NAME_MAX + 1];
	const char *text;
	size_t len;
};

/* The i-th of them, in the order of their names; false: there are no more. */
bool lab_builtin_get(size_t i, struct lab_builtin *b);

/* By its name; false: there is none. */
bool lab_builtin_find(const char *name, struct lab_builtin *b);

/*
 * What is meant by a word of the command line: a file if it has a slash or ends in
 * .lab, else one of tunl's own. NULL with e filled (code ENOENT: no lab of that name).
 */
struct lab_topo *lab_load(const char *word, struct err *e);

#endif
