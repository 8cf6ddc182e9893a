/* SPDX-License-Identifier: BSD-2-Clause */
/* What others do with a tunnel's device - `ip link set`, `ip link del` - is followed. */
#ifndef TUNL_DAEMON_FOLLOW_H
#define TUNL_DAEMON_FOLLOW_H

#include "daemon/daemon.h"

/*
 * Look at the devices of the tunnels made in ns that netlink spoke of: renamed,
 * up or down, another MTU, moved to another namespace, deleted. What is deleted
 * is forgotten here.
 */
void follow_devices(struct ns *ns);

/* The same for those that are touched only. */
void follow_touched(struct ns *ns);

/* Forget every tunnel that was made in ns or whose device is in it: ns has ended. */
void follow_end(struct ns *ns);

#endif
