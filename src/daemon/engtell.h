/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the engine is told of namespaces and tunnels: the parent's half of
 * engine/proto.h. What it knows already is not told again; what cannot be told
 * (it is dead) is told when it is ready again, by reconcile. -errno where
 * descriptors for it cannot be had.
 */
#ifndef TUNL_DAEMON_ENGTELL_H
#define TUNL_DAEMON_ENGTELL_H

#include "daemon/daemon.h"

int engtell_tunnel_set(struct tunnel *t);
void engtell_tunnel_del(struct tunnel *t);
/* Have a probe sent (engine/keepalive.h). -errno: it was not. */
int engtell_probe(struct tunnel *t);

/* Sockets for the marks of associations, with the namespace entered. */
int engtell_marks(struct ns *ns);

void engtell_ns_flush(struct ns *ns);
void engtell_ns_del(struct ns *ns);

#endif
