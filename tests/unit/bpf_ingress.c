/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The receiving program, packet by packet: what it unwraps, what it drops with
 * which counter, what it leaves to the stack and so to the engine. Numbers are
 * rows of spec datapath 15.2.
 */
#include "bpf_run.h"

#define PROG "tunl_ingress"

enum { TUNNEL = 0, ETH0 = 1, ETH1 = 2 }; /* of run.dev */

/* One row. Zeroes stand for: B sends ipip with U(100) of TTL 64. */
struct row {
	const char *name;
	struct {
		u8 tos, ihl;
		u16 frag;
		int lie; /* added to the length field */
		u32 pad; /* bytes behind the packet */
		u8 proto;
		bool stranger, damaged;
	} out;
	struct {
		u8 tos;
		u16 len;
		u8 tos_after; /* compared when not zero, else as sent */
	} in;
	int verdict; /* 0: delivered */
	enum reason reason;
};

static const struct row rows[] = {
	{.name = "I40 plain"},
	{.name = "I41 DSCP stays", .out = {.tos = 0xb8}},
	{.name = "I42 CE on ECT(0)", .out = {.tos = 3}, .in = {.tos = 2, .tos_after = 3}},
	{.name = "I42 with DSCP", .out = {.tos = 3}, .in = {.tos = 0xba, .tos_after = 0xbb}},
	{.name = "I43 ECT(1) on ECT(0)", .out = {.tos = 1}, .in = {.tos = 2, .tos_after = 1}},
	{.name = "I44 ECT(0) on ECT(1)", .out = {.tos = 2}, .in = {.tos = 1}},
	{.name = "CE on ECT(1)", .out = {.tos = 3}, .in = {.tos = 1, .tos_after = 3}},
	{.name = "I47 ECT(1) on CE", .out = {.tos = 1}, .in = {.tos = 3}},
	{.name = "I56 first fragment", .out = {.frag = IP4_MF}, .verdict = HANDED_OVER},
	{.name = "I56 last fragment", .out = {.frag = 3}, .verdict = HANDED_OVER},
	{.name = "I58 payload of 19 bytes", .out = {.lie = -81}, .verdict = HANDED_OVER},
	{.name = "payload of 20 bytes", .in = {.len = 20}},
	{.name = "I60 options", .out = {.ihl = 6}, .verdict = HANDED_OVER},
	{.name = "I61 padding", .in = {.len = 21}, .out = {.pad = 5}},
	{.name = "longer than it is", .out = {.lie = 1}, .verdict = HANDED_OVER},
	{.name = "checksum wrong", .out = {.damaged = true}, .verdict = HANDED_OVER},
	{.name = "for another host", .out = {.stranger = true}, .verdict = HANDED_OVER},
	{.name = "ordinary UDP", .out = {.proto = PROTO_UDP}, .verdict = HANDED_OVER},
	{.name = "protocol 137", .out = {.proto = PROTO_MPLS}, .verdict = HANDED_OVER},
};

static const struct row plain = {.name = "plain"};

static be32 addr_r(void)
{
	return run_addr(192, 0, 2, 2);
}

static be32 addr_l(void)
{
	return run_addr(192, 0, 2, 1);
}

static struct bpf_rx_key key_of(bool remote, bool local)
{
	be32 any = {0};

	return (struct bpf_rx_key){.remote = remote ? addr_r() : any,
				   .local = local ? addr_l() : any,
				   .proto = PROTO_IPIP};
}

/* The packet of a row at p; its length on the wire. */
static u32 make(const struct row *w, u8 *p)
{
	u16 inner_len = w->in.len ? w->in.len : 100;
	struct ip4_fields in = {
		.src = run_addr(10, 0, 0, 2),
		.dst = run_addr(10, 0, 0, 1),
		.len = inner_len,
		.tos = w->in.tos,
		.ttl = 64,
		.proto = PROTO_UDP,
	};
	struct ip4_fields out = {
		.src = addr_r(),
		.dst = addr_l(),
		.len = (u16)(IP4_HLEN + inner_len + w->out.lie),
		.id = 7,
		.frag = w->out.frag,
		.tos = w->out.tos,
		.ttl = 61,
		.proto = w->out.proto ? w->out.proto : PROTO_IPIP,
	};
	struct ip4 *h = (struct ip4 *)p;

	run_packet(p + IP4_HLEN, &in);
	ip4_build(h, &out);
	if (w->out.ihl) {
		h->ver_ihl = (u8)(0x40 | w->out.ihl);
		h->check = csum_replace(h->check, be16_of(0x4500), be16_of(0x4600));
	}
	if (w->out.damaged)
		h->check.raw ^= 0x0101;
	return (u32)IP4_HLEN + inner_len + w->out.pad;
}

