/* SPDX-License-Identifier: BSD-2-Clause */
/* Many commands from a file, one a line (spec cli 1.1). */
#ifndef TUNL_CLI_BATCH_H
#define TUNL_CLI_BATCH_H

#include "cli/cli.h"

/*
 * Part a line into words, in place: quotes '...' and "..." hold blanks, `#`
 * begins a comment. The number of words; -1: more than max.
 */
int batch_split(char *line, char **words, int max);

/* Runs one command; returns its exit status. words[argc] is NULL. */
typedef int batch_command(void *ctx, int argc, char **words);

/*
 * Run every line of file (`-` is stdin). The exit status: 0; 1 where a command
 * failed (and with force the others were run); 255 at once where one was a
 * syntax error, even with force.
 */
int batch_run(const char *file, bool force, batch_command *run, void *ctx);

#endif
