/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of a configuration: DIR/NAME.conf, then DIR/NAME.d/X.conf by name. */
#ifndef TUNL_LIB_CONFDIR_H
#define TUNL_LIB_CONFDIR_H

#include <stddef.h>

#include "lib/err.h"

enum { CONFDIR_BYTES = 256 * 1024 * 1024 }; /* of a file, at most */

/* All of a file, with a NUL behind it; *text is the caller's. `-`: standard input. */
int confdir_read(const char *path, char **text, size_t *len, struct err *e);

/* Text is lent. Anything but 0 ends the walk with it. */
typedef int confdir_fn(const char *path, const char *text, size_t len, void *arg);

/*
 * fn for each of them; none is no mistake. -errno with e filled where one cannot be
 * read.
 */
int confdir_each(const char *dir, const char *name, confdir_fn *fn, void *arg, struct err *e);

/*
 * Where the configuration is: TUNL_CONFDIR, else the usual folder; NULL where
 * TUNL_RUNDIR says that this is a world of its own, which has none.
 */
const char *confdir_path(void);

#endif
