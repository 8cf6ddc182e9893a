/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sending program, packet by packet: what it wraps and how, what it drops
 * with which counter, what it hands over to the engine. Numbers are rows of spec
 * datapath 15.1; what they say beyond a handover is the engine's.
 */
#include "bpf_run.h"

#define PROG "tunl_egress_l2"

enum { INNER_ID = 0x1234 };

/* One row. Zeroes stand for: ttl inherit, tos 0, pmtudisc, U(100), route of MTU 1500. */
struct row {
	const char *name;
	struct {
		u8 ttl, tos, proto;
		bool nopmtudisc;
	} cfg;
	struct {
		u32 state, mtu;
		bool locked;
	} hop; /* state 0 is HOP_SLOW; rows that say nothing get HOP_OK */
	struct {
		u8 tos, ttl;
		u16 len;
		bool df;
	} in;
	struct {
		u8 tos, ttl;
		bool nodf;
	} out;
	int verdict; /* 0: wrapped */
	enum reason reason;
	u16 ethertype;
	bool hop_slow;
};

static const struct row rows[] = {
	{.name = "I01 plain"},
	{.name = "I03 ttl 7", .cfg = {.ttl = 7}, .out = {.ttl = 7}},
	{.name = "I04 ttl inherit", .in = {.ttl = 5}, .out = {.ttl = 5}},
	{.name = "I06 nopmtudisc", .cfg = {.nopmtudisc = true}, .out = {.nodf = true}},
	{.name = "I07 nopmtudisc, inner DF", .cfg = {.nopmtudisc = true}, .in = {.df = true}},
	{.name = "I08 ECT(0)", .in = {.tos = 0x02}, .out = {.tos = 0x02}},
	{.name = "I08 ECT(1)", .in = {.tos = 0x01}, .out = {.tos = 0x01}},
	{.name = "I08 CE becomes ECT(0)", .in = {.tos = 0x03}, .out = {.tos = 0x02}},
	{.name = "I08 DSCP is not copied", .in = {.tos = 0xb8}, .out = {.tos = 0x00}},
	{.name = "I09 tos 0xb8", .cfg = {.tos = 0xb8}, .in = {.tos = 0x01}, .out = {.tos = 0xb9}},
	{.name = "I10 tos inherit", .cfg = {.tos = 1}, .in = {.tos = 0xba}, .out = {.tos = 0xba}},
	{.name = "I10 with CE", .cfg = {.tos = 1}, .in = {.tos = 0xbb}, .out = {.tos = 0xba}},
	{.name = "I11 inherit/0x10", .cfg = {.tos = 0x11}, .out = {.tos = 0x00}},
	{.name = "I14 no route",
	 .hop = {.state = HOP_UNREACHABLE},
	 .verdict = TC_ACT_STOLEN,
	 .reason = R_TX_NO_ROUTE},
	{.name = "I15 loop",
	 .hop = {.state = HOP_LOOP},
	 .verdict = TC_ACT_STOLEN,
	 .reason = R_TX_LOOP},
	{.name = "I19 IPv6",
	 .ethertype = ETH_P_IPV6,
	 .verdict = TC_ACT_STOLEN,
	 .reason = R_TX_INNER_TYPE},
	{.name = "I20 MPLS on ipip",
	 .ethertype = ETH_P_MPLS_UC,
	 .verdict = TC_ACT_STOLEN,
	 .reason = R_TX_INNER_TYPE},
	{.name = "I20 MPLS on any",
	 .cfg = {.proto = 255},
	 .ethertype = ETH_P_MPLS_UC,
	 .verdict = HANDED_OVER},
	{.name = "I20 IPv4 on any", .cfg = {.proto = 255}},
	{.name = "I20 IPv4 on mplsip",
	 .cfg = {.proto = PROTO_MPLS},
	 .verdict = TC_ACT_STOLEN,
	 .reason = R_TX_INNER_TYPE},
	{.name = "I21 too big, DF",
	 .hop = {.mtu = 1400},
	 .in = {.len = 1400, .df = true},
	 .verdict = HANDED_OVER},
	{.name = "I22 just fits", .hop = {.mtu = 1400}, .in = {.len = 1380, .df = true}},
	{.name = "I22 one byte more",
	 .hop = {.mtu = 1400},
	 .in = {.len = 1381, .df = true},
	 .verdict = HANDED_OVER},
	{.name = "I23 too big, no DF",
	 .hop = {.mtu = 1400},
	 .in = {.len = 1400},
	 .verdict = HANDED_OVER},
	{.name = "I24 to be fragmented",
	 .cfg = {.nopmtudisc = true},
	 .hop = {.mtu = 1400},
	 .in = {.len = 1480},
	 .verdict = HANDED_OVER},
	{.name = "I26 locked MTU",
	 .hop = {.mtu = 1400, .locked = true},
	 .in = {.len = 1380},
	 .out = {.nodf = true}},
	{.name = "the way is the engine's", .hop_slow = true, .verdict = HANDED_OVER},
};

