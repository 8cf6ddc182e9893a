/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon as the lab sees it: is it there, is it needed, away with it. */
#ifndef TUNL_LAB_LAB_DAEMON_H
#define TUNL_LAB_LAB_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

/* The process that listens on the control socket; 0: none does. Starts none. */
pid_t lab_daemon_pid(void);

/* Whether it has a tunnel to look after, in whichever namespace. */
bool lab_daemon_is_needed(void);

/* Stop it and wait, for up to 5 s, until its process has gone. */
void lab_daemon_stop(pid_t pid);

#endif
