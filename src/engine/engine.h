/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine as its parent sees it: a process that is one function long. */
#ifndef TUNL_ENGINE_ENGINE_H
#define TUNL_ENGINE_ENGINE_H

enum {
	ENGINE_UID = 65534, /* it becomes this user and group, where they are mapped */
	ENGINE_NS_FDS = 5,  /* descriptors of ENGINE_NS_ADD; the last is absent without IPv6 */
};

/*
 * Be the engine: descriptors ENGINE_FD and ENGINE_SHARED_FD are open (engine/proto.h).
 * Gives up every privilege first, says ENGINE_READY, and returns the exit status
 * when the parent closes its end (0) or something makes it impossible to go on.
 */
int engine_main(void);

#endif
