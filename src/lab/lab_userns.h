/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps into a user namespace, for lab_rootless.c and lab_home.c. */
#ifndef TUNL_LAB_LAB_USERNS_H
#define TUNL_LAB_LAB_USERNS_H

#include "lib/err.h"

/*
 * New user, network, mount and (for children) process namespaces, the caller
 * being root in them. -errno with e filled, the remedy in it.
 */
int lab_userns_make(struct err *e);

/* In the first process of these: /run is empty, /proc that of the processes within. */
int lab_userns_settle(struct err *e);

/*
 * Go on in a child, for which TUNL_RUNDIR is /run/tunl: returns 0 there. The
 * caller waits for it, calls after (which may be NULL) and exits as it did.
 */
int lab_userns_fork(void (*after)(void *ctx), void *ctx, struct err *e);

#endif
