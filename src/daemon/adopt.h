/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TUNL_DAEMON_ADOPT_H
#define TUNL_DAEMON_ADOPT_H

#include "daemon/daemon.h"

/*
 * Open the state file and take over every tunnel in it whose device is there
 * still, in whichever namespace; a line whose device is gone is dropped.
 * -errno with e filled.
 */
int adopt_all(struct daemon *d, struct err *e);

#endif
