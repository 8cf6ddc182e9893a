/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the namespaces that we hold have anybody else: a name (a mount of the
 * nsfs file), a process, a thread, or a descriptor. One that has nobody is let
 * go of, and ends.
 */
#ifndef TUNL_DAEMON_SCAN_H
#define TUNL_DAEMON_SCAN_H

#include "daemon/daemon.h"

/* Follow the mounts, and look every SCAN_MS while there is something to look for. */
enum { SCAN_MS = 2000 };

int scan_init(struct daemon *d);
void scan_arm(struct daemon *d);
void scan_fini(struct daemon *d);

typedef void scan_ns_fn(int fd, void *arg);

/* fn with a descriptor of each namespace that has a name or a process. */
void scan_each_ns(scan_ns_fn *fn, void *arg);

/*
 * The same with those that a thread, a descriptor or a name in another mount
 * namespace keeps: every descriptor of every process is looked at.
 */
void scan_each_held_ns(scan_ns_fn *fn, void *arg);

#endif
