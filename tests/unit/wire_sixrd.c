/* SPDX-License-Identifier: BSD-2-Clause */
/* 6rd and ISATAP addresses: the specification's tables, and a slow reference on random input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "wire/isatap.h"
#include "wire/sixrd.h"

enum { RANDOM_INPUTS = 20000, ATTEMPTS_A_VALID = 1000 };

static struct sixrd params(const char *prefix, u8 plen, const char *relay, u8 rlen)
{
	struct sixrd s = {.prefix_len = plen, .relay_len = rlen};

	assert_int_equal(inet_pton(AF_INET6, prefix, s.prefix), 1);
	assert_int_equal(inet_pton(AF_INET, relay, &s.relay), 1);
	return s;
}

static be32 ip4(const char *text)
{
	be32 a;

	assert_int_equal(inet_pton(AF_INET, text, &a), 1);
	return a;
}

static struct ip6_addr ip6(const char *text)
{
	struct ip6_addr a;

	assert_int_equal(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

/* The table of spec datapath 8.1. */
static void t_table(void **state)
{
	static const struct {
		const char *prefix;
		u8 plen;
		const char *relay;
		u8 rlen;
		const char *site, *delegated;
		u8 dlen;
	} rows[] = {
		{"2002::", 16, "0.0.0.0", 0, "192.0.2.1", "2002:c000:201::", 48},
		{"2001:db8::", 32, "10.0.0.0", 8, "10.1.2.3", "2001:db8:102:300::", 56},
		{"2a01:79c::", 30, "0.0.0.0", 0, "213.167.115.92", "2a01:79f:569d:cd70::", 62},
		{"2001:db8::", 40, "10.0.0.0", 8, "10.1.2.3", "2001:db8:1:203::", 64},
		{"2001:db8:8000::", 33, "128.0.0.0", 1, "203.0.113.9", "2001:db8:cb00:7109::", 64},
		{"2001:db8::", 32, "192.0.2.1", 32, "192.0.2.1", "2001:db8::", 32},
	};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		struct sixrd s = params(rows[i].prefix, rows[i].plen, rows[i].relay, rows[i].rlen);
		struct ip6_addr want = ip6(rows[i].delegated);
		struct ip6_addr got = sixrd_delegated(&s, ip4(rows[i].site));
		be32 back;

		assert_true(sixrd_is_valid(&s));
		assert_int_equal(sixrd_delegated_len(&s), rows[i].dlen);
		assert_memory_equal(&got, &want, sizeof(got));
		assert_true(sixrd_extract(&s, &want, &back));
		assert_int_equal(back.raw, ip4(rows[i].site).raw);
	}
}

static void t_outside(void **state)
{
	struct sixrd s = sixrd_6to4(), r = params("2001:db8::", 33, "128.0.0.0", 1);
	struct ip6_addr a = ip6("2003:c000:201::1"), b = ip6("2001:db8:8000::1");
	be32 v;

	(void)state;
	assert_false(sixrd_extract(&s, &a, &v));
	assert_false(sixrd_extract(&r, &b, &v));
}

static void t_validity(void **state)
{
	static const struct {
		const char *prefix;
		u8 plen;
		const char *relay;
		u8 rlen;
		bool ok;
	} rows[] = {
		{"::", 0, "0.0.0.0", 0, true},
		{"2001:db8::", 32, "0.0.0.0", 0, true},
		{"2001:db8::", 33, "0.0.0.0", 0, false},       /* 33 + 32 > 64 */
		{"2001:db8::", 40, "0.0.0.0", 0, false},       /* row R09 */
		{"2001:db8:1::", 32, "0.0.0.0", 0, false},     /* row R10 */
		{"2001:db8::", 32, "10.1.0.0", 8, false},      /* row R10 */
		{"2001:db8::1", 64, "192.0.2.1", 32, false},   /* bits in the second half */
		{"2001:db8:0:1::", 64, "192.0.2.1", 32, true}, /* all 64 bits */
		{"2001:db8::", 65, "192.0.2.1", 32, false},
		{"2001:db8::", 32, "0.0.0.0", 33, false},
		{"2001:db8::", 128, "0.0.0.0", 0, false},
		{"2001:db8::", 32, "10.0.0.1", 31, false},
	};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		struct sixrd s = params(rows[i].prefix, rows[i].plen, rows[i].relay, rows[i].rlen);

		if (sixrd_is_valid(&s) != rows[i].ok)
			fail_msg("row %zu", i);
	}
}

static u32 bit_at(const u8 *bytes, u32 i)
{
	return bytes[i / 8] >> (7 - i % 8) & 1;
}

/* One bit after the other, as the formula is written. */
static bool slow_extract(const struct sixrd *s, const u8 addr[16], u32 *out)
{
	u32 n = 32U - s->relay_len;
	u8 relay[4];

	memcpy(relay, &s->relay, sizeof(relay));
	for (u32 i = 0; i < s->prefix_len; i++)
		if (bit_at(addr, i) != bit_at(s->prefix, i))
			return false;
	*out = 0;
	for (u32 i = 0; i < s->relay_len; i++)
		*out = *out << 1 | bit_at(relay, i);
	for (u32 i = 0; i < n; i++)
		*out = *out << 1 | bit_at(addr, s->prefix_len + i);
	return true;
}

static bool slow_valid(const struct sixrd *s)
{
	u8 relay[4];

	memcpy(relay, &s->relay, sizeof(relay));
	if (s->relay_len > 32 || s->prefix_len + 32 - s->relay_len > 64)
		return false;
	for (u32 i = s->prefix_len; i < 128; i++)
		if (bit_at(s->prefix, i))
			return false;
	for (u32 i = s->relay_len; i < 32; i++)
		if (bit_at(relay, i))
			return false;
	return true;
}

