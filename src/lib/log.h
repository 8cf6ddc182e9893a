/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of a process: one sink, bounded in size and in rate. Lines are whole
 * sentences; the first word is the thing spoken of.
 */
#ifndef TUNL_LIB_LOG_H
#define TUNL_LIB_LOG_H

#include <stddef.h>

enum { LOG_BYTES = 256 * 1024 }; /* a file is begun anew after so many; the old one stays once */

/* Write to standard error; journal: with the priority marks of systemd. */
void log_to_stderr(int journal);

/*
 * Append to the file, which is made with mode 0600. When it is full it is
 * renamed to PATH.1. 0 or -errno (the log then goes on where it was going).
 */
int log_to_file(const char *path);

void log_close(void);

/* One line. A line that says what the last one said is counted, not written. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
