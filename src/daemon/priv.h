/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every act of tunld's parent that needs privilege, save rtnetlink requests and
 * BPF loading, both of which are made between priv_enter() and priv_leave().
 * What is refused inside a user namespace (EPERM) is gone without where that
 * can be.
 */
#ifndef TUNL_DAEMON_PRIV_H
#define TUNL_DAEMON_PRIV_H

#include <sys/types.h>

#include "lib/err.h"
#include "lib/types.h"

/*
 * Take the process away from where it was started: the mount namespace of
 * process 1 (unless dir, the run folder, is not the same folder there), an empty
 * network namespace of its own; and raise the limits of descriptors and of locked
 * memory. Best effort: what is not permitted is left.
 */
void priv_isolate(const char *dir);

/* Keep only the capabilities that the parent uses, and never gain others. */
int priv_drop(void);

/*
 * Enter the network namespace nsfd for some system calls. 0 or -errno; after 0
 * priv_leave() must follow. Calls do not nest.
 */
int priv_enter(int nsfd);
void priv_leave(void);

/* What priv_tun_open() is to make. */
struct priv_tun {
	char name[16];
	u16 link_type; /* ARPHRD_* */
	bool create;   /* a new device; else attach to the one of that name */
};

/*
 * A queue of a TUN device in the namespace entered, as the engine wants it
 * (engine/sockets.h). A device
 * that is made is down, and goes with the descriptor until priv_tun_persist().
 * The descriptor or -errno with e filled. -EEXIST: the name is taken; -EBUSY:
 * another process has the queue.
 */
int priv_tun_open(const struct priv_tun *want, struct err *e);

/*
 * Let it outlive the descriptor: root's, and marked by a group that nobody is in,
 * so that it is known again (rtnl_link.tun_group).
 */
int priv_tun_persist(int queue, u32 group);

/* The name now, and the namespace now (a descriptor), of the device behind a queue. */
int priv_tun_name(int queue, char name[static 16]);
int priv_tun_ns(int queue);

#endif
