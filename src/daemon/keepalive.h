/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the other end of a tunnel with `keepalive` is there: every keep_s seconds the
 * engine sends a probe, and after keep_n without anything of the peer the device loses its
 * carrier, until something comes. Anything that came counts, by whatever datapath.
 */
#ifndef TUNL_DAEMON_KEEPALIVE_H
#define TUNL_DAEMON_KEEPALIVE_H

#include "daemon/daemon.h"

/* t is new, or has another `keepalive`. */
void keepalive_follow(struct tunnel *t);

/* The engine had an answer of from. */
void keepalive_heard(struct tunnel *t, be32 from);

void keepalive_end(struct daemon *d);

#endif
