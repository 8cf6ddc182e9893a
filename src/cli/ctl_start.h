/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting tunld where nothing else has. */
#ifndef TUNL_CLI_CTL_START_H
#define TUNL_CLI_CTL_START_H

#include "cli/ctl.h"

/* Connect to the control socket (ctl.c). The descriptor, or -errno. */
int ctl_connect(void);

/*
 * Start tunld and wait until it can be asked. A connection, or -errno with e
 * filled: no such program, it ended at once, it did not come up in time.
 */
int ctl_start(struct err *e);

#endif
