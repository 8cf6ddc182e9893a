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

/* The kernel's own settings of a namespace: sysctls net.ipv4.icmp_*, net.ipv6.icmp.ratelimit. */
struct icmp_rates {
	u32 dest_ms, dest6_ms;	/* one to a destination each; 0: any number */
	u32 all_per_sec, burst; /* to all together */
};

/* As a kernel has them that nobody changed. */
struct icmp_rates icmp_rates_usual(void);

enum { ICMP_LIMIT_DESTS = 1024 };

struct icmp_limits {
	struct icmp_rates rates;
	struct limit all; /* in microseconds, for it may be many */
	struct {
		be32 dst;
		struct limit limit;
	} dest[ICMP_LIMIT_DESTS]; /* by a hash; a newcomer takes the place */
};

/* To whom: this host has no limit of its own. */
enum icmp_receiver { ICMP_TO_HOST, ICMP_TO_HOST6, ICMP_TO_SELF };

/*
 * Whether an error that is not exempt may go to dst now, and count it.
 * random: one for each call.
 */
bool icmp_limits_allow(struct icmp_limits *l, u64 now_ms, be32 dst, enum icmp_receiver to,
		       u32 random);

#endif
