/* SPDX-License-Identifier: BSD-2-Clause */
/* Tunnels and counts as the control protocol has them. New references; NULL: no memory. */
#ifndef TUNL_DAEMON_TUNNEL_JSON_H
#define TUNL_DAEMON_TUNNEL_JSON_H

#include <jansson.h>

#include "daemon/daemon.h"

/* Counts by reason, of those that moved. */
json_t *reasons_json(const u64 *count);

json_t *stats_json(const struct tunnel_stats *s);

/* A row of `get` and `list`. */
json_t *tunnel_json(struct tunnel *t);

#endif
