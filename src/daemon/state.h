/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state file: what tunnels are to be, one line each, and one more for the
 * routers of an ISATAP tunnel. The file only grows,
 * by a line for each change; the last line about a slot counts. When most of it
 * is history, and at each start, it is written anew beside itself and renamed.
 * A file of another boot says nothing about this one.
 */
#ifndef TUNL_DAEMON_STATE_H
#define TUNL_DAEMON_STATE_H

#include "daemon/daemon.h"
#include "model/prl.h"

enum { STATE_LINE = 4096 };

struct state_line {
	u32 slot;
	u64 order;
	struct ns_identity home, place;
	u32 ifindex;
	char ifname[TUNL_NAME_LEN]; /* its name when the line was written */
	struct tunnel_cfg cfg;
	struct prl routers;
};

/* The text of a tunnel, newlines included; its length. */
size_t state_print(const struct state_line *l, char buf[static STATE_LINE]);

/* Read it back (without the last newline). -EINVAL: not a text of ours. */
int state_read(const char *text, struct state_line *l);

typedef void state_line_fn(const struct state_line *l, void *arg);

/*
 * Open path, boot telling this boot from others, and call fn for each tunnel
 * that it holds, by order of creation. -errno with e filled.
 */
int state_open(struct state **s, const char *path, state_line_fn *fn, void *arg, struct err *e);
void state_close(struct state *s);

/* Append. -errno (a full file system): the file is as it was. */
int state_put(struct state *s, const struct state_line *l);
void state_forget(struct state *s, u32 slot);

#endif
