/* SPDX-License-Identifier: BSD-2-Clause */
/* `tunl monitor`: what happens to tunnels, a line each, until it is interrupted. */
#ifndef TUNL_CLI_MONITOR_H
#define TUNL_CLI_MONITOR_H

#include "cli/cli.h"

/* argv[0] is the word `monitor`. The exit status; 0 when it was interrupted. */
int monitor_main(const struct cli *cli, int argc, char **argv);

#endif
