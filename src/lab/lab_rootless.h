/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lab for an ordinary user: in a user namespace where that user is root,
 * with network, mount and process namespaces of its own. /run is an empty tmpfs
 * there, so that `ip netns` works and tunld has its socket; with the lab's
 * process everything in it ends, the daemon included.
 */
#ifndef TUNL_LAB_LAB_ROOTLESS_H
#define TUNL_LAB_LAB_ROOTLESS_H

#include <stdbool.h>

#include "lib/err.h"

/* Whether this process may make namespaces, devices and raw sockets as it is. */
bool lab_is_privileged(void);

/*
 * Go on in such a namespace. Returns 0 in a new process, which shall exit; the
 * calling process waits for it, passes on the signals that end labs, and exits
 * with its status. -errno with e filled: no such namespace is to be had.
 */
int lab_rootless_enter(struct err *e);

#endif
