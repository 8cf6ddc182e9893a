/* SPDX-License-Identifier: BSD-2-Clause */
/* Checksums, IPv4 and IPv6 headers, ECN. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/csum.h"
#include "wire/cur.h"
#include "wire/ecn.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"

static u32 seed = 12345;

static u8 byte(void)
{
	seed = seed * 1103515245 + 12345;
	return (u8)(seed >> 16);
}

static void fill(u8 *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = byte();
}

/* RFC 1071 as it is written down: 16-bit words, high byte first. */
static u16 plain_sum(const u8 *p, size_t n)
{
	u32 sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (u32)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)sum;
}

static void t_csum_add_agrees_with_rfc1071(void **state)
{
	u8 buf[1600];

	(void)state;
	for (size_t n = 0; n <= sizeof(buf); n++) {
		fill(buf, n);
		assert_int_equal(be16_host((be16){csum_fold(csum_add(0, buf, (u32)n))}),
				 plain_sum(buf, n));
	}
}

static void t_csum_add_of_ones_does_not_overflow(void **state)
{
	static u8 buf[1 << 20];

	(void)state;
	memset(buf, 0xff, sizeof(buf));
	assert_int_equal(csum_fold(csum_add(0xffffffff, buf, sizeof(buf))), 0xffff);
}

static void t_csum_add_in_pieces(void **state)
{
	u8 buf[64];

	(void)state;
	fill(buf, sizeof(buf));
	for (u32 cut = 0; cut <= sizeof(buf); cut += 2)
		assert_int_equal(
			csum_fold(csum_add(csum_add(0, buf, cut), buf + cut, sizeof(buf) - cut)),
			csum_fold(csum_add(0, buf, sizeof(buf))));
}

static void t_csum_finish_makes_it_ok(void **state)
{
	u8 buf[40];
	be16 c;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		fill(buf, sizeof(buf));
		memset(buf + 10, 0, 2);
		c = csum_finish(csum_add(0, buf, sizeof(buf)));
		memcpy(buf + 10, &c, 2);
		assert_true(csum_ok(csum_add(0, buf, sizeof(buf))));
		buf[i % 40] ^= 1 << i % 8;
		assert_false(csum_ok(csum_add(0, buf, sizeof(buf))));
	}
}

/* RFC 1624: the update gives what a computation from scratch gives. */
static void t_csum_replace_is_a_recomputation(void **state)
{
	u8 buf[20];
	be16 check, old, new, full;

	(void)state;
	buf[0] = 0x45;
	for (int i = 0; i < 5000; i++) {
		fill(buf + 1, sizeof(buf) - 1);
		memset(buf + 10, 0, 2);
		check = csum_finish(csum_add(0, buf, sizeof(buf)));
		memcpy(&old, buf + 4, 2);
		/* all-ones and all-zeros are where updates have gone wrong */
		new.raw = i % 3 ? (u16)(i % 3 == 1 ? 0xffff : 0) : (u16)(byte() << 8 | byte());
		memcpy(buf + 4, &new, 2);
		full = csum_finish(csum_add(0, buf, sizeof(buf)));
		assert_int_equal(csum_replace(check, old, new).raw, full.raw);
	}
}

static void t_udp_checksum_is_never_zero(void **state)
{
	(void)state;
	assert_int_equal(udp_csum_finish(0xffff).raw, 0xffff);
	assert_int_equal(udp_csum_finish(0x1234).raw, csum_finish(0x1234).raw);
}

static void t_cur_take_every_length(void **state)
{
	u8 buf[8];

	(void)state;
	for (u32 n = 0; n <= 10; n++) {
		struct cur c = {buf, buf + sizeof(buf)};
		const void *p = cur_take(&c, n);

		assert_ptr_equal(p, n <= 8 ? buf : NULL);
		assert_int_equal(cur_left(&c), n <= 8 ? 8 - n : 8);
	}
	struct cur c = {buf, buf + sizeof(buf)};

	assert_null(cur_take(&c, 0xffffffff));
	assert_int_equal(cur_left(&c), 8);
}