static struct bpf_hop hop_of(const struct row *w)
{
	u32 state = w->hop.state ? w->hop.state : HOP_OK;

	return (struct bpf_hop){
		.state = w->hop_slow ? HOP_SLOW : state,
		.oif = 1,
		.src = run_addr(192, 0, 2, 1),
		.dst = run_addr(192, 0, 2, 2),
		.via = run_addr(192, 0, 2, 2),
		.mtu = w->hop.mtu ? w->hop.mtu : 1500,
		.mtu_locked = w->hop.locked,
	};
}

/* proto 255 in a row stands for PROTO_ANY, which is 0 */
static struct bpf_tx tx_of(const struct row *w)
{
	u8 proto = w->cfg.proto ? w->cfg.proto : PROTO_IPIP;

	return (struct bpf_tx){
		.hop = hop_of(w),
		.how = {.proto4 = proto == PROTO_MPLS ? 0 : PROTO_IPIP,
			.rules = FAST_SHORT | (proto == PROTO_IPIP ? 0 : FAST_MPLS)},
		.ttl = w->cfg.ttl,
		.tos = w->cfg.tos,
		.df = !w->cfg.nopmtudisc,
	};
}

static struct ip4_fields inner_of(const struct row *w)
{
	return (struct ip4_fields){
		.src = run_addr(10, 0, 0, 1),
		.dst = run_addr(10, 0, 0, 2),
		.len = w->in.len ? w->in.len : 100,
		.id = INNER_ID,
		.frag = w->in.df ? IP4_DF : 0,
		.tos = w->in.tos,
		.ttl = w->in.ttl ? w->in.ttl : 64,
		.proto = PROTO_UDP,
	};
}

/* The outer packet as it has to be, but for the id, which is taken as it came. */
static void check_wrapped(const struct run *r, const struct row *w, const u8 *inner, u32 len)
{
	struct ip4 want, got;
	struct ip4_fields f = {
		.src = run_addr(192, 0, 2, 1),
		.dst = run_addr(192, 0, 2, 2),
		.len = (u16)(len + IP4_HLEN),
		.frag = w->out.nodf ? 0 : IP4_DF,
		.tos = w->out.tos,
		.ttl = w->out.ttl ? w->out.ttl : 64,
		.proto = PROTO_IPIP,
	};

	assert_int_equal(r->len, len + IP4_HLEN);
	memcpy(&got, r->out, sizeof(got));
	f.id = be16_host(got.id);
	ip4_build(&want, &f);
	assert_memory_equal(&got, &want, sizeof(want));
	assert_memory_equal(r->out + IP4_HLEN, inner, len);
}

static void check_stats(const struct run *r, const struct row *w, u32 len)
{
	struct tunnel_stats s = run_stats(r, r->dev[0]);
	bool sent = w->verdict == 0;

	assert_int_equal(s.tx_packets, sent);
	assert_int_equal(s.tx_bytes, sent ? len : 0);
	for (u32 i = R_NONE + 1; i < R__MAX; i++)
		assert_int_equal(s.reason[i], i == w->reason);
}

static void run_row(struct run *r, const struct row *w)
{
	struct bpf_tx tx = tx_of(w);
	struct run_frame f = {.ifindex = r->dev[0], .ethertype = w->ethertype};
	struct ip4_fields in = inner_of(w);
	u8 inner[RUN_MAX] = {};
	int verdict;

	print_message("    %s\n", w->name);
	run_packet(inner, &in);
	run_set(r, "tunl_tx_4", &r->dev[0], &tx);
	run_clear_stats(r, r->dev[0]);
	verdict = run_prog(r, PROG, &f, inner, in.len);
	assert_int_equal(verdict, w->verdict ? w->verdict : TC_ACT_REDIRECT);
	check_stats(r, w, in.len);
	if (w->verdict == 0)
		check_wrapped(r, w, inner, in.len);
	if (w->verdict == HANDED_OVER) {
		assert_int_equal(r->len, in.len);
		assert_memory_equal(r->out, inner, in.len);
	}
}

