/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is counted per tunnel, in one form for the BPF maps, the engine's
 * shared memory and the command. The driver's link counters are derived from
 * the reasons (stats_link_counter).
 */
#ifndef TUNL_MODEL_STATS_H
#define TUNL_MODEL_STATS_H

#include "lib/types.h"
#include "model/reasons.h"

struct tunnel_stats {
	u64 rx_packets, rx_bytes; /* bytes of inner packets */
	u64 tx_packets, tx_bytes;
	u64 multicast;
	u64 reason[R__MAX];
};

/* Add src to dst, field by field. */
void stats_add(struct tunnel_stats *dst, const struct tunnel_stats *src);

/* A link counter of the driver, one of C_* (model/reasons.h), from the reasons. */
u64 stats_link_counter(const struct tunnel_stats *s, u32 counter);

#endif
