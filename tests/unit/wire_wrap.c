/* SPDX-License-Identifier: BSD-2-Clause */
/* GRE, GUE, ICMP types, TCP options: golden vectors, every flag, every truncation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/esp.h"
#include "wire/eth.h"
#include "wire/gre.h"
#include "wire/gue.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/tcp.h"
#include "wire/udp.h"

/* The inner packet of spec datapath 14.1. */
static const u8 inner[36] = {0x45, 0x00, 0x00, 0x24, 0x00, 0x01, 0x00, 0x00, 0x40,
			     0x01, 0x66, 0xd6, 0x0a, 0x00, 0x00, 0x01, 0x0a, 0x00,
			     0x00, 0x02, 0x08, 0x00, 0xd9, 0xba, 0x12, 0x34, 0x00,
			     0x01, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07};

static void t_gre_golden_csum_key_seq(void **state)
{
	static const u8 want[16] = {0xb0, 0x00, 0x08, 0x00, 0x47, 0xfa, 0, 0, 0, 0, 0, 5};
	struct gre_fields f = {
		.flags = GRE_C | GRE_K | GRE_S, .type = ETYPE_IP4, .key = be32_of(5)};
	u8 buf[16 + sizeof(inner)];

	(void)state;
	memset(buf, 0xee, sizeof(buf));
	memcpy(buf + 16, inner, sizeof(inner));
	assert_int_equal(gre_build(buf, &f), 16);
	gre_set_csum(buf, sizeof(buf));
	assert_memory_equal(buf, want, 16);
	assert_true(csum_ok(csum_add(0, buf, sizeof(buf))));
}

static void t_ip4_golden_outer_of_gre(void **state)
{
	static const u8 want[20] = {0x45, 0x00, 0x00, 0x48, 0x11, 0x12, 0x40, 0x00, 0x40, 0x2f,
				    0xa5, 0x71, 0xc0, 0x00, 0x02, 0x01, 0xc0, 0x00, 0x02, 0x02};
	struct ip4_fields f = {.src = be32_of(0xc0000201),
			       .dst = be32_of(0xc0000202),
			       .len = 72,
			       .id = 0x1112,
			       .frag = IP4_DF,
			       .ttl = 64,
			       .proto = PROTO_GRE};
	struct ip4 h;

	(void)state;
	ip4_build(&h, &f);
	assert_memory_equal(&h, want, 20);
}

/* What is built is what is parsed, with every flag combination. */
static void t_gre_build_parse(void **state)
{
	(void)state;
	for (u16 bits = 0; bits < 8; bits++) {
		struct gre_fields f = {.flags = (u16)((bits & 1 ? GRE_C : 0) |
						      (bits & 2 ? GRE_K : 0) |
						      (bits & 4 ? GRE_S : 0)),
				       .type = ETYPE_IP6,
				       .key = be32_of(0x01020304),
				       .seq = 0xfffffffe};
		struct gre_fields got;
		u8 buf[GRE_MAX_HLEN];
		u32 n = gre_build(buf, &f);
		struct cur c = {buf, buf + n};

		assert_int_equal(n, 4 + 4 * (u32)__builtin_popcount(bits));
		assert_true(gre_parse(&c, &got));
		assert_int_equal(cur_left(&c), 0);
		assert_int_equal(got.flags, f.flags);
		assert_int_equal(got.type, ETYPE_IP6);
		assert_int_equal(be32_host(got.key), bits & 2 ? 0x01020304 : 0);
		assert_int_equal(got.seq, bits & 4 ? 0xfffffffe : 0);
	}
}

/* All 65536 flag words, cut at every length: true exactly when the header is all there. */
static void t_gre_every_truncation(void **state)
{
	(void)state;
	for (u32 flags = 0; flags < 65536; flags++) {
		for (u32 n = 0; n <= GRE_MAX_HLEN; n++) {
			u8 buf[GRE_MAX_HLEN] = {(u8)(flags >> 8), (u8)flags, 8, 0};
			struct cur c = {buf, buf + n};
			struct gre_fields f;
			bool whole = n >= gre_hlen((u16)flags);

			assert_int_equal(gre_parse(&c, &f), whole);
			assert_int_equal(cur_left(&c), whole ? n - gre_hlen((u16)flags) : n);
		}
	}
}