/* What has to be delivered: the inner packet, with its ECN bits as they become. */
static void check_inner(const struct run *r, const struct row *w, const u8 *packet)
{
	struct ip4 want;
	u32 len = w->in.len ? w->in.len : 100;

	memcpy(&want, packet + IP4_HLEN, sizeof(want));
	if (w->in.tos_after) {
		want.tos = w->in.tos_after;
		want.check.raw = 0;
		want.check = csum_finish(ip4_sum(&want));
	}
	assert_int_equal(r->len, len);
	assert_memory_equal(r->out, &want, sizeof(want));
	assert_memory_equal(r->out + IP4_HLEN, packet + IP4_HLEN + IP4_HLEN, len - IP4_HLEN);
}

static void check_stats(const struct run *r, const struct row *w)
{
	struct tunnel_stats s = run_stats(r, r->dev[TUNNEL]);
	bool got = w->verdict == 0;
	u32 len = w->in.len ? w->in.len : 100;

	assert_int_equal(s.rx_packets, got);
	assert_int_equal(s.rx_bytes, got ? len : 0);
	for (u32 i = R_NONE + 1; i < R__MAX; i++)
		assert_int_equal(s.reason[i], i == w->reason);
}

static void set_key(struct run *r, bool remote, bool local, u32 candidate)
{
	struct bpf_rx_key key = key_of(remote, local);
	struct bpf_rx rx = {.candidate = candidate};

	if (candidate)
		run_set(r, "tunl_rx_4", &key, &rx);
	else
		run_unset(r, "tunl_rx_4", &key);
}

static int receive(struct run *r, const struct row *w, int on)
{
	struct run_frame f = {.ifindex = r->dev[on], .stranger = w->out.stranger};
	u8 packet[RUN_MAX] = {};
	u32 len = make(w, packet);

	return run_prog(r, PROG, &f, packet, len);
}

static void run_row(struct run *r, const struct row *w)
{
	struct run_frame f = {.ifindex = r->dev[ETH0], .stranger = w->out.stranger};
	u8 packet[RUN_MAX] = {};
	u32 len = make(w, packet);
	int verdict;

	print_message("    %s\n", w->name);
	run_clear_stats(r, r->dev[TUNNEL]);
	verdict = run_prog(r, PROG, &f, packet, len);
	assert_int_equal(verdict, w->verdict ? w->verdict : TC_ACT_REDIRECT);
	check_stats(r, w);
	if (w->verdict == 0)
		check_inner(r, w, packet);
	if (w->verdict == HANDED_OVER) {
		assert_int_equal(r->len, len);
		assert_memory_equal(r->out, packet, len);
	}
}

static void t_ingress_rows(void **state)
{
	struct run *r = *state;

	set_key(r, true, true, r->dev[TUNNEL]);
	for (u32 i = 0; i < countof(rows); i++)
		run_row(r, &rows[i]);
	set_key(r, true, true, 0);
}

/* I45, I46: the engine gets one a second, for the log; the rest is settled here. */
static void t_ingress_ecn_logged(void **state)
{
	static const struct row kept = {.out = {.tos = 2}};
	static const struct row dropped = {
		.out = {.tos = 3}, .verdict = TC_ACT_SHOT, .reason = R_RX_ECN};
	struct run *r = *state;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	set_key(r, true, true, r->dev[TUNNEL]);
	run_clear_stats(r, r->dev[TUNNEL]);
	assert_int_equal(receive(r, &kept, ETH0), HANDED_OVER);
	assert_int_equal(receive(r, &kept, ETH0), TC_ACT_REDIRECT);
	check_stats(r, &kept);
	run_clear_stats(r, r->dev[TUNNEL]);
	assert_int_equal(receive(r, &dropped, ETH0), HANDED_OVER);
	assert_int_equal(receive(r, &dropped, ETH0), TC_ACT_SHOT);
	check_stats(r, &dropped);
	set_key(r, true, true, 0);
}

