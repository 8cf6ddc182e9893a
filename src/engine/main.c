/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine's start: memory and seed while it still may, the sandbox, the loop. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/live.h"
#include "engine/sandbox.h"
#include "ipsec/crypt.h"
#include "ipsec/secret.h"

static int map_shared(struct live *l)
{
	void *m = mmap(NULL, sizeof(*l->shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		       ENGINE_SHARED_FD, 0);

	if (m == MAP_FAILED)
		return -errno;
	close(ENGINE_SHARED_FD);
	l->shared = m;
	if (l->shared->version != ENGINE_SHARED_VERSION ||
	    l->shared->slot_size != sizeof(struct engine_slot))
		return -EPROTO;
	l->engine.unmatched = l->shared->unmatched;
	return 0;
}

static int start(struct live *l)
{
	l->engine.io = &live_io;
	l->control = (struct live_fd){LIVE_CONTROL, ENGINE_FD};
	l->slot = calloc(ENGINE_SLOTS, sizeof(struct live_tunnel *));
	if (!l->slot)
		return -ENOMEM;
	if (getrandom(&l->engine.random, sizeof(l->engine.random), 0) < 0)
		return -errno;
	l->engine.random |= 1;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		return -errno;
	return live_watch(l, &l->control);
}

static int fail(const char *what, int err)
{
	fprintf(stderr, "tunld: the engine cannot %s: %s\n", what, strerror(-err));
	return EXIT_FAILURE;
}

int engine_main(void)
{
	struct live *l = calloc(1, sizeof(*l));
	const char *what = "map the counters";
	int locked = secret_init(), err;

	if (!l)
		return fail("start", -ENOMEM);
	err = map_shared(l);
	if (err)
		return fail(what, err);
	err = locked == -EPERM ? 0 : locked;
	if (!err)
		err = crypt_init();
	if (err)
		return fail("use libcrypto", err);
	err = start(l);
	if (err)
		return fail("start", err);
	err = sandbox_enter(&what);
	if (err)
		return fail(what, err);
	control_event(l, &(struct engine_event){.op = ENGINE_READY});
	if (locked)
		control_event(l,
			      &(struct engine_event){
				      .op = ENGINE_LOG,
				      .text = "keys cannot be locked in memory (RLIMIT_MEMLOCK)"});
	err = live_loop(l);
	if (err)
		return fail("go on", err);
	return EXIT_SUCCESS;
}
