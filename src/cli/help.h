/* SPDX-License-Identifier: BSD-2-Clause */
/* `tunl help VERB`, from the tables. */
#ifndef TUNL_CLI_HELP_H
#define TUNL_CLI_HELP_H

#include <stdio.h>

#include "model/options.h"

enum { HELP_WORDS = 64 };

/* "ttl|hoplimit|hlim TTL": an option with its other spellings and its argument. */
void help_option_words(const struct tunnel_option *o, char buf[static HELP_WORDS]);

/* The forms of all verbs but those of tunnels, a line each; width: columns there are. */
void help_commands(FILE *out, int width);

/* Columns of the terminal behind out, or as COLUMNS says, 40..100; 80 where there is none. */
int help_width(FILE *out);

/* `tunl help VERB...` (argv: VERB...), on standard output. The exit status. */
int help_main(int argc, char **argv);

#endif
