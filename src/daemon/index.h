/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables that tunnels are found in: the daemon's by slot, a place's by device, a
 * home's by addresses. A tunnel stands in all of them from its making to its end, and is
 * entered again whenever one of these changes.
 */
#ifndef TUNL_DAEMON_INDEX_H
#define TUNL_DAEMON_INDEX_H

#include "daemon/daemon.h"

/* Enter t under what it is now. 0 or -ENOMEM: then it is in none. */
int index_enter(struct tunnel *t);
void index_leave(struct tunnel *t);

/* NULL: there is none. */
struct tunnel *index_by_slot(struct daemon *d, u32 slot);
struct tunnel *index_by_device(struct ns *place, u32 ifindex);

/* Another one with the same; NULL: no more. */
struct tunnel *index_next_device(const struct tunnel *t);

/* The tunnel made in home that the driver would find by these parameters (spec cli 4.1). */
struct tunnel *index_by_config(struct ns *home, const struct tunnel_cfg *cfg);

#endif
