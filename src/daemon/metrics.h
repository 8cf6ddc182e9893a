/* SPDX-License-Identifier: BSD-2-Clause */
/* What `tunl metrics` is made of: all tunnels of all namespaces, and what was counted. */
#ifndef TUNL_DAEMON_METRICS_H
#define TUNL_DAEMON_METRICS_H

#include "daemon/control.h"
#include "daemon/daemon.h"

/*
 * Rows: {"version","namespaces","unmatched","gone"}, then a row a tunnel as of `list`, with
 * "netns" (inode), "pmtu" (0: not known) and "heard" (seconds ago; -1: not known). -ENOMEM.
 */
int metrics_rows(struct daemon *d, struct rows *rows, struct err *e);

/* t goes: what it counted stays in the sums. */
void metrics_keep(struct tunnel *t);

#endif
