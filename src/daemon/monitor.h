/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who watches what happens to tunnels (`tunl monitor`). A subscriber is a client of the
 * control socket whose answer does not end: events are queued for it as JSON, MONITOR_QUEUE
 * at most. One that reads too slowly loses the newest and is told how many.
 *
 * A struct monitor is there from the first subscriber to the last; without it an event
 * costs a comparison.
 */
#ifndef TUNL_DAEMON_MONITOR_H
#define TUNL_DAEMON_MONITOR_H

#include "daemon/control.h"
#include "daemon/daemon.h"

enum { MONITOR_QUEUE = 256, MONITOR_SUBSCRIBERS = 16 };

/*
 * Events of tunnels that are in the namespace who, or were made there (NULL: of all) for
 * client c, as the rows of its answer. -errno with e filled.
 */
int monitor_subscribe(struct daemon *d, const struct ns_identity *who, struct client *c,
		      struct rows *rows, struct err *e);

bool monitor_watched(const struct daemon *d);

/* The tunnel was "added", "changed" or "deleted". Of one not told of as added nothing is told. */
void monitor_tunnel(struct tunnel *t, const char *what);

/* The path to its remote carries mtu bytes now, as somebody on it told. */
void monitor_pmtu(const struct tunnel *t, be32 dst, u32 mtu);

/* The peer is silent for so many seconds; 0: it is back. */
void monitor_peer(const struct tunnel *t, u32 silent_s);

/* Packets were dropped for a reason that none had been for a while. */
void monitor_drops(const struct tunnel *t, enum reason r, u64 n);

/* Another datapath carries it now. */
void monitor_datapath(const struct tunnel *t);

#endif
