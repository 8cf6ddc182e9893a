/* SPDX-License-Identifier: BSD-2-Clause */
/* What the drivers decide (spec cli 4), and the statistics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "model/grammar.h"
#include "model/rules.h"
#include "model/stats.h"

static struct tunnel_cfg cfg_of(const char *line)
{
	struct tunnel_cfg cfg;
	struct err e;

	if (grammar_line(line, &cfg, &e))
		fail_msg("%s: %s", line, e.text);
	if (!strcmp(cfg.dev, "lo"))
		cfg.link = 1;
	return cfg;
}

static void t_rules_accept(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: refused */
	} rows[] = {
		{"mode ipip key 5 csum seq", "mode ipip"},
		{"mode ipip proto any", "mode ipip proto any"},
		{"mode ipip proto 137", "mode ipip proto 137"},
		{"mode ipip proto 41", NULL},
		{"mode gre key 5 csum", "mode gre key 5 csum"},
		{"mode gre proto any", NULL},
		{"mode vti key 5 csum", "mode vti key 5"},
		{"mode sit key 5 seq", "mode sit key 5"},
		{"mode isatap", "mode isatap"},
		{"mode gre ignore-df nopmtudisc", "mode gre nopmtudisc ignore-df"},
		{"mode gre ignore-df", NULL},
		{"mode ipip ignore-df nopmtudisc", NULL},
		{"mode sit 6rd-prefix 2001:db8::/40", NULL},
		{"mode sit 6rd-prefix 2001:db8::1/32", NULL},
		{"mode sit 6rd-prefix 2001:db8::/40 6rd-relay_prefix 10.0.0.0/8",
		 "mode sit 6rd-prefix 2001:db8::/40 6rd-relay_prefix 10.0.0.0/8"},
		{"mode sit 6rd-prefix 2001:db8::/40 6rd-relay_prefix 10.1.0.0/8", NULL},
		{"remote 1.1.1.1", NULL},
	};
	char line[GRAMMAR_LINE];

	(void)state;
	for (u32 i = 0; i < countof(rows); i++) {
		struct tunnel_cfg cfg = cfg_of(rows[i].in);
		struct err e = {0};
		int rc = rules_accept(&cfg, &e);

		print_message("# %s\n", rows[i].in);
		assert_int_equal(rc, rows[i].out ? 0 : -EINVAL);
		grammar_print(&cfg, line, sizeof(line));
		if (rows[i].out)
			assert_string_equal(line, rows[i].out);
		else
			assert_true(e.text[0] != '\0');
	}
}

static void t_rules_same(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"mode ipip remote 2.2.2.2", "mode ipip remote 2.2.2.2 ttl 5", true},
		{"mode ipip remote 2.2.2.2", "mode ipip remote 2.2.2.3", false},
		{"mode ipip remote 2.2.2.2", "mode ipip remote 2.2.2.2 local 1.1.1.1", false},
		{"mode ipip remote 2.2.2.2", "mode ipip remote 2.2.2.2 dev lo", false},
		{"mode ipip remote 2.2.2.2", "mode gre remote 2.2.2.2", false},
		{"mode ipip remote 2.2.2.2", "mode vti remote 2.2.2.2", false},
		{"mode sit local 1.1.1.1", "mode isatap local 1.1.1.1", true},
		{"mode gre local 1.1.1.1", "mode gre local 1.1.1.1 okey 5", true},
		{"mode gre local 1.1.1.1", "mode gre local 1.1.1.1 ikey 5", false},
		{"mode gre local 1.1.1.1", "mode gre local 1.1.1.1 key 0", false},
		{"mode gre local 1.1.1.1 key 5", "mode gre local 1.1.1.1 ikey 5 okey 6", true},
		{"mode vti local 1.1.1.1 key 1", "mode vti local 1.1.1.1 key 2", true},
		{"mode ipip", "mode ipip proto any", true},
	};

	(void)state;
	for (u32 i = 0; i < countof(rows); i++) {
		struct tunnel_cfg a = cfg_of(rows[i].a), b = cfg_of(rows[i].b);

		print_message("# %s = %s\n", rows[i].a, rows[i].b);
		assert_int_equal(rules_same(&a, &b), rows[i].same);
		assert_int_equal(rules_same(&b, &a), rows[i].same);
		if (rows[i].same)
			assert_true(rules_hash(&a) == rules_hash(&b));
	}
}

