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

/* The key rule of spec datapath 3.2, with its exception in step 4. */
static bool key_ok(enum lookup_kind kind, const struct lookup_node *n, int step,
		   const struct lookup_ask *ask)
{
	if (kind != LOOKUP_KEYED)
		return true;
	if (step == 4)
		return n->key.raw == ask->key.raw;
	return n->keyed == ask->keyed && (!ask->keyed || n->key.raw == ask->key.raw);
}

/* Spec datapath 3.2. Nodes newest first. */
static struct lookup_node *literal(const struct lookup *l, struct lookup_node **n, u32 count,
				   const struct lookup_ask *ask)
{
	struct lookup_node *c = NULL;

	for (int step = 1; step <= 4; step++)
		for (u32 i = 0; i < count; i++) {
			if (!in_step(n[i], step, ask->src, ask->dst) ||
			    !key_ok(l->kind, n[i], step, ask))
				continue;
			if (n[i]->link && n[i]->link == ask->iif)
				return n[i];
			if (step == 1 || !c)
				c = n[i];
		}
	for (u32 i = 0; !c && l->kind == LOOKUP_KEYED && i < count; i++)
		if (any(n[i]->local) && any(n[i]->remote) && !n[i]->link && !n[i]->keyed)
			c = n[i];
	return c;
}

/* Spec datapath 3.3. */
static struct lookup_node *literal_filtered(const struct lookup *l, struct lookup_node **n,
					    u32 count, const struct lookup_ask *ask)
{
	(void)l;
	for (int step = 1; step <= 4; step++)
		for (u32 i = 0; i < count; i++) {
			if (!in_step(n[i], step, ask->src, ask->dst))
				continue;
			if (step == 4) /* the newest alone */
				return n[i]->down ? NULL : n[i];
			if (!n[i]->down && (!n[i]->link || n[i]->link == ask->iif))
				return n[i];
		}
	return NULL;
}

static int newest_first(const void *a, const void *b)
{
	const struct lookup_node *x = *(struct lookup_node *const *)a,
				 *y = *(struct lookup_node *const *)b;

	return x->order < y->order ? 1 : x->order > y->order ? -1 : 0;
}

/* What a program that knows only compiled keys finds. */
static struct lookup_node *compiled(const struct lookup *l, const struct lookup_ask *ask)
{
	struct lookup_node *c = NULL;
	struct lookup_rule r;

	for (u32 i = 0; i < LOOKUP_STEPS; i++) {
		struct lookup_key key = lookup_step(l, ask, i);

		if (!lookup_compile(l, &key, &r))
			continue;
		assert_true(r.nbound <= LOOKUP_BOUND);
		for (u32 k = 0; k < r.nbound; k++)
			if (r.bound[k]->link == ask->iif)
				return r.bound[k];
		if (r.candidate && r.final)
			return r.candidate;
		if (!c)
			c = r.candidate;
	}
	return c || l->kind != LOOKUP_KEYED ? c : l->fallback;
}

static struct tunnel_cfg some_tunnel(void)
{
	struct tunnel_cfg cfg = {
		.local = some_address(false), .remote = some_address(true), .link = rnd(4)};

	if (rnd(2)) {
		cfg.iflags = TUNL_F_KEY;
		cfg.ikey = be32_of(rnd(3));
	}
	return cfg;
}

static u32 fill(struct lookup *l, struct lookup_node *node, struct lookup_node **sorted)
{
	u32 n = rnd(NODES) + 1, plain = 0;

	for (u32 i = 0; i < n; i++) {
		struct tunnel_cfg cfg = some_tunnel();

		/* there is one tunnel without any parameter at most */
		if (any(cfg.local) && any(cfg.remote) && !cfg.link && plain++)
			cfg.link = 1;
		node[i] = lookup_node(&cfg, i + 1);
		node[i].down = lookup_has_down(l) && !rnd(3);
		sorted[i] = &node[i];
		assert_int_equal(lookup_add(l, &node[i]), 0);
	}
	qsort(sorted, n, sizeof(*sorted), newest_first);
	return n;
}

static struct lookup_ask some_packet(void)
{
	struct lookup_ask ask = {
		.src = some_address(false), .dst = some_address(true), .iif = rnd(4) + 1};

	ask.keyed = rnd(2);
	if (ask.keyed)
		ask.key = be32_of(rnd(3));
	return ask;
}

static void ask_around(enum lookup_kind kind,
		       struct lookup_node *(*words)(const struct lookup *l, struct lookup_node **n,
						    u32 count, const struct lookup_ask *ask))
{
	struct lookup_node node[NODES], *sorted[NODES];

	for (u32 w = 0; w < WORLDS; w++) {
		struct lookup l = {.kind = kind};
		u32 n = fill(&l, node, sorted);

		for (u32 k = 0; k < ASKS; k++) {
			struct lookup_ask ask = some_packet();

			if (any(ask.src) || any(ask.dst))
				continue;
			assert_ptr_equal(lookup_find(&l, &ask), words(&l, sorted, n, &ask));
			assert_ptr_equal(lookup_find(&l, &ask), compiled(&l, &ask));
		}
		for (u32 i = 0; i < n; i++)
			lookup_del(&l, &node[i]);
		assert_int_equal(l.count, 0);
		assert_null(l.fallback);
		lookup_free(&l);
	}
}

static void t_lookup_plain(void **state)
{
	(void)state;
	ask_around(LOOKUP_PLAIN, literal);
}

static void t_lookup_keyed(void **state)
{
	(void)state;
	ask_around(LOOKUP_KEYED, literal);
}

static void t_lookup_filtered(void **state)
{
	(void)state;
	ask_around(LOOKUP_FILTERED, literal_filtered);
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

static struct lookup_node *find_in_vrf(const struct lookup *l, be32 src, be32 dst)
{
	return lookup_find(
		l, &(struct lookup_ask){.src = src, .dst = dst, .iif = 9 /* VRF */, .slave = 3});
}

/* Of `dev`, 3.3 takes the VRF and the device in it, 3.2 the VRF alone. */
static void t_lookup_vrf(void **state)
{
	be32 here = be32_of(0x0a000001), there = be32_of(0x0a000002);
	struct lookup_node slave = {.local = here, .remote = there, .link = 3, .order = 3},
			   vrf = {.local = here, .remote = there, .link = 9, .order = 2},
			   other = {.local = here, .remote = there, .link = 4, .order = 1};
	struct lookup l = {.kind = LOOKUP_FILTERED};

	(void)state;
	assert_int_equal(lookup_add(&l, &other), 0);
	assert_null(find_in_vrf(&l, there, here));
	assert_int_equal(lookup_add(&l, &vrf), 0);
	assert_ptr_equal(find_in_vrf(&l, there, here), &vrf);
	assert_int_equal(lookup_add(&l, &slave), 0);
	assert_ptr_equal(find_in_vrf(&l, there, here), &slave);
	lookup_del(&l, &vrf);
	assert_ptr_equal(find_in_vrf(&l, there, here), &slave);
	lookup_free(&l);

	l.kind = LOOKUP_PLAIN;
	lookup_add(&l, &slave);
	lookup_add(&l, &vrf);
	assert_ptr_equal(find_in_vrf(&l, there, here), &vrf);
	lookup_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_lookup_plain), cmocka_unit_test(t_lookup_keyed),
		cmocka_unit_test(t_lookup_vrf),	  cmocka_unit_test(t_lookup_filtered),
		cmocka_unit_test(t_lookup_many),  cmocka_unit_test(t_lookup_bound_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
