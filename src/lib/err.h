/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The error value of the control path: a function that can fail returns 0 or a
 * negative errno and, where a person will read it, fills a struct err with the
 * thing, the cause and the remedy. Packet paths do not use it: they return
 * enum reason (model/reasons.h).
 */
#ifndef TUNL_LIB_ERR_H
#define TUNL_LIB_ERR_H

#include <stdarg.h>

struct err {
	int code;	/* positive errno; 0: no error */
	int status;	/* exit status the command should end with; 0: caller's choice */
	char text[256]; /* one line, no newline at its end */
};

/*
 * Fill e (which may be NULL) and return -code. code is a positive errno.
 */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Like err_set, with the exit status that the command shall end with
 * (1, 2 or 255: spec cli 0).
 */
int err_exit(struct err *e, int status, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
