/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lab for an ordinary user: in a user namespace where that user is root,
 * with network, mount and process namespaces of its own. /run is an empty tmpfs
 * there, so that `ip netns` works and tunld has its socket.
 *
 * A lab that is run and taken down has such namespaces for itself; with its
 * process everything in them ends, the daemon included. Labs left standing have
 * a home: namespaces of the user's that a process of ours keeps, and that later
 * commands join. The home goes with its last lab.
 */
#ifndef TUNL_LAB_LAB_ROOTLESS_H
#define TUNL_LAB_LAB_ROOTLESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/err.h"

/* Whether this process may make namespaces, devices and raw sockets as it is. */
bool lab_is_privileged(void);

/*
 * Go on in new namespaces. Returns 0 in a new process, which shall exit; the
 * calling process waits for it, passes on the signals that end labs, and exits
 * with its status. -errno with e filled: no such namespaces are to be had.
 */
int lab_rootless_enter(struct err *e);

/* The process that keeps the caller's home; 0: there is none. */
pid_t lab_home_find(void);

/* Make the home. -errno with e filled. */
int lab_home_make(pid_t *keeper, struct err *e);

/* Go on in the home, as lab_rootless_enter() does. */
int lab_home_join(pid_t keeper, struct err *e);

#endif