static void random_bytes(void *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((u8 *)to)[i] = (u8)(random() >> 8);
}

static void clear_behind(u8 *bytes, u32 nbits, u32 len)
{
	for (u32 i = len; i < nbits; i++)
		bytes[i / 8] &= (u8) ~(0x80 >> i % 8);
}

static struct sixrd random_params(void)
{
	struct sixrd s = {.relay_len = (u8)(random() % 33)};
	u8 relay[4];

	s.prefix_len = (u8)(random() % (32 + s.relay_len + 1));
	random_bytes(s.prefix, sizeof(s.prefix));
	random_bytes(relay, sizeof(relay));
	if (random() % 4) {
		clear_behind(s.prefix, 128, s.prefix_len);
		clear_behind(relay, 32, s.relay_len);
	}
	memcpy(&s.relay, relay, sizeof(relay));
	return s;
}

static void t_random(void **state)
{
	u32 within = 0;

	(void)state;
	srandom(5969);
	for (u32 i = 0; i < RANDOM_INPUTS; i++) {
		struct sixrd s = random_params();
		struct ip6_addr a;
		u32 want = 0;
		be32 got = {0};
		bool in;

		assert_int_equal(sixrd_is_valid(&s), slow_valid(&s));
		if (!slow_valid(&s))
			continue;
		random_bytes(&a, sizeof(a));
		if (random() % 8) /* mostly within the prefix */
			for (u32 k = 0; k < s.prefix_len; k++)
				((u8 *)&a)[k / 8] = (u8)((((u8 *)&a)[k / 8] & ~(0x80 >> k % 8)) |
							 bit_at(s.prefix, k) << (7 - k % 8));
		in = slow_extract(&s, (const u8 *)&a, &want);
		assert_int_equal(sixrd_extract(&s, &a, &got), in);
		if (in) {
			struct ip6_addr d = sixrd_delegated(&s, got);

			assert_int_equal(be32_host(got), want);
			assert_true(ip6_same_prefix(&a, &d, sixrd_delegated_len(&s)));
			within++;
		}
	}
	assert_true(within > ATTEMPTS_A_VALID);
}

static void t_same_prefix(void **state)
{
	struct ip6_addr a = ip6("2001:db8:7:8::1"), b = ip6("2001:db8:7:9::1");

	(void)state;
	assert_true(ip6_same_prefix(&a, &b, 0));
	assert_true(ip6_same_prefix(&a, &b, 63));
	assert_false(ip6_same_prefix(&a, &b, 64));
	assert_true(ip6_same_prefix(&a, &a, 128));
	b = ip6("2001:db8:7:8::2");
	assert_true(ip6_same_prefix(&a, &b, 96));
	assert_true(ip6_same_prefix(&a, &b, 126));
	assert_false(ip6_same_prefix(&a, &b, 127));
	assert_false(ip6_same_prefix(&a, &b, 128));
}

/* Rows T01, T02 and the list of spec datapath 8.2. */
static void t_isatap(void **state)
{
	static const struct {
		const char *ip4, *addr;
	} rows[] = {
		{"10.1.2.3", "fe80::5efe:a01:203"},
		{"198.41.0.4", "fe80::200:5efe:c629:4"},
		{"192.0.2.2", "fe80::5efe:c000:202"},
		{"172.16.0.1", "fe80::5efe:ac10:1"},
		{"172.31.255.1", "fe80::5efe:ac1f:ff01"},
		{"172.32.0.1", "fe80::200:5efe:ac20:1"},
		{"192.168.1.1", "fe80::5efe:c0a8:101"},
		{"192.169.1.1", "fe80::200:5efe:c0a9:101"},
		{"169.254.1.1", "fe80::5efe:a9fe:101"},
		{"192.88.99.1", "fe80::5efe:c058:6301"},
		{"198.19.0.1", "fe80::5efe:c613:1"},
		{"198.20.0.1", "fe80::200:5efe:c614:1"},
		{"127.0.0.1", "fe80::5efe:7f00:1"},
		{"0.1.2.3", "fe80::5efe:1:203"},
		{"224.0.0.1", "fe80::5efe:e000:1"},
		{"255.255.255.255", "fe80::5efe:ffff:ffff"},
	};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		struct ip6_addr want = ip6(rows[i].addr), got = ip6("fe80::");

		isatap_set_ident(&got, ip4(rows[i].ip4));
		assert_memory_equal(&got, &want, sizeof(got));
		assert_true(isatap_is(&want));
		assert_int_equal(ip6_embedded(&want).raw, ip4(rows[i].ip4).raw);
	}
}

static void t_other_forms(void **state)
{
	static const struct {
		const char *addr;
		bool isatap, compat;
	} rows[] = {
		{"::", false, false},
		{"::1", false, false},
		{"::192.0.2.1", false, true},
		{"::2", false, true},
		{"::ffff:192.0.2.1", false, false},
		{"fe80::100:5efe:c000:202", false, false},
		{"fe80::5eff:c000:202", false, false},
		{"2001:db8::200:5efe:1:2", true, false},
		{"::5efe:c000:202", true, false},
	};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		struct ip6_addr a = ip6(rows[i].addr);

		assert_int_equal(isatap_is(&a), rows[i].isatap);
		assert_int_equal(ip6_is_compat(&a), rows[i].compat);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_table),	 cmocka_unit_test(t_outside),
		cmocka_unit_test(t_validity),	 cmocka_unit_test(t_random),
		cmocka_unit_test(t_same_prefix), cmocka_unit_test(t_isatap),
		cmocka_unit_test(t_other_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