/* Spec datapath 7.1: what is dropped, and what is ignored. */
static void t_gre_is_refused(void **state)
{
	static const u16 fine[] = {0,	   GRE_C,  GRE_K,  GRE_S,  0xb000,
				   0x0800, 0x0100, 0x0400, 0x0700, 0x0080};
	static const u16 bad[] = {GRE_R, 0x0008, 0x0010, 0x0020, 0x0040, 1, 2, 7, 0xf000};

	(void)state;
	for (size_t i = 0; i < countof(fine); i++)
		assert_false(gre_is_refused(fine[i]));
	for (size_t i = 0; i < countof(bad); i++)
		assert_true(gre_is_refused(bad[i]));
}

static enum gue_got gue(const u8 *p, size_t n, struct gue_fields *f, u32 *left)
{
	u8 *copy = malloc(n ? n : 1); /* of its exact size: the sanitizer sees beyond */
	struct cur c = {copy, copy + n};
	enum gue_got got;

	memcpy(copy, p, n);
	got = gue_parse(&c, f);
	*left = cur_left(&c);
	free(copy);
	return got;
}

static void t_gue_golden(void **state)
{
	static const u8 plain[] = {0x00, 0x04, 0x00, 0x00};
	static const u8 rem[] = {0x02, 0x04, 0x00, 0x01, 0x80, 0, 0, 0, 0, 0x14, 0, 0x1a};
	struct gue_fields f;
	u32 left;

	(void)state;
	assert_int_equal(gue(plain, sizeof(plain), &f, &left), GUE_OK);
	assert_int_equal(f.proto, PROTO_IPIP);
	assert_false(f.remcsum);
	assert_int_equal(left, 0);
	assert_int_equal(gue(rem, sizeof(rem), &f, &left), GUE_OK);
	assert_true(f.remcsum);
	assert_int_equal(f.start, 20);
	assert_int_equal(f.offset, 26);
	assert_int_equal(left, 0);
	for (size_t n = 0; n < sizeof(rem); n++)
		assert_int_equal(gue(rem, n, &f, &left), GUE_SHORT);
}

/* Spec datapath 10, the receiver's drops, and version 1. */
static void t_gue_refusals(void **state)
{
	static const struct {
		u8 bytes[12];
		enum gue_got got;
		u8 proto;
	} rows[] = {
		{{0x80, 4}, GUE_VERSION, 0},
		{{0xc0, 4}, GUE_VERSION, 0},
		{{0x20, 4}, GUE_CONTROL, 4},
		{{0x00, 0}, GUE_CONTROL, 0},
		{{0x00, 4, 0, 2}, GUE_FLAGS, 4},
		{{0x00, 4, 0x80, 0}, GUE_FLAGS, 4},
		{{0x01, 4, 0, 1, 0x40, 0, 0, 0}, GUE_FLAGS, 4},
		{{0x00, 4, 0, 1}, GUE_OPTIONS, 4},
		{{0x01, 4, 0, 1, 0x80, 0, 0, 0}, GUE_OPTIONS, 4},
		{{0x02, 4, 0, 1, 0x80, 0, 0, 0, 0, 26, 0, 20}, GUE_OPTIONS, 4},
		{{0x01, 4, 0, 1, 0, 0, 0, 0}, GUE_OK, 4},
		{{0x02, 41}, GUE_OK, 41},
		{{0x45}, GUE_OK, PROTO_IPIP},
		{{0x60}, GUE_OK, PROTO_IPV6},
		{{0x50}, GUE_VERSION, PROTO_IPV6},
	};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		struct gue_fields f;
		u32 left;

		assert_int_equal(gue(rows[i].bytes, 12, &f, &left), rows[i].got);
		assert_int_equal(f.proto, rows[i].proto);
	}
}

static void t_gue_version_1_takes_nothing(void **state)
{
	struct gue_fields f;
	u32 left;

	(void)state;
	assert_int_equal(gue(inner, sizeof(inner), &f, &left), GUE_OK);
	assert_int_equal(f.version, 1);
	assert_int_equal(left, sizeof(inner));
}

/* Spec datapath 5.1: no error about types 1-7, 9-12, above 18. */
static void t_icmp_types(void **state)
{
	(void)state;
	for (int t = 0; t < 256; t++) {
		bool error = (t != 0 && t != 8 && t <= 12) || t > 18;
		bool quote = t == 3 || t == 4 || t == 5 || t == 11 || t == 12;

		assert_int_equal(icmp4_is_error((u8)t), error);
		assert_int_equal(icmp4_has_quote((u8)t), quote);
		assert_int_equal(icmp6_is_error((u8)t), t < 128);
	}
}

