/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The group that a tunnel with a multicast remote is in while it is up (spec
 * datapath 7.4): a socket of the parent's is the member, so the kernel speaks
 * IGMP and takes the group's packets in.
 */
#ifndef TUNL_DAEMON_GROUP_H
#define TUNL_DAEMON_GROUP_H

#include "lib/types.h"

struct tunnel;

/* Part of a tunnel; zero: in none. */
struct membership {
	bool joined;
	int fd;	 /* with joined */
	int err; /* of the last attempt, positive: it was told of */
	be32 addr;
};

/* Join or leave as t is now; its namespace is entered. */
void group_follow(struct tunnel *t);

void group_leave(struct membership *g);

#endif
