/* SPDX-License-Identifier: BSD-2-Clause */
/* `tunl daemon status|stop|restart`. */
#ifndef TUNL_CLI_DAEMON_CMD_H
#define TUNL_CLI_DAEMON_CMD_H

#include "cli/cli.h"

/* argv[0] is "daemon". The exit status: of `status` 3 where no daemon runs. */
int daemon_main(const struct cli *cli, int argc, char **argv);

#endif
