/* SPDX-License-Identifier: BSD-2-Clause */
/* What `tunl trace` makes of bytes that strangers sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

#include "cli/trace.h"

static const u8 gre_with_key[] = {
	0x45, 0, 0, 108, 0, 1, 0x40, 0, 64, 47, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1, /* outer */
	0x20, 0, 8, 0,	 0, 0, 0,    7,						/* gre, key 7 */
	0x45, 0, 0, 84,	 0, 2, 0x40, 0, 64, 1,	0, 0, 10, 1, 0, 2, 10, 1, 0, 1, /* inner */
	8,    0, 0, 0,	 0, 1, 0,    1,						/* echo request */
};

static struct trace_event event(const u8 *data, u16 len)
{
	struct trace_event ev = {.len = 108, .caplen = len, .reason = R_RX_NO_TUNNEL};

	memcpy(ev.data, data, len);
	return ev;
}

static void t_trace_reads(void **state)
{
	struct trace_event ev = event(gre_with_key, sizeof(gre_with_key));
	struct trace_packet p;

	(void)state;
	trace_read(&ev, &p);
	assert_true(p.has_outer && p.has_gre && p.has_in4 && p.has_icmp);
	assert_int_equal(be32_host(p.gre.key), 7);
	assert_int_equal(p.ethertype, ETH_P_IP);
	assert_string_equal(trace_icmp(&p), "echo request");
}

/* Cut anywhere: what is not there is not told, and nothing behind it is read. */
static void t_trace_cut(void **state)
{
	(void)state;
	for (u16 n = 0; n < sizeof(gre_with_key); n++) {
		struct trace_event *ev = malloc(offsetof(struct trace_event, data) + TRACE_BYTES);
		struct trace_packet p;

		*ev = event(gre_with_key, n);
		trace_read(ev, &p);
		assert_int_equal(p.has_outer, n >= 20);
		assert_int_equal(p.has_gre, n >= 28);
		assert_int_equal(p.has_in4, n >= 48);
		assert_int_equal(p.has_icmp, n >= 50);
		free(ev);
	}
}

/* Any bytes, in any form: no more than reading them comes of it. */
static void t_trace_any_bytes(void **state)
{
	struct trace_event ev;
	struct trace_packet p;
	u8 *bytes = (u8 *)&ev;
	u32 x = 1;

	(void)state;
	for (u32 i = 0; i < 200000; i++) {
		for (size_t k = 0; k < sizeof(ev); k++)
			bytes[k] = (u8)((x = x * 1664525 + 1013904223) >> 24);
		ev.form = (u8)(i % 4);
		ev.data[0] = i & 4 ? 0x45 : ev.data[0];
		ev.data[9] = i & 8 ? PROTO_GRE : PROTO_IPV6;
		trace_read(&ev, &p);
		if (ev.form == TRACE_LOST)
			assert_false(p.has_outer || p.has_in4 || p.has_in6);
	}
}

/* The tunnel that was probably meant, by the smallest difference. */
static void t_trace_stranger(void **state)
{
	struct trace_event ev = event(gre_with_key, sizeof(gre_with_key));
	struct tunnel_row row[2] = {
		{.ifname = "t1", .up = true, .cfg = {.mode = MODE_IPIP}},
		{.ifname = "g1", .up = true, .cfg = {.mode = MODE_GRE, .iflags = TUNL_F_KEY}},
	};
	struct trace_source s = {.fd = -1, .row = row, .n = 2};
	struct trace_packet p;
	struct trace_why w;

	(void)state;
	row[0].cfg.remote = row[1].cfg.remote = be32_of(0x0a000002);
	row[0].cfg.local = row[1].cfg.local = be32_of(0x0a000001);
	row[1].cfg.ikey = be32_of(5);
	trace_read(&ev, &p);
	trace_stranger(&s, &p, &w);
	assert_string_equal(w.text,
			    "g1 has these addresses, but takes key 5, and the packet bears key 7");
	row[1].cfg.ikey = be32_of(7);
	row[1].up = false;
	trace_stranger(&s, &p, &w);
	assert_string_equal(w.text, "g1 has these addresses, but is down");
	s.n = 1;
	trace_stranger(&s, &p, &w);
	assert_string_equal(w.text,
			    "t1 has these addresses, but is of mode ipip, and the packet is gre");
	s.n = 0;
	trace_stranger(&s, &p, &w);
	assert_string_equal(w.text, "outer source 10.0.0.2 is no peer of any tunnel");
	assert_non_null(
		strstr(w.remedy, "tunl add NAME mode gre remote 10.0.0.2 local 10.0.0.1 key 7"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_trace_reads),
		cmocka_unit_test(t_trace_cut),
		cmocka_unit_test(t_trace_any_bytes),
		cmocka_unit_test(t_trace_stranger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
