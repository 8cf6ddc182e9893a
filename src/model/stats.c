/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/stats.h"

void stats_add(struct tunnel_stats *dst, const struct tunnel_stats *src)
{
	dst->rx_packets += src->rx_packets;
	dst->rx_bytes += src->rx_bytes;
	dst->tx_packets += src->tx_packets;
	dst->tx_bytes += src->tx_bytes;
	dst->multicast += src->multicast;
	for (u32 r = 0; r < R__MAX; r++)
		dst->reason[r] += src->reason[r];
}

u64 stats_link_counter(const struct tunnel_stats *s, u32 counter)
{
	u64 sum = 0;

	for (u32 r = R_NONE + 1; r < R__MAX; r++)
		if (reason_info((enum reason)r)->counters & counter)
			sum += s->reason[r];
	return sum;
}
