/* SPDX-License-Identifier: BSD-2-Clause */
/* The device of a tunnel: a persistent TUN device that looks like the driver's. */
#ifndef TUNL_DAEMON_TUN_H
#define TUNL_DAEMON_TUN_H

#include "daemon/daemon.h"

/*
 * Make a device in ns: name and properties as spec cli 4.5 has them, mtu in
 * bytes. It lasts only as long as *queue until tun_keep(). -errno with e filled:
 * -EEXIST, -E2BIG, -EINVAL for the name; -ENODEV, -EPERM for /dev/net/tun.
 */
int tun_create(struct ns *ns, const struct tunnel_cfg *cfg, struct rtnl_link *made, int *queue,
	       struct err *e);

/* What a tunnel's device is marked with, of whatever daemon: told from the state file alone. */
u32 tun_mark(const struct ns_identity *home, u32 slot, u64 order);

/* Let it outlive its queue, marked. */
int tun_keep(int queue, u32 mark);

/*
 * A queue of the existing device of that name in ns. -EBUSY: an engine that is
 * about to end still has it.
 */
int tun_attach(struct ns *ns, const char *name, int *queue, struct err *e);

/* What the driver would give the device: spec datapath 1.1. */
u32 tun_default_mtu(struct ns *ns, const struct tunnel_cfg *cfg);

/* That of one whose device or mark was changed; mtu: until now (spec cli 4.3). */
u32 tun_rebound_mtu(struct ns *ns, const struct tunnel_cfg *cfg, u32 mtu);

/* Whether the device has a carrier. 0 or -errno (Linux before 5.0 cannot be told). */
int tun_carrier(int queue, bool on);

/* Show remote as the device's peer (best effort; the local part cannot be shown). */
void tun_show_peer(struct ns *place, u32 ifindex, be32 remote);

#endif
