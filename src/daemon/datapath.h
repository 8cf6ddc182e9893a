/* SPDX-License-Identifier: BSD-2-Clause */
/* Which datapath carries a tunnel, and the programs and entries that the bpf one needs. */
#ifndef TUNL_DAEMON_DATAPATH_H
#define TUNL_DAEMON_DATAPATH_H

#include "daemon/daemon.h"

/*
 * Decide for every tunnel made in ns, and make programs and maps so. Failures
 * lead to the user datapath; the tunnel's `why` tells.
 */
void datapath_apply(struct ns *ns);

/* The same for the touched ones alone. False: that will not do, the whole has to be done. */
bool datapath_apply_touched(struct ns *ns);

/* Take a tunnel that ends out of programs and maps. */
void datapath_release(struct tunnel *t);

/* Take what an earlier daemon left off all devices of a namespace without tunnels. */
void datapath_sweep(struct ns *ns);

/* What both datapaths counted. */
void datapath_stats(struct tunnel *t, struct tunnel_stats *sum);

#endif
