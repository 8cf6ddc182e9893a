/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TUNL_DAEMON_REQUEST_H
#define TUNL_DAEMON_REQUEST_H

#include "daemon/control.h"

/*
 * Do what a request says. 0 with *rows (next NULL: none), or -errno with e
 * filled: what the kernel's driver would have answered.
 */
int request_run(struct request *rq, struct rows *rows, struct err *e);

#endif
