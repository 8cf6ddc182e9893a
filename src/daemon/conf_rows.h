/* SPDX-License-Identifier: BSD-2-Clause */
/* What a reading of the files changes, as it is told. */
#ifndef TUNL_DAEMON_CONF_ROWS_H
#define TUNL_DAEMON_CONF_ROWS_H

#include "daemon/conf_impl.h"

enum conf_action { CONF_ADD, CONF_CHANGE, CONF_DELETE };

/* Texts are lent; was or line is NULL where there is none. */
typedef void conf_plan_fn(void *ctx, enum conf_action action, const char *was, const char *line);

struct conf_plan {
	bool dry;  /* only tell */
	bool keep; /* take nothing away */
	conf_plan_fn *fn;
	void *ctx;
};

/*
 * Read the files and make them what is wanted, as p says. Their mistakes are told to
 * `wrong`, and nothing changes: -EINVAL. -errno with e filled.
 */
int conf_reread(struct confd *k, const struct conf_plan *p, conf_error_fn *wrong, void *ctx,
		struct err *e);

/*
 * At start what is right is done; while something is wrong nothing is taken away for it.
 * 0 or -ENOMEM.
 */
int conf_begin(struct confd *k);

/* A mistake, to the log. */
void conf_log_mistake(void *ctx, const struct conf_where *at, const char *text);

/* Whether the tunnel that en made is there still, with the parameters it was made with. */
bool conf_is_there(struct confd *k, const struct conf_entry *en, const struct conf_tunnel *t);

#endif