/* Outer header of the ipip vector, spec datapath 14.1. */
static void t_ip4_build_golden_ipip(void **state)
{
	static const u8 want[] = {0x45, 0x00, 0x00, 0x38, 0x11, 0x11, 0x40, 0x00, 0x40, 0x04,
				  0xa5, 0xad, 0xc0, 0x00, 0x02, 0x01, 0xc0, 0x00, 0x02, 0x02};
	struct ip4_fields f = {.src = be32_of(0xc0000201),
			       .dst = be32_of(0xc0000202),
			       .len = 56,
			       .id = 0x1111,
			       .frag = IP4_DF,
			       .ttl = 64,
			       .proto = PROTO_IPIP};
	struct ip4 h;

	(void)state;
	ip4_build(&h, &f);
	assert_memory_equal(&h, want, sizeof(want));
	assert_true(csum_ok(ip4_sum(&h)));
	assert_true(csum_ok(csum_add(0, &h, sizeof(h))));
	assert_int_equal(ip4_hlen(&h), 20);
	assert_true(ip4_has_df(&h));
	assert_false(ip4_is_fragment(&h));
}

static void t_ip4_fragment_bits(void **state)
{
	static const struct {
		u16 frag;
		bool fragment;
		u32 offset;
	} rows[] = {{0, false, 0},     {IP4_DF, false, 0},	   {IP4_MF, true, 0},
		    {1, true, 8},      {IP4_MF | 185, true, 1480}, {0x1fff, true, 65528},
		    {IP4_RF, false, 0}};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		struct ip4 h = {.frag = be16_of(rows[i].frag)};

		assert_int_equal(ip4_is_fragment(&h), rows[i].fragment);
		assert_int_equal(ip4_offset(&h), rows[i].offset);
	}
}

static void t_ip4_is_multicast(void **state)
{
	(void)state;
	assert_false(ip4_is_multicast(be32_of(0xdfffffff)));
	assert_true(ip4_is_multicast(be32_of(0xe0000000)));
	assert_true(ip4_is_multicast(be32_of(0xefffffff)));
	assert_false(ip4_is_multicast(be32_of(0xf0000000)));
}

/* Spec datapath 2.2: the inner codepoint goes out, CE as ECT(0); DSCP is the chosen one. */
static void t_ecn_encap_table(void **state)
{
	static const u8 out[4] = {ECN_NOT_ECT, ECN_ECT1, ECN_ECT0, ECN_ECT0};

	(void)state;
	for (int tos = 0; tos < 256; tos++)
		for (int inner = 0; inner < 256; inner++)
			assert_int_equal(ecn_encap((u8)tos, (u8)inner),
					 (tos & 0xfc) | out[inner & 3]);
}

/* Spec datapath 4, all sixteen: [inner][outer]. */
static void t_ecn_decap_table(void **state)
{
	static const struct {
		enum ecn_verdict verdict;
		u8 result;
	} want[4][4] = {
		[ECN_NOT_ECT] = {[ECN_NOT_ECT] = {ECN_KEEP, 0},
				 [ECN_ECT0] = {ECN_KEEP_LOG, 0},
				 [ECN_ECT1] = {ECN_KEEP_LOG, 0},
				 [ECN_CE] = {ECN_DROP, 0}},
		[ECN_ECT0] = {[ECN_NOT_ECT] = {ECN_KEEP, 2},
			      [ECN_ECT0] = {ECN_KEEP, 2},
			      [ECN_ECT1] = {ECN_SET, 1},
			      [ECN_CE] = {ECN_SET, 3}},
		[ECN_ECT1] = {[ECN_NOT_ECT] = {ECN_KEEP, 1},
			      [ECN_ECT0] = {ECN_KEEP, 1},
			      [ECN_ECT1] = {ECN_KEEP, 1},
			      [ECN_CE] = {ECN_SET, 3}},
		[ECN_CE] = {[ECN_NOT_ECT] = {ECN_KEEP, 3},
			    [ECN_ECT0] = {ECN_KEEP, 3},
			    [ECN_ECT1] = {ECN_KEEP, 3},
			    [ECN_CE] = {ECN_KEEP, 3}},
	};

	(void)state;
	for (int inner = 0; inner < 256; inner++) {
		for (int outer = 0; outer < 256; outer++) {
			u8 to = inner & 3;

			assert_int_equal(ecn_decap((u8)outer, (u8)inner, &to),
					 want[inner & 3][outer & 3].verdict);
			assert_int_equal(to, want[inner & 3][outer & 3].result);
		}
	}
}