static void t_rules_fallback(void **state)
{
	struct tunnel_cfg a = cfg_of("mode ipip ttl 5"), b = cfg_of("mode gre key 0"),
			  c = cfg_of("mode ipip dev lo");

	(void)state;
	assert_true(rules_is_fallback(&a));
	assert_false(rules_is_fallback(&b));
	assert_false(rules_is_fallback(&c));
}

static void t_rules_names(void **state)
{
	struct tunnel_cfg cfg;
	char name[TUNL_NAME_LEN];

	(void)state;
	assert_int_equal(rules_name("t1"), 0);
	assert_int_equal(rules_name("a%d"), 0);
	assert_int_equal(rules_name("a:b"), -E2BIG);
	assert_int_equal(rules_name("s%s"), -EINVAL);
	assert_int_equal(rules_name("a%d%d"), -EINVAL);
	assert_int_equal(rules_name("a%"), -EINVAL);
	assert_int_equal(rules_name(".."), -E2BIG);
	cfg = cfg_of("mode gre");
	assert_int_equal(rules_first_unit(&cfg), 1);
	assert_true(rules_unit_name(&cfg, 1, name));
	assert_string_equal(name, "gre1");
	cfg = cfg_of("mode isatap");
	assert_int_equal(rules_first_unit(&cfg), 1);
	cfg = cfg_of("mode ipip");
	assert_int_equal(rules_first_unit(&cfg), 0);
	cfg = cfg_of("a%dx mode vti");
	assert_true(rules_unit_name(&cfg, 12, name));
	assert_string_equal(name, "a12x");
	cfg = cfg_of("t1 mode vti");
	assert_false(rules_unit_name(&cfg, 12, name));
	assert_string_equal(name, "t1");
	assert_int_equal(rules_add_errno(MODE_ISATAP, EEXIST), ENOBUFS);
	assert_int_equal(rules_add_errno(MODE_SIT, EPERM), EPERM);
	assert_int_equal(rules_add_errno(MODE_IPIP, EEXIST), EEXIST);
}

static void t_rules_change(void **state)
{
	static const struct {
		const char *old, *want, *out;
	} rows[] = {
		{"t mode ipip remote 2.2.2.2", "mode ipip remote 3.3.3.3 local 4.4.4.4 ttl 7",
		 "t mode ipip remote 3.3.3.3 local 4.4.4.4 ttl 7"},
		{"t mode ipip remote 2.2.2.2", "mode ipip", NULL},
		{"t mode ipip local 1.1.1.1", "mode ipip remote 2.2.2.2", NULL},
		{"t mode ipip remote 2.2.2.2", "mode ipip remote 224.1.1.1", NULL},
		{"t mode gre remote 224.1.1.1 local 1.1.1.1",
		 "mode gre remote 224.1.1.2 local 1.1.1.1", NULL},
		{"t mode gre remote 224.1.1.1 local 1.1.1.1",
		 "mode gre remote 224.1.1.1 local 1.1.1.1 ttl 5",
		 "t mode gre remote 224.1.1.1 local 1.1.1.1 ttl 5"},
		{"t mode sit local 1.1.1.1", "mode isatap local 1.1.1.1 ttl 3",
		 "t mode sit local 1.1.1.1 ttl 3"},
		{"t mode ipip proto any remote 2.2.2.2", "mode ipip remote 2.2.2.2 tos 4",
		 "t mode ipip proto any remote 2.2.2.2 tos 0x04"},
		{"t mode ipip remote 2.2.2.2", "mode gre remote 2.2.2.2", NULL},
		{"t mode vti remote 2.2.2.2 key 5", "mode vti remote 2.2.2.2 ikey 6 okey 5 csum",
		 "t mode vti remote 2.2.2.2 ikey 6 okey 5"},
		{"t mode ipip remote 2.2.2.2", "mode ipip remote 2.2.2.2 datapath user dev lo",
		 "t mode ipip remote 2.2.2.2 dev lo datapath user"},
	};
	char line[GRAMMAR_LINE];

	(void)state;
	for (u32 i = 0; i < countof(rows); i++) {
		struct tunnel_cfg old = cfg_of(rows[i].old), want = cfg_of(rows[i].want), out = old;
		struct err e = {0};

		print_message("# %s -> %s\n", rows[i].old, rows[i].want);
		assert_int_equal(rules_change(&old, &want, &out, &e), rows[i].out ? 0 : -EINVAL);
		grammar_print(&out, line, sizeof(line));
		assert_string_equal(line, rows[i].out ? rows[i].out : rows[i].old);
	}
}

