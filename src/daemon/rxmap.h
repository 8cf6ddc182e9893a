/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The receive lookup (spec datapath 3.2) as tunl_rx has it: which keys are out
 * of date, and writing them. A tunnel stands in its home's lookup while its
 * device is up.
 */
#ifndef TUNL_DAEMON_RXMAP_H
#define TUNL_DAEMON_RXMAP_H

#include "daemon/daemon.h"

/* Let t stand where its configuration and state say; marks what that changes. */
void rxmap_place(struct tunnel *t);

/* Take t out of the lookup. */
void rxmap_remove(struct tunnel *t);

/* What stands at t's addresses is to be written again. */
void rxmap_mark(struct ns *ns, const struct tunnel_cfg *cfg);
void rxmap_mark_all(struct ns *ns);

/* What the maps of an earlier daemon have. */
void rxmap_mark_adopted(struct ns *ns);

/* Write what is marked. The namespace is entered. 0 or -errno. */
int rxmap_write(struct ns *ns);

void rxmap_free(struct ns *ns);

#endif
