/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine as a child process. A dead engine is started again and told
 * everything again (engtell.h); nobody waits for that but a request
 * (engproc_ensure).
 */
#ifndef TUNL_DAEMON_ENGPROC_H
#define TUNL_DAEMON_ENGPROC_H

#include "daemon/daemon.h"

/* Start it. -errno with e filled. */
int engproc_start(struct daemon *d, struct err *e);

/* End it for good; returns when it is gone. */
void engproc_end(struct daemon *d);

/* Wait until it is ready, starting it where it is dead. -errno with e filled. */
int engproc_ensure(struct daemon *d, struct err *e);

bool engproc_is_ready(const struct daemon *d);
pid_t engproc_pid(const struct daemon *d);

/* A message about associations. */
int engproc_send_xfrm(struct daemon *d, const struct engine_xfrm_msg *m);

/*
 * One message to it, the descriptors beside it. -errno: it is dead or hangs; its
 * end is then noticed by itself.
 */
int engproc_send(struct daemon *d, const struct engine_msg *m, const int *fds, size_t nfds);

#endif