static void t_ip4_set_ecn_keeps_the_checksum(void **state)
{
	(void)state;
	for (int tos = 0; tos < 256; tos++) {
		for (u8 ecn = 0; ecn < 4; ecn++) {
			struct ip4_fields f = {.len = 84, .tos = (u8)tos, .ttl = 64, .id = byte()};
			struct ip4 h;

			ip4_build(&h, &f);
			ip4_set_ecn(&h, ecn);
			assert_int_equal(h.tos, (tos & 0xfc) | ecn);
			assert_true(csum_ok(ip4_sum(&h)));
		}
	}
}

/* The sum of a header that is not intact, too, is the kernel's. */
static void t_ip4_set_ecn_at_the_brim(void **state)
{
	struct ip4 ect0 = {.ver_ihl = 0x45, .tos = 2, .check = be16_of(1)};
	struct ip4 ect1 = {.ver_ihl = 0x45, .tos = 1, .check = be16_of(2)};
	struct ip4 less = {.ver_ihl = 0x45, .tos = 2, .check = be16_of(0xfffe)};

	(void)state;
	ip4_set_ecn(&ect0, 3);
	assert_int_equal(be16_host(ect0.check), 0xffff);
	ip4_set_ecn(&ect1, 3);
	assert_int_equal(be16_host(ect1.check), 0xffff);
	ip4_set_ecn(&less, 1);
	assert_int_equal(be16_host(less.check), 0xffff);
}

static void t_ip6_traffic_class(void **state)
{
	struct ip6 h = {.vtf = be32_of(0x6b8abcde)};

	(void)state;
	assert_int_equal(ip6_version(&h), 6);
	assert_int_equal(ip6_tclass(&h), 0xb8);
	assert_int_equal(ip6_flowlabel(&h), 0xabcde);
	for (u8 ecn = 0; ecn < 4; ecn++) {
		ip6_set_ecn(&h, ecn);
		assert_int_equal(be32_host(h.vtf), 0x6b8abcde | (u32)ecn << 20);
	}
	ip6_set_tclass(&h, 0);
	assert_int_equal(be32_host(h.vtf), 0x600abcde);
}

static void t_ip6_addresses(void **state)
{
	struct ip6_addr any = {0}, ll = {{be32_of(0xfe800000)}}, group = {{be32_of(0xff020000)}};
	struct ip6_addr site = {{be32_of(0xfec00000)}};

	(void)state;
	assert_true(ip6_is_unspecified(&any));
	any.w[3] = be32_of(1);
	assert_false(ip6_is_unspecified(&any));
	assert_true(ip6_is_linklocal(&ll));
	assert_false(ip6_is_linklocal(&site));
	assert_true(ip6_is_multicast(&group));
	assert_false(ip6_is_multicast(&ll));
	assert_true(ip6_addr_eq(&ll, &ll));
	for (int i = 0; i < 4; i++) {
		struct ip6_addr other = ll;

		other.w[i].raw ^= 1;
		assert_false(ip6_addr_eq(&ll, &other));
	}
}

/* The pseudo headers as bytes, summed: RFC 768, RFC 8200 8.1. */
static void t_pseudo_headers(void **state)
{
	struct ip6_addr a, b;
	be32 s4, d4;
	u8 p4[12], p6[40];

	(void)state;
	for (u32 len = 0; len < 65536; len += 997) {
		fill(p6, 32);
		fill(p4, 8);
		memcpy(&a, p6, 16);
		memcpy(&b, p6 + 16, 16);
		memcpy(p6 + 32, (u8[]){0, 0, (u8)(len >> 8), (u8)len, 0, 0, 0, 17}, 8);
		memcpy(&s4, p4, 4);
		memcpy(&d4, p4 + 4, 4);
		memcpy(p4 + 8, (u8[]){0, 17, (u8)(len >> 8), (u8)len}, 4);
		assert_int_equal(csum_fold(ip6_pseudo(&a, &b, 17, len)),
				 csum_fold(csum_add(0, p6, 40)));
		assert_int_equal(csum_fold(ip4_pseudo(s4, d4, 17, (u16)len)),
				 csum_fold(csum_add(0, p4, 12)));
	}
}

/* Hop-by-hop (16 bytes), routing (8), fragment, destination options (8), TCP. */
static const u8 chain[] = {
	43, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* next 43, 16 bytes */
	44, 0, 4, 0, 0, 0, 0, 0,			 /* next 44 */
	60, 0, 0, 1, 0, 0, 0, 7,			 /* next 60, offset 0, more */
	6,  0, 0, 0, 0, 0, 0, 0,			 /* next 6 */
	1,  2, 3, 4,					 /* upper layer */
};