static void t_header_sizes(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct eth), ETH_LEN);
	assert_int_equal(sizeof(struct eth_vlan), ETH_VLAN_LEN);
	assert_int_equal(sizeof(struct ip4), IP4_HLEN);
	assert_int_equal(sizeof(struct icmp_hdr), ICMP_HLEN);
	assert_int_equal(sizeof(struct udp), UDP_HLEN);
	assert_int_equal(sizeof(struct tcp), TCP_HLEN);
	assert_int_equal(sizeof(struct gre), GRE_HLEN);
	assert_int_equal(sizeof(struct gue), GUE_HLEN);
	assert_int_equal(sizeof(struct esp), ESP_HLEN);
	assert_int_equal(_Alignof(struct ip4), 1);
	assert_int_equal(offsetof(struct icmp_hdr, u.frag.mtu), 6);
	assert_int_equal(offsetof(struct tcp, check), 16);
}

/* Each fixed header, cut at every length, from memory of that exact size. */
static void t_fixed_headers_every_truncation(void **state)
{
	static const u32 sizes[] = {sizeof(struct eth), sizeof(struct eth_vlan),
				    sizeof(struct ip4), sizeof(struct icmp_hdr),
				    sizeof(struct udp), sizeof(struct tcp),
				    sizeof(struct esp)};

	(void)state;
	for (size_t i = 0; i < countof(sizes); i++) {
		for (u32 n = 0; n <= sizes[i]; n++) {
			u8 *copy = calloc(1, n + 1);
			struct cur c = {copy, copy + n};

			assert_int_equal(cur_take(&c, sizes[i]) != NULL, n == sizes[i]);
			assert_int_equal(cur_left(&c), n == sizes[i] ? 0 : n);
			free(copy);
		}
	}
}

static void t_tcp_options(void **state)
{
	static const u8 opts[] = {1, 2, 4, 5, 0xb4, 1, 4, 2, 3, 3, 7, 0, 99};
	struct cur c = {opts, opts + sizeof(opts)};
	struct tcp_opt o;

	(void)state;
	assert_int_equal(tcp_opt_next(&c, &o), TCP_OPT_OK);
	assert_int_equal(o.kind, TCP_O_MSS);
	assert_int_equal(o.len, 2);
	assert_int_equal(o.data[0] << 8 | o.data[1], 1460);
	assert_int_equal(tcp_opt_next(&c, &o), TCP_OPT_OK);
	assert_int_equal(o.kind, TCP_O_SACK_OK);
	assert_int_equal(o.len, 0);
	assert_int_equal(tcp_opt_next(&c, &o), TCP_OPT_OK);
	assert_int_equal(o.kind, TCP_O_WSCALE);
	assert_int_equal(tcp_opt_next(&c, &o), TCP_OPT_END);
}

static void t_tcp_options_that_lie(void **state)
{
	static const u8 rows[][4] = {{2, 0}, {2, 1}, {2}, {2, 5, 0, 0}, {8, 255, 0, 0}};
	static const u32 lens[] = {2, 2, 1, 4, 4};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		u8 *copy = malloc(lens[i]);
		struct cur c = {copy, copy + lens[i]};
		struct tcp_opt o;

		memcpy(copy, rows[i], lens[i]);
		assert_int_equal(tcp_opt_next(&c, &o), TCP_OPT_BAD);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_gre_golden_csum_key_seq),
		cmocka_unit_test(t_ip4_golden_outer_of_gre),
		cmocka_unit_test(t_gre_build_parse),
		cmocka_unit_test(t_gre_every_truncation),
		cmocka_unit_test(t_gre_is_refused),
		cmocka_unit_test(t_gue_golden),
		cmocka_unit_test(t_gue_refusals),
		cmocka_unit_test(t_gue_version_1_takes_nothing),
		cmocka_unit_test(t_icmp_types),
		cmocka_unit_test(t_header_sizes),
		cmocka_unit_test(t_fixed_headers_every_truncation),
		cmocka_unit_test(t_tcp_options),
		cmocka_unit_test(t_tcp_options_that_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
