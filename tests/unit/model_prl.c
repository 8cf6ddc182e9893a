/* SPDX-License-Identifier: BSD-2-Clause */
/* The potential router list: row T12, its order, its bounds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/prl.h"

static void t_rules(void **state)
{
	struct prl p = {0};

	(void)state;
	assert_int_equal(prl_add(&p, be32_of(0), true), -EINVAL);
	assert_int_equal(prl_del(&p, be32_of(1)), -ENXIO);
	assert_int_equal(prl_add(&p, be32_of(1), true), 0);
	assert_int_equal(prl_add(&p, be32_of(1), false), -EEXIST);
	assert_true(prl_find(&p, be32_of(1))->is_default);
	assert_int_equal(prl_del(&p, be32_of(2)), -ENXIO);
	assert_int_equal(prl_del(&p, be32_of(1)), 0);
	assert_null(prl_find(&p, be32_of(1)));
	assert_int_equal(prl_del(&p, be32_of(0)), 0);
}

static void t_order_and_bounds(void **state)
{
	struct prl p = {0};

	(void)state;
	for (u32 i = 1; i <= PRL_MAX; i++)
		assert_int_equal(prl_add(&p, be32_of(i), i % 2), 0);
	assert_int_equal(prl_add(&p, be32_of(PRL_MAX + 1), true), -ENOBUFS);
	assert_int_equal(be32_host(p.entry[0].addr), PRL_MAX);
	assert_int_equal(be32_host(p.entry[PRL_MAX - 1].addr), 1);
	assert_int_equal(prl_del(&p, be32_of(PRL_MAX - 1)), 0);
	assert_int_equal(be32_host(p.entry[0].addr), PRL_MAX);
	assert_int_equal(be32_host(p.entry[1].addr), PRL_MAX - 2);
	assert_int_equal(p.n, PRL_MAX - 1);
	assert_int_equal(prl_del(&p, be32_of(1)), 0);
	assert_int_equal(be32_host(p.entry[p.n - 1].addr), 2);
	assert_int_equal(prl_del(&p, be32_of(0)), 0);
	assert_int_equal(p.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_rules),
		cmocka_unit_test(t_order_and_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
