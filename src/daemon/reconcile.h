/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one way from "something changed" to maps and engine being as tunnels,
 * devices, addresses and routes are. Start-up, notifications and requests all
 * end here; what is in order already costs a comparison.
 */
#ifndef TUNL_DAEMON_RECONCILE_H
#define TUNL_DAEMON_RECONCILE_H

#include "daemon/daemon.h"

/* Hear the notifications of a new ns, and have its timer. */
void reconcile_watch(struct ns *ns);

/* In a moment, in which further notifications may come: within 10 ms unless that would be all we
 * do. */
void reconcile_soon(struct ns *ns);
void reconcile_all(struct daemon *d);

/* Of a tunnel something changed that the others have no part in: look at it the next time. */
void reconcile_touch(struct tunnel *t);

/* The devices of touched tunnels are to be looked at, now. */
void reconcile_touched_soon(struct ns *ns);

/* Take in what was done to devices until now, so that a request sees it. */
void reconcile_settle(struct daemon *d);

/*
 * At once, for a request about t: -errno with e filled where t then is not
 * carried as asked. e may be NULL.
 */
int reconcile_now(struct ns *ns, struct tunnel *t, struct err *e);

#endif
