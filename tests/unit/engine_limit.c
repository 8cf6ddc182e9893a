/* SPDX-License-Identifier: BSD-2-Clause */
/* Token buckets (spec datapath 5.1) and the cache of routes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/rtnetlink.h>

#include "engine/core.h"

static u32 take_all(struct limit *l, u64 now_ms, u32 interval_ms, u32 burst)
{
	u32 n = 0;

	while (n < 1000 && limit_take(l, now_ms, interval_ms, burst))
		n++;
	return n;
}

static void t_limit(void **state)
{
	struct limit l = {0};

	(void)state;
	assert_int_equal(take_all(&l, 5000, 1000, 6), 6);
	assert_int_equal(take_all(&l, 5999, 1000, 6), 0);
	assert_int_equal(take_all(&l, 6000, 1000, 6), 1);
	assert_int_equal(take_all(&l, 8500, 1000, 6), 2);
	assert_int_equal(take_all(&l, 9000, 1000, 6), 1);
	assert_int_equal(take_all(&l, 10000000, 1000, 6), 6);
	assert_int_equal(take_all(&l, 1, 1000, 6), 0); /* a clock that went back gives nothing */
	assert_int_equal(take_all(&l, ~0ULL, 1000, 6), 6);
}

static void t_icmp_limits(void **state)
{
	static struct icmp_limits l;
	be32 a = be32_of(0xc0000263), b = be32_of(0xc0000264);
	u32 n = 0;

	(void)state;
	l.rates = icmp_rates_usual();
	for (u32 i = 0; i < 20; i++)
		n += icmp_limits_allow(&l, 1000, a, ICMP_TO_HOST, 1);
	assert_int_equal(n, 6);
	assert_true(icmp_limits_allow(&l, 1000, b, ICMP_TO_HOST, 1));
	assert_false(icmp_limits_allow(&l, 1999, a, ICMP_TO_HOST, 1));
	assert_true(icmp_limits_allow(&l, 2000, a, ICMP_TO_HOST, 1));
	/* this host has no limit of its own, but the one for all */
	for (n = 0; n < 200 && icmp_limits_allow(&l, 3000, a, ICMP_TO_SELF, 1);)
		n++;
	assert_int_equal(n, 50);
	assert_false(icmp_limits_allow(&l, 3000, be32_of(1), ICMP_TO_HOST, 1));
	assert_true(icmp_limits_allow(&l, 3001, be32_of(1), ICMP_TO_HOST, 1));
	/* as the namespace's owner wants it: each destination as often as it likes */
	l.rates.dest_ms = 0;
	l.rates.all_per_sec = 1000000;
	for (n = 0; n < 200 && icmp_limits_allow(&l, 9000 + n, a, ICMP_TO_HOST, 2); n++)
		;
	assert_int_equal(n, 200);
}

static u32 asked;
static struct route answer;
static int failure;

static int io_route(struct engine_ns *ns, const struct route_key *key, struct route *rt)
{
	(void)ns, (void)key;
	asked++;
	*rt = answer;
	return failure;
}

static u32 asks(struct engine_ns *ns, u32 dst)
{
	u32 before = asked;

	route_get(ns, &(struct route_key){.dst = be32_of(dst)}, NULL);
	return asked - before;
}

static void t_route_cache(void **state)
{
	static const struct engine_io io = {.route = io_route};
	static struct engine e = {.io = &io, .now_ms = 1000, .random = 1};
	struct engine_ns *ns = malloc(sizeof(*ns));

	(void)state;
	assert_non_null(ns);
	engine_ns_init(ns, &e, 1);
	assert_int_equal(asks(ns, 0x01020304), 1);
	assert_int_equal(asks(ns, 0x01020304), 0);
	assert_int_equal(asks(ns, 0x01020305), 1);
	route_forget(ns, be32_of(0x01020304));
	/* the kernel acts on what it told us a little later: nothing is kept meanwhile */
	assert_int_equal(asks(ns, 0x01020304), 1);
	assert_int_equal(asks(ns, 0x01020304), 1);
	assert_int_equal(asks(ns, 0x01020305), 0);
	e.now_ms += ROUTE_UNSURE_MS;
	assert_int_equal(asks(ns, 0x01020304), 1);
	assert_int_equal(asks(ns, 0x01020304), 0);
	route_flush(ns);
	assert_int_equal(asks(ns, 0x01020304), 1);
	assert_int_equal(asks(ns, 0x01020305), 1);
	e.now_ms += ROUTE_KEEP_MS - 1;
	assert_int_equal(asks(ns, 0x01020304), 0);
	e.now_ms++;
	assert_int_equal(asks(ns, 0x01020304), 1);
	answer.expires_ms = 100;
	route_flush(ns);
	assert_int_equal(asks(ns, 0x01020304), 1);
	e.now_ms += 99;
	assert_int_equal(asks(ns, 0x01020304), 0);
	e.now_ms++;
	assert_int_equal(asks(ns, 0x01020304), 1);
	answer = (struct route){0};
	engine_ns_fini(ns);
	free(ns);
}

/* What could not be asked is an error, and is asked again. */
static void t_route_failure(void **state)
{
	static const struct engine_io io = {.route = io_route};
	static struct engine e = {.io = &io, .now_ms = 1000, .random = 1};
	struct engine_ns *ns = malloc(sizeof(*ns));
	const struct route *rt;

	(void)state;
	assert_non_null(ns);
	engine_ns_init(ns, &e, 1);
	failure = -EAGAIN;
	rt = route_get(ns, &(struct route_key){.dst = be32_of(7)}, NULL);
	assert_int_equal(rt->error, EAGAIN);
	failure = 0;
	assert_int_equal(asks(ns, 7), 1);
	engine_ns_fini(ns);
	free(ns);
}

/* More destinations than there are places: each is still answered for itself. */
static void t_route_many(void **state)
{
	static const struct engine_io io = {.route = io_route};
	static struct engine e = {.io = &io, .now_ms = 1000, .random = 1};
	struct engine_ns *ns = malloc(sizeof(*ns));

	(void)state;
	assert_non_null(ns);
	engine_ns_init(ns, &e, 1);
	for (u32 i = 0; i < 3 * ROUTE_BUCKETS * ROUTE_WAYS; i++) {
		answer.mtu = i;
		assert_int_equal(route_get(ns, &(struct route_key){.dst = be32_of(i)}, NULL)->mtu,
				 i);
	}
	answer = (struct route){0};
	engine_ns_fini(ns);
	free(ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_limit),	 cmocka_unit_test(t_icmp_limits),
		cmocka_unit_test(t_route_cache), cmocka_unit_test(t_route_failure),
		cmocka_unit_test(t_route_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
