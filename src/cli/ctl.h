/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client of tunld's control socket (doc/design.md, "Control protocol").
 * TUNL_RUNDIR names the folder of the socket, TUNL_TUNLD the daemon to start.
 */
#ifndef TUNL_CLI_CTL_H
#define TUNL_CLI_CTL_H

#include <jansson.h>

#include "lib/err.h"
#include "lib/types.h"

/*
 * Seconds until a daemon that says nothing is given up: the kernel's verifier takes
 * several for the programs of a namespace on a slow machine.
 */
enum { CTL_PATIENCE = 15 };

struct ctl_request {
	const char *verb;   /* "add", "list", ... */
	const char *target; /* device; NULL: `-` */
	const char *config; /* grammar_print(); NULL: none */
	bool running;	    /* ask a running tunld only: never start one, not even to adopt */
	bool start;	    /* start tunld where none runs */
	/* Called for each row; row is borrowed. Non-zero ends the call with it. NULL: rows are not
	 * wanted. */
	int (*row)(void *ctx, json_t *row);
	void *ctx;
	int *fd; /* takes the descriptor that comes with a row, to be closed; NULL: none is wanted
		  */
};

/*
 * Ask the daemon, in the caller's network namespace. 0, or -errno: the daemon's
 * answer or why it could not be asked; e->code is then the errno, and e->text
 * holds cause and remedy where there is more to say than strerror does (else "").
 *
 * No daemon and not to start one: one is started all the same where it has a
 * state to adopt; else -ENOTCONN with e->text empty: there are no tunnels.
 * -EPERM: the socket does not admit the caller, or it lacks CAP_NET_ADMIN to start a daemon.
 */
int ctl_call(const struct ctl_request *req, struct err *e);

/*
 * Ask as ctl_call() does, and leave the answer to be read: a connection, each datagram a
 * row. Or -errno as there.
 */
int ctl_open(const struct ctl_request *req, struct err *e);

/* TUNL_RUNDIR or /run/tunl, and a file in it: into buf (PATH_MAX); returns buf. */
const char *ctl_rundir(void);
char *ctl_path(const char *file, char *buf, size_t size);

/* Whether the caller has CAP_NET_ADMIN in effect. */
bool ctl_is_admin(void);

#endif
