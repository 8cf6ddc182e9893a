/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IPv6 addresses that the kernel gives its own tunnel devices when they come
 * up (spec datapath 8.3, spec cli 4.5). A TUN device gets none by itself.
 */
#ifndef TUNL_DAEMON_AUTO6_H
#define TUNL_DAEMON_AUTO6_H

#include "daemon/daemon.h"

/* A new device: the kernel shall not make any. Best effort. */
void auto6_prepare(struct ns *ns, u32 ifindex);

/* t's device came up. Where IPv6 is disabled for it, it stays without. */
void auto6_up(const struct tunnel *t);

#endif
