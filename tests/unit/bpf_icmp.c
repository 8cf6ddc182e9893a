/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the receiving program does about ICMP errors that quote our packets:
 * spec datapath 15.3. The message itself always goes on, unchanged.
 */
#include "bpf_run.h"

#define PROG "tunl_ingress"

enum { TUNNEL = 0, ETH0 = 1, QUOTE = 28, MTU_NOW = 1500 };

struct row {
	const char *name;
	u8 type, code;
	u16 mtu;
	u16 quote;     /* bytes quoted; 0: 28 */
	bool stranger; /* the quoted destination is no tunnel's */
	bool damaged;  /* wrong ICMP checksum */
	u8 proto;      /* quoted; 0: 4 */
	u8 gre[8];     /* quoted behind the header; the tunnel of 47 has key 5 */
	/* after */
	bool slow;
	u32 mtu_after; /* 0: as before */
	bool locked;
};

static const struct row rows[] = {
	{.name = "I70 3/4 MTU 1400",
	 .type = 3,
	 .code = 4,
	 .mtu = 1400,
	 .slow = true,
	 .mtu_after = 1400},
	{.name = "I70 with a long quote",
	 .type = 3,
	 .code = 4,
	 .mtu = 1400,
	 .quote = 548,
	 .slow = true,
	 .mtu_after = 1400},
	{.name = "I70 with an odd quote",
	 .type = 3,
	 .code = 4,
	 .mtu = 1400,
	 .quote = 101,
	 .slow = true,
	 .mtu_after = 1400},
	{.name = "I71 no tunnel's", .type = 3, .code = 4, .mtu = 1400, .stranger = true},
	{.name = "I72 3/4 MTU 400",
	 .type = 3,
	 .code = 4,
	 .mtu = 400,
	 .slow = true,
	 .mtu_after = 552,
	 .locked = true},
	{.name = "I73 3/4 MTU 1600", .type = 3, .code = 4, .mtu = 1600},
	{.name = "3/4 of the same MTU", .type = 3, .code = 4, .mtu = MTU_NOW},
	{.name = "I74 3/1", .type = 3, .code = 1, .slow = true},
	{.name = "I77 3/3", .type = 3, .code = 3, .slow = true},
	{.name = "I78 11/0", .type = 11, .code = 0, .slow = true},
	{.name = "redirect", .type = 5, .code = 1, .slow = true},
	{.name = "I79 11/1", .type = 11, .code = 1},
	{.name = "I79 12/0", .type = 12, .code = 0},
	{.name = "I79 3/5", .type = 3, .code = 5},
	{.name = "I80 short quote", .type = 3, .code = 1, .quote = 27},
	{.name = "echo request", .type = 8, .code = 0},
	{.name = "checksum wrong", .type = 3, .code = 4, .mtu = 1400, .damaged = true},
	{.name = "S34 about sit",
	 .type = 3,
	 .code = 4,
	 .mtu = 1400,
	 .proto = PROTO_IPV6,
	 .slow = true,
	 .mtu_after = 1400},
	{.name = "about gre",
	 .type = 3,
	 .code = 4,
	 .mtu = 1400,
	 .proto = PROTO_GRE,
	 .gre = {0x20, 0, 8, 0, 0, 0, 0, 5},
	 .slow = true,
	 .mtu_after = 1400},
	{.name = "about gre with another key",
	 .type = 3,
	 .code = 4,
	 .mtu = 1400,
	 .proto = PROTO_GRE,
	 .gre = {0x20, 0, 8, 0, 0, 0, 0, 6}},
	{.name = "about gre with a checksum",
	 .type = 3,
	 .code = 4,
	 .mtu = 1400,
	 .proto = PROTO_GRE,
	 .gre = {0xa0, 0, 8, 0, 0, 0, 0, 0}},
	{.name = "about UDP", .type = 3, .code = 4, .mtu = 1400, .proto = PROTO_UDP},
};

/* The message of a row at p; its length. */
static u32 make(const struct row *w, u8 *p)
{
	u32 quote = w->quote ? w->quote : QUOTE, len = IP4_HLEN + 8 + quote;
	u8 *icmp = p + IP4_HLEN;
	struct ip4_fields quoted = {
		.src = run_addr(192, 0, 2, 1),
		.dst = run_addr(192, 0, 2, w->stranger ? 66 : 2),
		.len = 1500,
		.frag = IP4_DF,
		.ttl = 60,
		.proto = w->proto ? w->proto : PROTO_IPIP,
	};
	struct ip4_fields outer = {
		.src = run_addr(192, 0, 2, 254),
		.dst = run_addr(192, 0, 2, 1),
		.len = (u16)len,
		.ttl = 64,
		.proto = PROTO_ICMP,
	};
	be16 check;

	run_packet(p, &outer);
	memset(icmp, 0, 8);
	icmp[0] = w->type;
	icmp[1] = w->code;
	icmp[6] = (u8)(w->mtu >> 8);
	icmp[7] = (u8)w->mtu;
	ip4_build((struct ip4 *)(icmp + 8), &quoted);
	if (w->proto == PROTO_GRE)
		memcpy(icmp + 8 + IP4_HLEN, w->gre, sizeof(w->gre));
	check = csum_finish(csum_add(0, icmp, 8 + quote));
	memcpy(icmp + 2, &check, 2);
	if (w->damaged)
		icmp[2] ^= 0x40;
	return len;
}

static void reset(struct run *r)
{
	struct bpf_rx_key key = {.remote = run_addr(192, 0, 2, 2),
				 .local = run_addr(192, 0, 2, 1),
				 .proto = PROTO_IPIP};
	struct bpf_rx rx = {.candidate = r->dev[TUNNEL]};
	struct bpf_tx tx = {.hop = {.state = HOP_OK, .mtu = MTU_NOW}};

	run_set(r, "tunl_rx_4", &key, &rx);
	key.proto = PROTO_IPV6;
	run_set(r, "tunl_rx_4", &key, &rx);
	key.proto = PROTO_GRE;
	key.key = be32_of(5);
	key.keyed = 1;
	run_set(r, "tunl_rx_4", &key, &rx);
	run_set(r, "tunl_tx_4", &r->dev[TUNNEL], &tx);
}

static void run_row(struct run *r, const struct row *w)
{
	struct run_frame f = {.ifindex = r->dev[ETH0]};
	u8 packet[RUN_MAX] = {};
	u32 len = make(w, packet);
	struct timespec now;
	struct bpf_tx tx;
	s64 left;

	print_message("    %s\n", w->name);
	reset(r);
	assert_int_equal(run_prog(r, PROG, &f, packet, len), HANDED_OVER);
	assert_int_equal(r->len, len);
	assert_memory_equal(r->out, packet, len);
	assert_int_equal(bpf_map_lookup_elem(run_map(r, "tunl_tx_4"), &r->dev[TUNNEL], &tx), 0);
	clock_gettime(CLOCK_BOOTTIME, &now);
	left = (s64)tx.slow_until - (s64)now.tv_sec * 1000000000 - now.tv_nsec;
	assert_int_equal(tx.slow_until != 0, w->slow);
	assert_true(left <= 2000000000);
	assert_int_equal(tx.hop.mtu, w->mtu_after ? w->mtu_after : MTU_NOW);
	assert_int_equal(tx.hop.mtu_locked, w->locked);
}

static void t_icmp_rows(void **state)
{
	for (u32 i = 0; i < countof(rows); i++)
		run_row(*state, &rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_icmp_rows),
	};

	if (!run_is_permitted())
		return 0;
	return cmocka_run_group_tests_name("bpf icmp", tests, run_setup, run_teardown);
}
