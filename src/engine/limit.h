/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounds on what others can make us say: a token bucket, and the two kinds of
 * it that ICMP has (spec datapath 5.1): one for all, one a destination.
 */
#ifndef TUNL_ENGINE_LIMIT_H
#define TUNL_ENGINE_LIMIT_H

#include "lib/types.h"

/* Credit grows by one each interval up to burst. Zero: as if never used. */
struct limit {
	u64 credit_ms; /* in milliseconds of intervals */
	u64 last_ms;   /* 0: never used, full */
};

/* Whether one more is in; limit_take() takes it, limit_has() only looks. */
bool limit_has(struct limit *l, u64 now_ms, u32 interval_ms, u32 burst);
bool limit_take(struct limit *l, u64 now_ms, u32 interval_ms, u32 burst);

enum { ICMP_LIMIT_DESTS = 1024 };

struct icmp_limits {
	struct limit all;
	struct {
		be32 dst;
		struct limit limit;
	} dest[ICMP_LIMIT_DESTS]; /* by a hash; a newcomer takes the place */
};

/*
 * Whether an error that is not exempt may go to dst now, and count it. local:
 * dst is this host, which has no limit of its own. random: one for each call.
 */
bool icmp_limits_allow(struct icmp_limits *l, u64 now_ms, be32 dst, bool local, u32 random);

#endif
