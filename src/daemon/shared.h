/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters file that parent and engine map, and the slots in it: one a
 * tunnel, taken at its creation, given back at its end.
 */
#ifndef TUNL_DAEMON_SHARED_H
#define TUNL_DAEMON_SHARED_H

#include "daemon/daemon.h"

/* Map path, made anew where it is missing or of another layout. -errno with e filled. */
int shared_open(struct shared **sh, const char *path, struct err *e);
void shared_close(struct shared *sh);

/* For the engine; owned by sh. */
int shared_fd(const struct shared *sh);

/*
 * The lowest free slot, zeroed, with the memory behind it there already: a full
 * file system fails this and not the engine. -errno.
 */
int shared_take(struct shared *sh, u32 *slot);

/* Take a slot as it is, with its counters, after a restart. -EBUSY: taken. */
int shared_take_again(struct shared *sh, u32 slot);

void shared_give(struct shared *sh, u32 slot);

/* The sequence numbers as the file has them (engine/proto.h). */
struct mode_state *shared_state(struct shared *sh, u32 slot);

/*
 * The place of an association, zeroed, and of a namespace's Xfrm counters; as of
 * tunnels. The pointers are into what both processes map.
 */
struct sa_live;
struct xfrm_mib;
int shared_sa_take(struct shared *sh, u32 *slot, struct sa_live **live);
int shared_sa_take_again(struct shared *sh, u32 slot, struct sa_live **live);
void shared_sa_give(struct shared *sh, u32 slot);
int shared_mib_take(struct shared *sh, u32 *slot);
void shared_mib_give(struct shared *sh, u32 slot);
const struct xfrm_mib *shared_mib(const struct shared *sh, u32 slot);

/* What the engine counted. */
const struct tunnel_stats *shared_stats(const struct shared *sh, u32 slot);

/* What it dropped that is no tunnel's, by reason, of all namespaces since the file was made. */
const u64 *shared_unmatched(const struct shared *sh);

#endif
