/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of the daemon's answer to `get` and `list`, as a value. */
#ifndef TUNL_CLI_ROW_H
#define TUNL_CLI_ROW_H

#include <jansson.h>

#include "cli/ctl.h"
#include "model/prl.h"
#include "model/stats.h"
#include "model/tunnel.h"
#include "wire/ip4.h"

struct tunnel_row {
	struct tunnel_cfg cfg;	    /* cfg.name: as created */
	char ifname[TUNL_NAME_LEN]; /* as it is called now */
	u32 ifindex;
	u32 mtu;
	bool up;
	char datapath[8]; /* in use: "bpf", "user" */
	char why[160];	  /* why that one */
	struct tunnel_stats stats;
	struct prl routers; /* of isatap */
};

/* Whether `show` lists the routers: iproute2 asks for them where the protocol is IPv6 alone, not
 * `any`. */
static inline bool row_lists_routers(const struct tunnel_row *row)
{
	return row->cfg.mode == MODE_ISATAP && row->cfg.proto == PROTO_IPV6;
}

/* Read a row. -EPROTO with e filled where the daemon's words make no sense. */
int row_read(json_t *json, struct tunnel_row *row, struct err *e);

/* Every tunnel of the caller's namespace, by ifindex. *rows is the caller's to free(). */
int row_list(struct tunnel_row **rows, size_t *n, struct err *e);

/*
 * One tunnel: by device, or with name NULL by config's mode and addresses.
 * -ENODEV no such device, -EOPNOTSUPP no tunnel of ours, -ENOENT no match.
 */
int row_get(const char *name, const struct tunnel_cfg *by, struct tunnel_row *row, struct err *e);

#endif
