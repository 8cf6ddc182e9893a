/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a tunnel's outer packets go, as the maps of the bpf datapath have it. */
#ifndef TUNL_DAEMON_HOP_H
#define TUNL_DAEMON_HOP_H

#include "daemon/daemon.h"

/*
 * What the routing of t's home says for outer destination dst.
 * expires_ms (may be NULL): uv_now() when a learned path MTU is forgotten; 0: never.
 */
struct bpf_hop hop_lookup(struct tunnel *t, be32 dst, u64 *expires_ms);

#endif
