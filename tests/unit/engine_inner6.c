/* SPDX-License-Identifier: BSD-2-Clause */
/* Next hops and addresses of inner IPv6: asked for once, and again when they may have changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core.h"
#include "engine/icmp_out.h"
#include "wire/icmp.h"

static u32 asked_hop, asked_addresses, asked_ours;
static int hop_error;

static int io_next_hop6(struct engine_tunnel *t, const struct ip6_addr *dst, struct ip6_addr *hop)
{
	(void)t;
	asked_hop++;
	*hop = *dst;
	return hop_error;
}

static u32 io_addresses6(struct engine_tunnel *t, struct inner6_addr *a, u32 max)
{
	(void)t;
	assert_true(max >= 1);
	asked_addresses++;
	a[0] = (struct inner6_addr){{{be32_of(0x20010db8), {0}, {0}, be32_of(1)}}, 64};
	return 1;
}

static bool io_is_ours6(struct engine_ns *of, const struct ip6_addr *a)
{
	(void)of;
	asked_ours++;
	return be32_host(a->w[3]) == 1;
}

static u32 said;

static void io_icmp(struct engine_ns *of, const struct icmp_message *m)
{
	(void)of;
	assert_true(m->v6);
	said++;
}

static const struct engine_io io = {
	.next_hop6 = io_next_hop6,
	.addresses6 = io_addresses6,
	.is_ours6 = io_is_ours6,
	.icmp = io_icmp,
};
static struct engine engine;
static struct engine_ns ns;

static struct engine_tunnel fresh(u32 ifindex)
{
	asked_hop = asked_addresses = asked_ours = 0;
	hop_error = 0;
	engine = (struct engine){.io = &io, .now_ms = 1000, .random = 1};
	engine_ns_init(&ns, &engine, 1);
	return (struct engine_tunnel){.ns = &ns, .link = {.ifindex = ifindex}};
}

static struct ip6_addr addr(u32 last)
{
	return (struct ip6_addr){{be32_of(0x20010db8), {0}, {0}, be32_of(last)}};
}

static void t_hop_is_kept(void **state)
{
	struct engine_tunnel t = fresh(5), other = t;
	struct ip6_addr dst = addr(7), hop;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(inner6_next_hop(&t, &dst, &hop));
	assert_true(ip6_addr_eq(&hop, &dst));
	assert_int_equal(asked_hop, 1);
	dst = addr(8);
	assert_true(inner6_next_hop(&t, &dst, &hop));
	assert_true(ip6_addr_eq(&hop, &dst));
	other.link.ifindex = 6; /* another device has routes of its own */
	assert_true(inner6_next_hop(&other, &dst, &hop));
	assert_int_equal(asked_hop, 3);
}

static void t_hop_is_asked_again(void **state)
{
	struct engine_tunnel t = fresh(5);
	struct ip6_addr dst = addr(7), hop;

	(void)state;
	hop_error = -101;
	assert_false(inner6_next_hop(&t, &dst, &hop));
	hop_error = 0;
	assert_false(inner6_next_hop(&t, &dst, &hop)); /* that there is none is kept, too */
	route_flush(&ns);
	assert_true(inner6_next_hop(&t, &dst, &hop));
	engine.now_ms += ROUTE_KEEP_MS;
	assert_true(inner6_next_hop(&t, &dst, &hop));
	assert_int_equal(asked_hop, 3);
}

static void t_addresses(void **state)
{
	struct engine_tunnel t = fresh(5);
	struct ip6_addr same = addr(9), far = addr(9);

	(void)state;
	far.w[1] = be32_of(1);
	assert_true(inner6_on_device(&t, &same, 0));
	assert_false(inner6_on_device(&t, &far, 0)); /* beyond its /64 */
	assert_true(inner6_on_device(&t, &far, 32));
	assert_false(inner6_on_device(&t, &same, 128));
	assert_int_equal(asked_addresses, 1);
	route_flush(&ns);
	assert_true(inner6_on_device(&t, &same, 64));
	assert_int_equal(asked_addresses, 2);
	t.link.ifindex += ADDR6_DEVICES; /* in the same place */
	assert_true(inner6_on_device(&t, &same, 64));
	assert_int_equal(asked_addresses, 3);
}

static void t_sender_is_kept(void **state)
{
	struct ip6_addr own = addr(1), other = addr(2);

	(void)state;
	fresh(5);
	for (int i = 0; i < 3; i++) {
		assert_true(inner6_is_ours(&ns, &own));
		assert_false(inner6_is_ours(&ns, &other));
	}
	assert_int_equal(asked_ours, 2);
	route_flush(&ns);
	assert_true(inner6_is_ours(&ns, &own));
	engine.now_ms += ROUTE_KEEP_MS;
	assert_true(inner6_is_ours(&ns, &own));
	assert_int_equal(asked_ours, 4);
}

/* How many of 20 errors at once about packets of that sender are told. */
static u32 told(u32 sender)
{
	struct ip6 h = {.vtf = be32_of(6U << 28), .src = addr(sender), .dst = addr(9), .next = 17};

	said = 0;
	for (int i = 0; i < 20; i++)
		icmp6_to_inner(&ns, (const u8 *)&h, sizeof(h), ICMP6_T_UNREACH, 0);
	return said;
}

/* As the kernel: the limit to a destination is not for errors that stay here. */
static void t_own_sender_has_no_limit(void **state)
{
	(void)state;
	fresh(5);
	ns.icmp_limits.rates = icmp_rates_usual();
	assert_int_equal(told(2), 6);
	assert_int_equal(told(1), 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_hop_is_kept),
		cmocka_unit_test(t_hop_is_asked_again),
		cmocka_unit_test(t_addresses),
		cmocka_unit_test(t_sender_is_kept),
		cmocka_unit_test(t_own_sender_has_no_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
