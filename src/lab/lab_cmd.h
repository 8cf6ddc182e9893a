/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running the lab's commands: fork and exec of exactly the words shown, the
 * output read as it comes, an end to what hangs, and signals that end the lab
 * taken notice of between (or, where it may take long, within) commands.
 *
 * Between lab_signals_hold() and lab_signals_release() SIGINT, SIGTERM, SIGHUP
 * and SIGQUIT are blocked and read from a descriptor, and SIGPIPE is ignored:
 * nothing ends the process before it has taken its lab down.
 */
#ifndef TUNL_LAB_LAB_CMD_H
#define TUNL_LAB_LAB_CMD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "lab/lab_topo.h"
#include "lab/lab_ui.h"

struct lab_signals {
	int fd;	      /* signalfd; -1: not held */
	int caught;   /* the signal that asked us to end; 0: none */
	sigset_t old; /* children get this mask */
};

int lab_signals_hold(struct lab_signals *s);
void lab_signals_release(struct lab_signals *s);

/* The signal that asked us to end, looking for one now; 0: none. Does not wait. */
int lab_signals_check(struct lab_signals *s);

struct lab_result {
	int status; /* exit status; 127: not to be run; 128 + signal */
	bool timed_out, interrupted;
	double ms;
	size_t len;
	char out[16384]; /* what it printed (stdout and stderr), NUL at its end; more is cut */
};

enum {
	LAB_CMD_INTERRUPTIBLE = 1 << 0, /* a signal ends it: it changes nothing */
	LAB_CMD_SILENT = 1 << 1,	/* its output is not shown */
};

/*
 * Run w, its output also to ui. Where its first word, or the one after
 * `ip netns exec NS`, is "tunl", this executable is run. Returns r->status.
 */
int lab_cmd_run(struct lab_ui *ui, struct lab_signals *sig, const struct lab_words *w,
		unsigned flags, struct lab_result *r);

/* The last line of r->out that is not empty, or "" (in buf, cut to fit). */
const char *lab_result_last_line(const struct lab_result *r, char *buf, size_t len);

/* The path of this executable. False: /proc is not there. */
bool lab_self_path(char *buf, size_t len);

#endif
