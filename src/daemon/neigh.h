/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The neighbour entries of next hops as tunl_neigh has them: for each next hop of
 * some tunnel of a namespace one struct neigh, counted, kept by notifications.
 */
#ifndef TUNL_DAEMON_NEIGH_H
#define TUNL_DAEMON_NEIGH_H

#include "daemon/daemon.h"

struct neigh;

/*
 * The entry of `via` on oif, whose programs' load is there; NULL: there is no room,
 * and the programs ask the kernel. neigh_give() gives it back, NULL is fine.
 */
struct neigh *neigh_take(struct ns *ns, u32 oif, be32 via);
void neigh_give(struct ns *ns, struct neigh *n);

/* Its number in tunl_neigh; NULL: 0. */
u32 neigh_index(const struct neigh *n);

/* The kernel says that an entry changed or went. */
void neigh_event(struct ns *ns, const struct nlmsghdr *nlh);

/* What a device is like changed (0: notifications were lost, it may be any): write again. */
void neigh_refresh(struct ns *ns, u32 ifindex);

/* Forget all of a namespace's. */
void neigh_free(struct ns *ns);

/* Keep telling the programs that somebody is there. */
void neigh_beat_start(struct daemon *d);

/* The beat of a namespace whose maps are new, or new to us. */
void neigh_beat_init(struct bpf_ns_state *st);

#endif