/* Which device's counters moved by one since they were cleared; -1: none. */
static int who_got(const struct run *r)
{
	for (int i = 0; i < RUN_DEVS; i++)
		if (run_stats(r, r->dev[i]).rx_packets == 1)
			return i;
	return -1;
}

static int lookup(struct run *r, int on)
{
	for (int i = 0; i < RUN_DEVS; i++)
		run_clear_stats(r, r->dev[i]);
	if (receive(r, &plain, on) == HANDED_OVER)
		return HANDED_OVER;
	return who_got(r);
}

/* I48, I50, I52: specificity, where no tunnel is bound to a device. */
static void t_ingress_lookup(void **state)
{
	struct run *r = *state;
	be32 local = addr_l();
	u32 one = 1;

	assert_int_equal(lookup(r, ETH0), HANDED_OVER);
	set_key(r, false, false, r->dev[1]);
	set_key(r, true, false, r->dev[2]);
	assert_int_equal(lookup(r, ETH0), HANDED_OVER); /* the address is not this host's */
	run_set(r, "tunl_local_4", &local, &one);
	assert_int_equal(lookup(r, ETH0), 2);
	set_key(r, true, true, r->dev[0]);
	assert_int_equal(lookup(r, ETH0), 0);
	set_key(r, true, true, 0);
	set_key(r, true, false, 0);
	set_key(r, false, true, r->dev[2]);
	assert_int_equal(lookup(r, ETH0), 2);
	set_key(r, false, true, 0);
	assert_int_equal(lookup(r, ETH0), 1);
	set_key(r, false, false, 0);
	run_unset(r, "tunl_local_4", &local);
}

static void set_bound(struct run *r, bool remote, bool local, const struct bpf_rx *rx)
{
	struct bpf_rx_key key = key_of(remote, local);

	run_set(r, "tunl_rx_4", &key, rx);
}

/* I53 - I55: a tunnel bound to the arriving device goes before a more specific one. */
static void t_ingress_bound(void **state)
{
	struct run *r = *state;
	be32 local = addr_l();
	struct bpf_ns_state st = {.any_bound = 1};
	u32 one = 1, zero = 0;
	struct bpf_rx wild = {
		.candidate = r->dev[1], .nbound = 1, .bound = {{r->dev[ETH0], r->dev[1]}}};
	struct bpf_rx two = {.candidate = r->dev[0],
			     .nbound = 2,
			     .bound = {{r->dev[ETH0], r->dev[0]}, {r->dev[ETH1], r->dev[2]}}};
	struct bpf_rx engine = {.nbound = BPF_RX_SLOW};

	run_set(r, "tunl_state_4", &zero, &st);
	run_set(r, "tunl_local_4", &local, &one);
	set_key(r, true, true, r->dev[0]);
	set_bound(r, false, false, &wild);
	assert_int_equal(lookup(r, ETH0), 1); /* I53 */
	assert_int_equal(lookup(r, ETH1), 0);
	set_key(r, true, true, 0);
	assert_int_equal(lookup(r, ETH1), 1); /* I54 */
	set_bound(r, true, true, &two);
	assert_int_equal(lookup(r, ETH1), 2); /* I55 */
	assert_int_equal(lookup(r, ETH0), 0);
	set_bound(r, true, true, &engine);
	assert_int_equal(lookup(r, ETH0), HANDED_OVER);
	set_key(r, true, true, 0);
	set_key(r, false, false, 0);
	run_unset(r, "tunl_local_4", &local);
	st.any_bound = 0;
	run_set(r, "tunl_state_4", &zero, &st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_ingress_rows),
		cmocka_unit_test(t_ingress_ecn_logged),
		cmocka_unit_test(t_ingress_lookup),
		cmocka_unit_test(t_ingress_bound),
	};

	if (!run_is_permitted())
		return 0;
	return cmocka_run_group_tests_name("bpf ingress", tests, run_setup, run_teardown);
}
