/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verbs of the tunnel language share. */
#ifndef TUNL_CLI_TUNNEL_H
#define TUNL_CLI_TUNNEL_H

#include "cli/cli.h"

/* Ifindex of a device of the caller's namespace; "ifN" is N (spec cli 1.5). 0: none. */
u32 dev_ifindex(void *ctx, const char *dev);

/* The device that messages name: NAME, else the mode's fallback device, else "". */
const char *tunnel_base(const struct tunnel_cfg *cfg);

/* Print what grammar_read() refused; `help` gets the usage. Returns the exit status. */
int tunnel_complain(const struct cli *cli, const struct err *e);

/* The usage text, on stderr. Returns EXIT_SYNTAX. */
int usage_main(const struct cli *cli, int argc, char **argv);

/* `prl` and `6rd` (spec cli 1.7, 1.8). */
int prl_main(const struct cli *cli, int argc, char **argv);
int sixrd_main(const struct cli *cli, int argc, char **argv);

#endif
