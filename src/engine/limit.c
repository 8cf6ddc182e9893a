/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/limit.h"

/* The kernel's defaults: icmp_msgs_per_sec, icmp_msgs_burst, icmp_ratelimit. */
enum {
	ICMP_ALL_PER_SEC = 1000,
	ICMP_ALL_BURST = 50,
	ICMP_DEST_MS = 1000,
	ICMP_DEST_BURST = 6,
};

bool limit_has(struct limit *l, u64 now_ms, u32 interval_ms, u32 burst)
{
	u64 full = (u64)interval_ms * burst;

	if (!l->last_ms)
		l->credit_ms = full;
	else if (now_ms > l->last_ms)
		l->credit_ms = min_of(full, l->credit_ms + min_of(now_ms - l->last_ms, full));
	l->last_ms = max_of(now_ms, (u64)1);
	return l->credit_ms >= interval_ms;
}

bool limit_take(struct limit *l, u64 now_ms, u32 interval_ms, u32 burst)
{
	if (!limit_has(l, now_ms, interval_ms, burst))
		return false;
	l->credit_ms -= interval_ms;
	return true;
}

static struct limit *dest_limit(struct icmp_limits *l, be32 dst)
{
	u32 at = (u32)((dst.raw * 0x9e3779b97f4a7c15ULL) >> 32) % ICMP_LIMIT_DESTS;

	if (!be32_eq(l->dest[at].dst, dst)) {
		l->dest[at].dst = dst;
		l->dest[at].limit = (struct limit){0};
	}
	return &l->dest[at].limit;
}

bool icmp_limits_allow(struct icmp_limits *l, u64 now_ms, be32 dst, bool local, u32 random)
{
	enum { all_ms = 1000 / ICMP_ALL_PER_SEC };

	if (!limit_has(&l->all, now_ms, all_ms, ICMP_ALL_BURST))
		return false;
	if (!local && !limit_take(dest_limit(l, dst), now_ms, ICMP_DEST_MS, ICMP_DEST_BURST))
		return false;
	/* 0, 1 or 2 credits, so that nobody can count by it what others were told */
	for (u32 cost = random % 3; cost; cost--)
		limit_take(&l->all, now_ms, all_ms, ICMP_ALL_BURST);
	return true;
}