static void t_ip6_walk_goes_over_all(void **state)
{
	struct cur c = {chain, chain + sizeof(chain)};
	struct ip6_upper u;

	(void)state;
	assert_int_equal(ip6_walk(&c, PROTO_HOPOPTS, &u), IP6_WALK_OK);
	assert_int_equal(u.next, PROTO_TCP);
	assert_true(u.fragment);
	assert_int_equal(u.offset, 0);
	assert_int_equal(cur_left(&c), 4);
}

static void t_ip6_walk_every_truncation(void **state)
{
	(void)state;
	for (size_t n = 0; n < 40; n++) {
		u8 *copy = malloc(n ? n : 1); /* of its exact size: the sanitizer sees beyond */
		struct cur c = {copy, copy + n};
		struct ip6_upper u;

		memcpy(copy, chain, n);
		assert_int_equal(ip6_walk(&c, PROTO_HOPOPTS, &u), IP6_WALK_SHORT);
		free(copy);
	}
}

static void t_ip6_walk_stops_at_later_fragment(void **state)
{
	static const u8 frag[] = {60, 0, 0x05, 0xc8, 0, 0, 0, 7, 9, 9, 9, 9};
	struct cur c = {frag, frag + sizeof(frag)};
	struct ip6_upper u;

	(void)state;
	assert_int_equal(ip6_walk(&c, PROTO_FRAGMENT, &u), IP6_WALK_OK);
	assert_int_equal(u.offset, 0x5c8);
	assert_int_equal(u.next, PROTO_DSTOPTS);
	assert_int_equal(cur_left(&c), 4);
}

static void t_ip6_walk_is_bounded(void **state)
{
	u8 many[8 * (IP6_EXT_MAX + 1)] = {0};
	struct cur c = {many, many + sizeof(many)};
	struct ip6_upper u;

	(void)state;
	for (int i = 0; i <= IP6_EXT_MAX; i++)
		many[8 * i] = PROTO_DSTOPTS;
	assert_int_equal(ip6_walk(&c, PROTO_DSTOPTS, &u), IP6_WALK_LONG);
	many[8 * (IP6_EXT_MAX - 1)] = PROTO_UDP;
	c.p = many;
	assert_int_equal(ip6_walk(&c, PROTO_DSTOPTS, &u), IP6_WALK_OK);
	assert_int_equal(u.next, PROTO_UDP);
}

static void t_ip6_ext_lengths(void **state)
{
	struct ip6_opthdr x = {.len = 2};

	(void)state;
	assert_int_equal(ip6_ext_len(PROTO_HOPOPTS, &x), 24);
	assert_int_equal(ip6_ext_len(PROTO_AH, &x), 16);
	assert_int_equal(ip6_ext_len(PROTO_FRAGMENT, &x), 8);
	x.len = 255;
	assert_int_equal(ip6_ext_len(PROTO_DSTOPTS, &x), 2048);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_csum_add_agrees_with_rfc1071),
		cmocka_unit_test(t_csum_add_of_ones_does_not_overflow),
		cmocka_unit_test(t_csum_add_in_pieces),
		cmocka_unit_test(t_csum_finish_makes_it_ok),
		cmocka_unit_test(t_csum_replace_is_a_recomputation),
		cmocka_unit_test(t_udp_checksum_is_never_zero),
		cmocka_unit_test(t_cur_take_every_length),
		cmocka_unit_test(t_ip4_build_golden_ipip),
		cmocka_unit_test(t_ip4_fragment_bits),
		cmocka_unit_test(t_ip4_is_multicast),
		cmocka_unit_test(t_ecn_encap_table),
		cmocka_unit_test(t_ecn_decap_table),
		cmocka_unit_test(t_ip4_set_ecn_keeps_the_checksum),
		cmocka_unit_test(t_ip4_set_ecn_at_the_brim),
		cmocka_unit_test(t_ip6_traffic_class),
		cmocka_unit_test(t_ip6_addresses),
		cmocka_unit_test(t_pseudo_headers),
		cmocka_unit_test(t_ip6_walk_goes_over_all),
		cmocka_unit_test(t_ip6_walk_every_truncation),
		cmocka_unit_test(t_ip6_walk_stops_at_later_fragment),
		cmocka_unit_test(t_ip6_walk_is_bounded),
		cmocka_unit_test(t_ip6_ext_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
