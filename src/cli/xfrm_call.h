/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of `tunl xfrm` share: a call, on the stack of xfrm_main(). */
#ifndef TUNL_CLI_XFRM_CALL_H
#define TUNL_CLI_XFRM_CALL_H

#include "cli/xfrm.h"

/* A call: its words, and what a list is to show. */
struct call {
	const struct cli *cli;
	const char *object;
	struct words w;
	struct err e;
	bool keys;
	json_t *rows; /* with -j: what was printed */
	/* of a list: what it is narrowed to, and with *_set whether by that */
	struct xfrm_name id;
	bool mode_set, reqid_set, dir_set, index_set, action_set, priority_set, sub_set;
	u32 mode, reqid, flags, dir, index, action, priority, sub;
	struct xfrm_sel sel;
	u32 deleted; /* by deleteall */
};

/* Ask tunld; row as of struct ctl_request, with c. 0 or -errno with c->e filled. */
int xfrm_request(struct call *c, const char *op, const char *line,
		 int (*row)(void *ctx, json_t *row));

/* Say what the grammar, or what rtnetlink would have, against it; the exit status. */
int xfrm_complain(const struct call *c);
int xfrm_refused(const struct call *c);

/* A row of tunld's as c wants it printed. */
int xfrm_print_row(void *ctx, json_t *row);

/* The words that name a state. */
void xfrm_fill_id(const struct xfrm_name *id, const struct xfrm_markmask *m, struct text *t);

/* --- xfrm_list.c */
int xfrm_list(struct call *c, const char *op);
int xfrm_delete_all(struct call *c, const char *op);

#endif