static void t_rules_mtu(void **state)
{
	static const struct {
		const char *line;
		u32 hlen, base, mtu;
	} rows[] = {
		{"mode ipip", 0, 1500, 1480},	{"mode ipip", 0, 0, 1480},
		{"mode ipip", 0, 80, 68},	{"mode ipip", 0, 10, 68},
		{"mode ipip", 0, 65536, 65515}, {"mode gre", 4, 65536, 65511},
		{"mode gre", 8, 1400, 1372},	{"mode gre", 16, 0, 1464},
		{"mode sit", 0, 65536, 65516},	{"mode sit", 0, 1290, 1280},
		{"mode isatap", 0, 0, 1480},
	};

	(void)state;
	for (u32 i = 0; i < countof(rows); i++) {
		struct tunnel_cfg cfg = cfg_of(rows[i].line);

		assert_int_equal(rules_mtu(&cfg, rows[i].hlen, rows[i].base), rows[i].mtu);
	}
	assert_int_equal(rules_mtu_max(&(struct tunnel_cfg){.mode = MODE_IPIP}, 0), 65515);
	assert_int_equal(rules_mtu_max(&(struct tunnel_cfg){.mode = MODE_GRE}, 4), 65511);
	assert_int_equal(rules_mtu_max(&(struct tunnel_cfg){.mode = MODE_SIT}, 0), 65555);
	assert_int_equal(rules_mtu_min(&(struct tunnel_cfg){.mode = MODE_SIT}), 1280);
}

static void t_stats(void **state)
{
	struct tunnel_stats a = {.rx_packets = 1, .tx_bytes = 5}, b = {.rx_packets = 2};

	(void)state;
	a.reason[R_RX_ECN] = 3;
	b.reason[R_RX_ECN] = 4;
	b.reason[R_TX_LOOP] = 10;
	stats_add(&a, &b);
	assert_int_equal(a.rx_packets, 3);
	assert_int_equal(a.tx_bytes, 5);
	assert_int_equal(stats_link_counter(&a, C_RX_ERRORS), 7);
	assert_int_equal(stats_link_counter(&a, C_RX_FRAME), 7);
	assert_int_equal(stats_link_counter(&a, C_TX_COLLISIONS), 10);
	assert_int_equal(stats_link_counter(&a, C_RX_DROPPED), 0);
}

/* Each reason has a word of its own, a text and a remedy. */
static void t_reasons(void **state)
{
	(void)state;
	for (u32 r = R_NONE + 1; r < R__MAX; r++) {
		const struct reason_info *info = reason_info((enum reason)r);

		assert_int_equal(reason_by_word(info->word), r);
		assert_true(info->text[0] && info->remedy[0]);
	}
	assert_int_equal(reason_by_word("nosuch"), R_NONE);
	assert_string_equal(reason_info(R__MAX)->word, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_rules_accept),   cmocka_unit_test(t_rules_same),
		cmocka_unit_test(t_rules_fallback), cmocka_unit_test(t_rules_names),
		cmocka_unit_test(t_rules_change),   cmocka_unit_test(t_rules_mtu),
		cmocka_unit_test(t_stats),	    cmocka_unit_test(t_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
