/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/limit.h"

enum { ICMP_DEST_BURST = 6, USEC_PER_SEC = 1000000, USEC_PER_MS = 1000 };

struct icmp_rates icmp_rates_usual(void)
{
	return (struct icmp_rates){
		.dest_ms = 1000, .dest6_ms = 1000, .all_per_sec = 1000, .burst = 50};
}

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

static bool allow_all(struct icmp_limits *l, u64 now_us, u32 each_us)
{
	return !each_us || limit_has(&l->all, now_us, each_us, l->rates.burst);
}

bool icmp_limits_allow(struct icmp_limits *l, u64 now_ms, be32 dst, enum icmp_receiver to,
		       u32 random)
{
	const u32 dest_ms[] = {
		[ICMP_TO_HOST] = l->rates.dest_ms, [ICMP_TO_HOST6] = l->rates.dest6_ms, 0};
	u32 each_us = l->rates.all_per_sec ? USEC_PER_SEC / l->rates.all_per_sec : USEC_PER_SEC;
	u64 now_us = now_ms * USEC_PER_MS;

	if (!allow_all(l, now_us, each_us))
		return false;
	if (dest_ms[to] && !limit_take(dest_limit(l, dst), now_ms, dest_ms[to], ICMP_DEST_BURST))
		return false;
	/* 0, 1 or 2 credits, so that nobody can count by it what others were told */
	for (u32 cost = random % 3; cost && each_us; cost--)
		limit_take(&l->all, now_us, each_us, l->rates.burst);
	return true;
}
