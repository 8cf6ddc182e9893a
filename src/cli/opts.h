/* SPDX-License-Identifier: BSD-2-Clause */
/* tunl's global options (spec cli 1.1), those of iproute2 that make sense here. */
#ifndef TUNL_CLI_OPTS_H
#define TUNL_CLI_OPTS_H

#include "cli/cli.h"

/*
 * Read the options at argv[0...] into cli; -n NETNS is entered at once. Returns
 * how many words they were, or -1 with *status the exit status (0 after -V).
 */
int opts_read(int argc, char **argv, struct cli *cli, int *status);

/*
 * Take those of -s -d -j -p -o -N and --config that stand right behind the verb
 * argv[0], and close the gap. Returns the new argc.
 */
int opts_after_verb(int argc, char **argv, struct cli *cli);

#endif