static void t_egress_rows(void **state)
{
	for (u32 i = 0; i < countof(rows); i++)
		run_row(*state, &rows[i]);
}

static int send_plain(struct run *r, const struct bpf_tx *tx)
{
	static const struct row plain = {.name = ""};
	struct run_frame f = {.ifindex = r->dev[0]};
	struct ip4_fields in = inner_of(&plain);
	u8 inner[RUN_MAX];

	run_packet(inner, &in);
	if (tx)
		run_set(r, "tunl_tx_4", &r->dev[0], tx);
	else
		run_unset(r, "tunl_tx_4", &r->dev[0]);
	return run_prog(r, PROG, &f, inner, in.len);
}

/* I02: ids go up by one on a CPU, also with DF. */
static void t_egress_ids(void **state)
{
	struct run *r = *state;
	struct bpf_tx tx = tx_of(&rows[0]);
	cpu_set_t one;
	u16 id[3];

	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	run_clear_stats(r, r->dev[0]);
	for (u32 i = 0; i < countof(id); i++) {
		struct ip4 outer;

		assert_int_equal(send_plain(r, &tx), TC_ACT_REDIRECT);
		memcpy(&outer, r->out, sizeof(outer));
		id[i] = be16_host(outer.id);
	}
	assert_int_equal((u16)(id[0] + 1), id[1]);
	assert_int_equal((u16)(id[1] + 1), id[2]);
}

static u64 boot_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

/* After an ICMP error the engine has every packet, for a time. */
static void t_egress_slow_until(void **state)
{
	struct run *r = *state;
	struct bpf_tx tx = tx_of(&rows[0]);

	tx.slow_until = boot_ns() + 3600 * 1000000000ULL;
	assert_int_equal(send_plain(r, &tx), HANDED_OVER);
	tx.slow_until = boot_ns();
	assert_int_equal(send_plain(r, &tx), TC_ACT_REDIRECT);
}

static void t_egress_not_ours(void **state)
{
	assert_int_equal(send_plain(*state, 0), HANDED_OVER);
}

/* I17, I18: remote any. What is not known, or of before a change of routes, is the engine's. */
static void t_egress_nbma(void **state)
{
	struct run *r = *state;
	struct bpf_tx tx = tx_of(&rows[0]);
	struct bpf_nbma_key key = bpf_nbma_inner4(r->dev[0], run_addr(10, 0, 0, 2));
	struct bpf_ns_state st = {.gen = 5};
	struct bpf_hop hop = tx.hop;
	struct ip4 outer;
	u32 zero = 0;

	tx.nbma = 1;
	tx.hop.state = HOP_SLOW;
	run_clear_stats(r, r->dev[0]);
	run_set(r, "tunl_state_4", &zero, &st);
	assert_int_equal(send_plain(r, &tx), HANDED_OVER);
	hop.dst = run_addr(192, 0, 2, 9);
	hop.gen = 5;
	run_set(r, "tunl_nbma_4", &key, &hop);
	assert_int_equal(send_plain(r, &tx), TC_ACT_REDIRECT);
	memcpy(&outer, r->out, sizeof(outer));
	assert_int_equal(be32_host(outer.dst), 0xc0000209);
	hop.state = HOP_LOOP;
	run_set(r, "tunl_nbma_4", &key, &hop);
	assert_int_equal(send_plain(r, &tx), TC_ACT_STOLEN);
	assert_int_equal(run_stats(r, r->dev[0]).reason[R_TX_LOOP], 1);
	st.gen++;
	run_set(r, "tunl_state_4", &zero, &st);
	assert_int_equal(send_plain(r, &tx), HANDED_OVER);
	run_unset(r, "tunl_nbma_4", &key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_egress_rows),       cmocka_unit_test(t_egress_ids),
		cmocka_unit_test(t_egress_slow_until), cmocka_unit_test(t_egress_not_ours),
		cmocka_unit_test(t_egress_nbma),
	};

	if (!run_is_permitted())
		return 0;
	return cmocka_run_group_tests_name("bpf egress", tests, run_setup, run_teardown);
}
