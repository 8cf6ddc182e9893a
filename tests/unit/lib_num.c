/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers, addresses, names, lines: what is taken and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/addr.h"
#include "lib/dsfield.h"
#include "lib/num.h"
#include "lib/text.h"

static void t_num_c_notation(void **state)
{
	static const struct {
		const char *word;
		u32 max;
		bool ok;
		u32 value;
	} rows[] = {
		{"0", 255, true, 0},	       {"255", 255, true, 255},
		{"256", 255, false, 0},	       {"0x10", 255, true, 16},
		{"010", 255, true, 8},	       {"08", 255, false, 0},
		{"+7", 255, true, 7},	       {" 7", 255, true, 7},
		{"7 ", 255, false, 0},	       {"-1", ~0u, false, 0},
		{"-0", 255, true, 0},	       {"", 255, false, 0},
		{"7x", 255, false, 0},	       {"4294967295", ~0u, true, 4294967295u},
		{"4294967296", ~0u, false, 0}, {"99999999999999999999999", ~0u, false, 0},
	};

	(void)state;
	for (u32 i = 0; i < countof(rows); i++) {
		u32 v = 77;

		assert_int_equal(num_u32(rows[i].word, rows[i].max, &v), rows[i].ok);
		assert_int_equal(v, rows[i].ok ? rows[i].value : 77);
	}
}

static void t_num_hex_dec(void **state)
{
	u32 v;

	(void)state;
	assert_true(num_hex("10", 255, &v) && v == 16);
	assert_true(num_hex("0xff", 255, &v) && v == 255);
	assert_false(num_hex("100", 255, &v));
	assert_false(num_hex("g", 255, &v));
	assert_true(num_dec("010", 255, &v) && v == 10);
	assert_false(num_dec("+1", 255, &v));
	assert_false(num_dec("", 255, &v));
}

static void t_addr4(void **state)
{
	static const struct {
		const char *word;
		const char *shown; /* NULL: refused */
	} rows[] = {
		{"1.2.3.4", "1.2.3.4"},
		{"10.8", "10.8.0.0"},
		{"10", "10.0.0.0"},
		{"10.8.1", "10.8.1.0"},
		{"any", "0.0.0.0"},
		{"all", "0.0.0.0"},
		{"default", "0.0.0.0"},
		{"+1.2.3.4", "1.2.3.4"},
		{" 1.2.3.4", "1.2.3.4"},
		{"0x0a.010.1.1", "10.8.1.1"},
		{"255.255.255.255", "255.255.255.255"},
		{"1.2.3.256", NULL},
		{"1.2.3.4.5", NULL},
		{"1.2.3.", NULL},
		{"1..2", NULL},
		{"", NULL},
		{"::1", NULL},
		{"1.2.3.4/24", NULL},
		{"host", NULL},
		{"1.2.3.4x", NULL},
	};
	char buf[ADDR4_TEXT];
	be32 a;

	(void)state;
	for (u32 i = 0; i < countof(rows); i++) {
		bool ok = addr4_parse(rows[i].word, &a);

		assert_int_equal(ok, rows[i].shown != NULL);
		if (ok)
			assert_string_equal(addr4_print(a, buf), rows[i].shown);
	}
	assert_string_equal(addr4_any(be32_of(0), buf), "any");
}

static void t_prefixes(void **state)
{
	u8 p6[16], len;
	char buf[ADDR6_TEXT];
	be32 a;

	(void)state;
	assert_true(prefix4_parse("10.0.0.0/8", &a, &len) && len == 8);
	assert_true(prefix4_parse("10/255.255.0.0", &a, &len) && len == 16);
	assert_true(prefix4_parse("10.0.0.1", &a, &len) && len == 32);
	assert_true(prefix4_parse("any", &a, &len) && len == 0);
	assert_true(prefix4_parse("1.1.1.1/255.255.255.255", &a, &len) && len == 32);
	assert_false(prefix4_parse("10/255.0.255.0", &a, &len));
	assert_false(prefix4_parse("10/33", &a, &len));
	assert_false(prefix4_parse("10/", &a, &len));
	assert_true(prefix6_parse("2001:db8::/32", p6, &len) && len == 32);
	assert_string_equal(addr6_print(p6, buf), "2001:db8::");
	assert_true(prefix6_parse("::1", p6, &len) && len == 128);
	assert_true(prefix6_parse("any", p6, &len) && len == 0);
	assert_false(prefix6_parse("foo", p6, &len));
	assert_false(prefix6_parse("2001::/129", p6, &len));
}

static void t_ifname(void **state)
{
	(void)state;
	assert_true(ifname_ok("abcdefghijklmno"));
	assert_false(ifname_ok("abcdefghijklmnop"));
	assert_false(ifname_ok(""));
	assert_false(ifname_ok("a/b"));
	assert_false(ifname_ok("a b"));
	assert_true(ifname_ok("a:b")); /* the kernel refuses it, not iproute2 */
}

static void t_dsfield(void **state)
{
	u8 v;

	(void)state;
	assert_true(dsfield_parse("EF", &v) && v == 0xb8);
	assert_true(dsfield_parse("ef", &v) && v == 0xef);
	assert_true(dsfield_parse("0x10", &v) && v == 0x10);
	assert_false(dsfield_parse("cs6x", &v));
	assert_false(dsfield_parse("", &v));
	assert_false(dsfield_parse("100", &v));
	assert_string_equal(dsfield_name(0xc0), "CS6");
	assert_null(dsfield_name(0x11));
}

static void t_text(void **state)
{
	char buf[8], line[] = "  a bb\tc\n", *words[3];
	struct text t;

	(void)state;
	text_init(&t, buf, sizeof(buf));
	text_add(&t, "%s", "1234");
	text_add(&t, "%s", "567");
	assert_false(t.cut);
	text_add(&t, "8");
	assert_true(t.cut);
	assert_string_equal(buf, "1234567");
	assert_int_equal(text_split(line, words, 3), 3);
	assert_string_equal(words[1], "bb");
	assert_int_equal(text_split((char[]){"a b c d"}, words, 3), -1);
	assert_true(text_is_prefix("d", "dsfield") && !text_is_prefix("", "dsfield"));
	text_copy(buf, sizeof(buf), "123456789");
	assert_string_equal(buf, "1234567");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_num_c_notation), cmocka_unit_test(t_num_hex_dec),
		cmocka_unit_test(t_addr4),	    cmocka_unit_test(t_prefixes),
		cmocka_unit_test(t_ifname),	    cmocka_unit_test(t_dsfield),
		cmocka_unit_test(t_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
