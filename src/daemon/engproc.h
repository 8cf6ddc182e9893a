/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine as a child process, and the parent's half of engine/proto.h. A
 * dead engine is started again and told everything again; nobody waits for that
 * but a request (engproc_ensure).
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

/*
 * Tell it. What it knows already is not told again; what cannot be told (it is
 * dead) is told when it is ready again, by reconcile. -errno where descriptors
 * for it cannot be had.
 */
int engproc_tunnel_set(struct tunnel *t);
void engproc_tunnel_del(struct tunnel *t);
void engproc_ns_flush(struct ns *ns);
void engproc_ns_del(struct ns *ns);

#endif
