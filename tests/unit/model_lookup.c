/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The receive lookup against the words of spec datapath 3.2, taken literally, on
 * thousands of small random worlds; and its compiled form against itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/lookup.h"
#include "wire/ip4.h"

enum { NODES = 12, WORLDS = 4000, ASKS = 30 };

static u64 seed = 88172645463325252ULL;

static u32 rnd(u32 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)(seed >> 32) % below;
}

static be32 some_address(bool group)
{
	static const u32 pool[] = {0, 0x0a000001, 0x0a000002, 0x0a000003, 0xe0000001, 0xe0000002};

	return be32_of(pool[rnd(group ? 6 : 4)]);
}

static bool any(be32 a)
{
	return be32_is_zero(a);
}

static struct lookup_node *find(const struct lookup *l, be32 src, be32 dst, u32 iif)
{
	return lookup_find(l, &(struct lookup_ask){.src = src, .dst = dst, .iif = iif});
}

/* Whether n is in the list of that step. */
static bool in_step(const struct lookup_node *n, int step, be32 s, be32 d)
{
	bool group = ip4_is_multicast(n->remote);

	switch (step) {
	case 1:
		return be32_eq(n->local, d) && be32_eq(n->remote, s) && !group;
	case 2:
		return be32_eq(n->remote, s) && any(n->local) && !group;
	case 3:
		return (be32_eq(n->local, d) && any(n->remote)) || (be32_eq(n->remote, d) && group);
	default:
		return any(n->local) && any(n->remote);
	}
}

/* Nodes newest first. */
static struct lookup_node *literal(struct lookup_node **n, u32 count, be32 s, be32 d, u32 iif)
{
	struct lookup_node *c = NULL;

	for (int step = 1; step <= 4; step++)
		for (u32 i = 0; i < count; i++) {
			if (!in_step(n[i], step, s, d))
				continue;
			if (n[i]->link && n[i]->link == iif)
				return n[i];
			if (step == 1 || !c)
				c = n[i];
		}
	return c;
}

static int newest_first(const void *a, const void *b)
{
	const struct lookup_node *x = *(struct lookup_node *const *)a,
				 *y = *(struct lookup_node *const *)b;

	return x->order < y->order ? 1 : x->order > y->order ? -1 : 0;
}

/* What a program that knows only compiled keys finds. */
static struct lookup_node *compiled(const struct lookup *l, be32 s, be32 d, u32 iif)
{
	const be32 none = {0}, keys[][2] = {{s, d}, {s, none}, {none, d}, {none, none}};
	struct lookup_node *c = NULL;
	struct lookup_rule r;

	for (u32 i = 0; i < countof(keys); i++) {
		struct lookup_key key = {.remote = keys[i][0], .local = keys[i][1]};

		if (!lookup_compile(l, &key, &r))
			continue;
		assert_true(r.nbound <= LOOKUP_BOUND);
		for (u32 k = 0; k < r.nbound; k++)
			if (r.bound[k]->link == iif)
				return r.bound[k];
		if (!c)
			c = r.candidate;
	}
	return c;
}

static u32 fill(struct lookup *l, struct lookup_node *node, struct lookup_node **sorted)
{
	u32 n = rnd(NODES) + 1, plain = 0;

	for (u32 i = 0; i < n; i++) {
		struct tunnel_cfg cfg = {
			.local = some_address(false), .remote = some_address(true), .link = rnd(4)};

		/* there is one tunnel without any parameter at most */
		if (any(cfg.local) && any(cfg.remote) && !cfg.link && plain++)
			cfg.link = 1;
		node[i] = lookup_node(&cfg, i + 1);
		sorted[i] = &node[i];
		assert_int_equal(lookup_add(l, &node[i]), 0);
	}
	qsort(sorted, n, sizeof(*sorted), newest_first);
	return n;
}

static void t_lookup_literal(void **state)
{
	struct lookup_node node[NODES], *sorted[NODES];

	(void)state;
	for (u32 w = 0; w < WORLDS; w++) {
		struct lookup l = {0};
		u32 n = fill(&l, node, sorted);

		for (u32 k = 0; k < ASKS; k++) {
			be32 s = some_address(false), d = some_address(true);
			u32 iif = rnd(4) + 1;

			if (any(s) || any(d))
				continue;
			assert_ptr_equal(find(&l, s, d, iif), literal(sorted, n, s, d, iif));
			assert_ptr_equal(find(&l, s, d, iif), compiled(&l, s, d, iif));
		}
		lookup_free(&l);
	}
}

static void t_lookup_many(void **state)
{
	enum { MANY = 20000 };
	struct lookup_node *n = calloc(MANY, sizeof(*n));
	struct lookup l = {0};

	(void)state;
	assert_non_null(n);
	for (u32 i = 0; i < MANY; i++) {
		struct tunnel_cfg cfg = {.local = be32_of(1), .remote = be32_of(i + 2)};

		n[i] = lookup_node(&cfg, i + 1);
		assert_int_equal(lookup_add(&l, &n[i]), 0);
	}
	for (u32 i = 0; i < MANY; i += 2)
		lookup_del(&l, &n[i]);
	assert_int_equal(l.count, MANY / 2);
	for (u32 i = 0; i < MANY; i++)
		assert_ptr_equal(find(&l, be32_of(i + 2), be32_of(1), 1), i % 2 ? &n[i] : NULL);
	lookup_free(&l);
	free(n);
}

static void t_lookup_bound_overflow(void **state)
{
	struct lookup_node node[LOOKUP_BOUND + 3];
	struct lookup_rule r;
	struct lookup l = {0};

	(void)state;
	struct lookup_key k = {.remote = be32_of(2), .local = be32_of(1)};

	assert_false(lookup_compile(&l, &k, &r));
	assert_null(find(&l, be32_of(2), be32_of(1), 1));
	for (u32 i = 0; i < countof(node); i++) {
		struct tunnel_cfg cfg = {.local = be32_of(1), .remote = be32_of(2), .link = i + 1};

		node[i] = lookup_node(&cfg, i + 1);
		assert_int_equal(lookup_add(&l, &node[i]), 0);
	}
	assert_true(lookup_compile(&l, &k, &r));
	assert_int_equal(r.nbound, LOOKUP_BOUND + 3);
	assert_ptr_equal(r.candidate, &node[0]); /* of exact ones the oldest */
	lookup_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_lookup_literal),
		cmocka_unit_test(t_lookup_many),
		cmocka_unit_test(t_lookup_bound_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
