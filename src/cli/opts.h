/* SPDX-License-Identifier: BSD-2-Clause */
/* tunl's global options (spec cli 1.1), those of iproute2 that make sense here. */
#ifndef TUNL_CLI_OPTS_H
#define TUNL_CLI_OPTS_H

#include <stddef.h>

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

/* An option as people are told of it. */
struct opt_row {
	const char *word; /* "statistics"; any beginning of it will do */
	const char *arg;  /* of its argument: "NETNS"; NULL: it takes none */
	const char *help; /* one phrase; NULL: nothing to tell */
	char letter;	  /* the usual beginning: 's'; 0: the word itself */
};

/* The rows in order; NULL where there is no i-th. */
const struct opt_row *opts_row(size_t i);

#endif
