/* SPDX-License-Identifier: BSD-2-Clause */
/* tunld as a process: its place in the system, its lock, its socket. */
#ifndef TUNL_DAEMON_PROCESS_H
#define TUNL_DAEMON_PROCESS_H

#include "daemon/daemon.h"

/* Who started us and waits for us to be reachable. -1: nobody. */
struct starter {
	int word;     /* a byte is written when we are */
	int messages; /* its standard error */
};

/*
 * Go on in a child in a session of its own, with nothing as standard input,
 * output and error; the caller's process stays in here and ends with status 0
 * after process_ready(), else with the child's. Returns in the child only, or -errno.
 */
int process_background(struct starter *st);

/* Tell the starter that we can be talked to; then it is none of our business. */
void process_ready(struct starter *st);
void process_release(struct starter *st);

/* Tell it what is wrong. */
void process_complain(const struct starter *st, const char *text);

/*
 * One tunld a run folder: the lock, kept until the end of the process.
 * The descriptor; -EWOULDBLOCK: another has it.
 */
int process_lock(const char *rundir);

/* The control socket, listening: systemd's (LISTEN_FDS), a predecessor's, or a new one. -errno. */
int process_listen(const char *rundir, struct err *e);

/* Start the program anew in this process, handing on lock and socket. Returns on failure only. */
void process_again(char **argv, int lock_fd, int listen_fd);

/* Whether this is such a start: nobody waits, and we are a daemon already. */
bool process_is_successor(void);

/* Where the program is, found out before anything changes. */
void process_remember_path(void);

#endif
