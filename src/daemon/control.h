/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket (doc/design.md, "Control protocol"). A client that is slow
 * waits for itself alone: answers are made row by row as it takes them, and one
 * that takes none for CONTROL_PATIENCE_MS is let go.
 */
#ifndef TUNL_DAEMON_CONTROL_H
#define TUNL_DAEMON_CONTROL_H

#include <jansson.h>

#include "daemon/daemon.h"

enum {
	CONTROL_CLIENTS = 64, /* at once; further ones wait in the backlog */
	CONTROL_PATIENCE_MS = 10000,
	CONTROL_REQUEST = 2048, /* longest request */
};

struct client;

/* A request, read: what request.c is given. */
struct request {
	struct daemon *daemon;
	struct client *client;
	char *verb, *target, *config; /* config: "" if none */
	int ns_fd;		      /* the caller's namespace; -1: not sent */
	bool may_change;
	bool stop, restart; /* set by request.c: after the answer */
};

/*
 * The rows of an answer, made one at a time: next returns a row, or NULL when
 * there are no more. done is called in the end in any case. With waits that is not the
 * end: control_wake() says that there are rows again, and who asked ends it by going, or by
 * saying anything.
 */
struct rows {
	json_t *(*next)(void *ctx);
	void (*done)(void *ctx);
	void *ctx;
	bool waits;
	bool has_fd; /* fd goes with the first row, and is closed when it went */
	int fd;
};

/* Serve fd, a listening socket, which stays the caller's. 0 or -errno. */
int control_start(struct daemon *d, int fd);
void control_end(struct daemon *d);

/* The rows of client c, which wait, have more. */
void control_wake(struct client *c);

#endif
