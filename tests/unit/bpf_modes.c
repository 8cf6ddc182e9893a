/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gre, sit, 6to4 and isatap through both programs: what each itself carries - the
 * packet cases cannot tell it from what the engine does behind it - and what it
 * hands over. A row is one packet there, and the same packet back.
 */
#include "bpf_run.h"

#include "wire/gre.h"
#include "wire/ip6.h"

enum { TUNNEL = 0, ETH0 = 1, INNER_LEN = 100, SEQ_SLOT = 3 };

static const u8 v6_a[16] = {0x20, 0x02, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
static const u8 v6_b[16] = {0x20, 0x02, 192, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
static const u8 isatap_b[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0x5e, 0xfe, 192, 0, 2, 2};

struct row {
	const char *name;
	struct mode_fast how;
	u8 tos, inner_tos; /* configured; of the inner packet: TOS or class */
	u32 mtu;	   /* of the path; 0: 1500 */
	bool v6;
	bool nodf;    /* expected outside */
	u8 outer_tos; /* expected */
	u8 proto;
	u32 hlen;
	u8 head[12]; /* expected between the headers */
	bool handed; /* by the sender's side; nothing is received then */
};

#define GRE .proto4 = PROTO_GRE, .proto6 = PROTO_GRE, .rules = FAST_OTHERS, .hlen = GRE_HLEN
#define SIT                                                                                        \
	.proto4 = PROTO_IPIP, .proto6 = PROTO_IPV6,                                                \
	.rules = FAST_TELLS | FAST_TOS_EXACT | FAST_1280 | FAST_SHORT

static const struct row rows[] = {
	{.name = "G01 gre", .how = {GRE}, .proto = 47, .hlen = 4, .head = {0, 0, 8, 0}},
	{.name = "G02 gre, IPv6",
	 .how = {GRE},
	 .v6 = true,
	 .proto = 47,
	 .hlen = 4,
	 .head = {0, 0, 0x86, 0xdd}},
	{.name = "gre, class CE",
	 .how = {GRE},
	 .v6 = true,
	 .inner_tos = 0xbb,
	 .tos = 1,
	 .outer_tos = 0xba,
	 .proto = 47,
	 .hlen = 4,
	 .head = {0, 0, 0x86, 0xdd}},
	{.name = "gre, too big for the path",
	 .how = {GRE},
	 .mtu = 123,
	 .proto = 47,
	 .handed = true},
	{.name = "gre, just fits",
	 .how = {GRE},
	 .mtu = 124,
	 .proto = 47,
	 .hlen = 4,
	 .head = {0, 0, 8, 0}},
	{.name = "S01 sit", .how = {SIT}, .v6 = true, .proto = 41, .mtu = 1300},
	{.name = "S17 sit, IPv4", .how = {SIT}, .proto = 4},
	{.name = "S03 sit, class CE",
	 .how = {SIT},
	 .v6 = true,
	 .inner_tos = 3,
	 .outer_tos = 2,
	 .proto = 41},
	{.name = "S05 tos inherit/0x10",
	 .how = {SIT},
	 .v6 = true,
	 .tos = 0x11,
	 .inner_tos = 0xb8,
	 .outer_tos = 0x10,
	 .proto = 41},
	{.name = "S07 a path below 1280",
	 .how = {SIT},
	 .v6 = true,
	 .mtu = 1299,
	 .nodf = true,
	 .proto = 41},
};

/* The inner packet of a row at p. */
static void make_inner(const struct row *w, u8 *p)
{
	struct ip4_fields in4 = {.src = run_addr(10, 0, 0, 1),
				 .dst = run_addr(10, 0, 0, 2),
				 .len = INNER_LEN,
				 .tos = w->inner_tos,
				 .ttl = 64,
				 .proto = PROTO_UDP};
	struct ip6 *in6 = (struct ip6 *)p;

	run_packet(p, &in4);
	if (!w->v6)
		return;
	*in6 = (struct ip6){.vtf = be32_of(6U << 28 | (u32)w->inner_tos << 20),
			    .len = be16_of(INNER_LEN - IP6_HLEN),
			    .next = PROTO_UDP,
			    .hops = 64};
	memcpy(&in6->src, v6_a, 16);
	memcpy(&in6->dst, v6_b, 16);
}

static void set_tunnel(struct run *r, const struct row *w)
{
	struct bpf_tx tx = {
		.hop = {.state = HOP_OK,
			.oif = 1,
			.src = run_addr(192, 0, 2, 1),
			.dst = run_addr(192, 0, 2, 2),
			.via = run_addr(192, 0, 2, 2),
			.mtu = w->mtu ? w->mtu : 1500},
		.how = w->how,
		.tos = w->tos,
		.df = 1,
		.seq = SEQ_SLOT,
	};

	run_set(r, "tunl_tx_4", &r->dev[TUNNEL], &tx);
	run_clear_stats(r, r->dev[TUNNEL]);
}

/* Whom packets back are for: from the address that they were sent to. */
static void set_way_back(struct run *r, const struct row *w)
{
	struct bpf_rx_key key = {.remote = run_addr(192, 0, 2, 1),
				 .local = run_addr(192, 0, 2, 2),
				 .key = w->how.okey,
				 .proto = w->proto,
				 .keyed = w->how.oflags & GRE_K ? 1 : 0};
	struct bpf_rx rx = {.candidate = r->dev[TUNNEL]};

	run_set(r, "tunl_rx_4", &key, &rx);
}

static int send_row(struct run *r, const struct row *w, u8 *inner)
{
	struct run_frame f = {.ifindex = r->dev[TUNNEL],
			      .ethertype = w->v6 ? ETH_P_IPV6 : ETH_P_IP};

	make_inner(w, inner);
	return run_prog(r, "tunl_egress_l2", &f, inner, INNER_LEN);
}

static int receive(struct run *r, const u8 *packet, u32 len)
{
	struct run_frame f = {.ifindex = r->dev[ETH0]};

	return run_prog(r, "tunl_ingress", &f, packet, len);
}

static void check_outer(const struct run *r, const struct row *w)
{
	struct ip4 h;

	memcpy(&h, r->out, sizeof(h));
	assert_int_equal(r->len, IP4_HLEN + w->hlen + INNER_LEN);
	assert_int_equal(be16_host(h.len), r->len);
	assert_true(csum_ok(ip4_sum(&h)));
	assert_int_equal(h.proto, w->proto);
	assert_int_equal(h.tos, w->outer_tos);
	assert_int_equal(h.ttl, 64);
	assert_int_equal(ip4_has_df(&h), !w->nodf);
	assert_memory_equal(r->out + IP4_HLEN, w->head, w->hlen);
}

static void run_row(struct run *r, const struct row *w)
{
	u8 inner[RUN_MAX] = {}, outer[RUN_MAX];
	int verdict;
	u32 len;

	print_message("    %s\n", w->name);
	set_tunnel(r, w);
	verdict = send_row(r, w, inner);
	assert_int_equal(verdict, w->handed ? HANDED_OVER : TC_ACT_REDIRECT);
	if (w->handed)
		return;
	check_outer(r, w);
	assert_memory_equal(r->out + IP4_HLEN + w->hlen, inner, INNER_LEN);
	len = r->len;
	memcpy(outer, r->out, len);
	set_way_back(r, w);
	assert_int_equal(receive(r, outer, len), TC_ACT_REDIRECT);
	assert_int_equal(r->len, INNER_LEN);
	assert_memory_equal(r->out, inner, INNER_LEN);
	assert_int_equal(run_stats(r, r->dev[TUNNEL]).rx_bytes, INNER_LEN);
	assert_int_equal(run_stats(r, r->dev[TUNNEL]).tx_bytes, INNER_LEN);
}

static void t_modes_rows(void **state)
{
	for (u32 i = 0; i < countof(rows); i++)
		run_row(*state, &rows[i]);
}

static struct row keyed(u32 key, u16 flags)
{
	struct row w = {.name = "gre with key or number", .how = {GRE}, .proto = 47, .hlen = 8};

	w.how.oflags = w.how.iflags = flags;
	w.how.okey = be32_of(key);
	w.head[0] = (u8)(flags >> 8);
	w.head[2] = 8;
	if (flags & GRE_K)
		w.head[7] = (u8)key;
	w.hlen = gre_hlen(flags);
	w.how.hlen = (u8)w.hlen;
	return w;
}

/* G03, G30 - G34: a key is part of what a tunnel is found by. */
static void t_modes_key(void **state)
{
	struct run *r = *state;
	struct row five = keyed(5, GRE_K), six = keyed(6, GRE_K);
	u8 inner[RUN_MAX], outer[RUN_MAX];
	struct bpf_rx_key wild = {.proto = 47};
	struct bpf_rx rx = {.candidate = r->dev[TUNNEL]};
	be32 local = run_addr(192, 0, 2, 2);
	u32 len, one = 1;

	run_row(r, &five);
	set_tunnel(r, &six);
	assert_int_equal(send_row(r, &six, inner), TC_ACT_REDIRECT);
	len = r->len;
	memcpy(outer, r->out, len);
	assert_int_equal(receive(r, outer, len), HANDED_OVER);
	run_set(r, "tunl_local_4", &local, &one);
	run_set(r, "tunl_rx_4", &wild, &rx);
	assert_int_equal(receive(r, outer, len), HANDED_OVER);
	memset(outer + IP4_HLEN + 4, 0, 4); /* key 0 is what a keyless wildcard has */
	assert_int_equal(receive(r, outer, len), TC_ACT_REDIRECT);
	run_unset(r, "tunl_rx_4", &wild);
	run_unset(r, "tunl_local_4", &local);
}

static struct mode_state seq_of(struct run *r)
{
	struct mode_state seq;
	u32 slot = SEQ_SLOT;

	assert_int_equal(bpf_map_lookup_elem(run_map(r, "tunl_seq_4"), &slot, &seq), 0);
	return seq;
}

static void reset_expected(struct run *r)
{
	struct mode_state seq = seq_of(r);
	u32 slot = SEQ_SLOT;

	seq.expected_seq = 0;
	run_set(r, "tunl_seq_4", &slot, &seq);
}

/* The outer packet at p as the first of several fragments. */
static void make_fragment(u8 *p)
{
	struct ip4 *h = (struct ip4 *)p;

	h->frag = be16_of(IP4_MF);
	h->check.raw = 0;
	h->check = csum_finish(csum_add(0, h, IP4_HLEN));
}

/* A packet that is neither IPv4 nor IPv6. */
static int send_odd(struct run *r, const u8 *inner)
{
	struct run_frame f = {.ifindex = r->dev[TUNNEL], .ethertype = ETH_P_ARP};

	return run_prog(r, "tunl_egress_l2", &f, inner, INNER_LEN);
}

/* G06, G38, G41: one number after the other; what has a stale one or none is dropped. */
static void t_modes_seq(void **state)
{
	struct run *r = *state;
	struct row w = keyed(0, GRE_S), plain = keyed(0, 0);
	u8 inner[RUN_MAX], outer[2][RUN_MAX];
	u32 len = 0;

	set_tunnel(r, &w);
	set_way_back(r, &w);
	for (u8 i = 0; i < 2; i++) {
		w.head[7] = i;
		assert_int_equal(send_row(r, &w, inner), TC_ACT_REDIRECT);
		check_outer(r, &w);
		len = r->len;
		memcpy(outer[i], r->out, len);
	}
	assert_int_equal(seq_of(r).next_seq, 2);
	assert_int_equal(receive(r, outer[1], len), TC_ACT_REDIRECT);
	assert_int_equal(seq_of(r).expected_seq, 2);
	assert_int_equal(receive(r, outer[1], len), TC_ACT_SHOT);
	assert_int_equal(receive(r, outer[0], len), TC_ACT_SHOT);
	set_tunnel(r, &plain);
	assert_int_equal(send_row(r, &plain, inner), TC_ACT_REDIRECT);
	len = r->len;
	memcpy(outer[0], r->out, len);
	set_tunnel(r, &w);
	assert_int_equal(receive(r, outer[0], len), TC_ACT_SHOT);
	assert_int_equal(run_stats(r, r->dev[TUNNEL]).reason[R_RX_SEQ], 1);
}

/* The IPv4 header at p says so many bytes, n words of options among them. */
static void make_header(u8 *p, u32 n, u32 len)
{
	struct ip4 *h = (struct ip4 *)p;

	h->ver_ihl = (u8)(0x45 + n);
	h->len = be16_of((u16)len);
	h->check.raw = 0;
	h->check = csum_finish(csum_add(0, p, IP4_HLEN + 4 * n));
}

/* odd is the engine's, and so is what comes behind it, for a while. */
static void check_followed(struct run *r, const u8 *odd, u32 odd_len, const u8 *outer, u32 len)
{
	reset_expected(r);
	assert_int_equal(receive(r, odd, odd_len), HANDED_OVER);
	assert_int_equal(receive(r, outer, len), HANDED_OVER);
	while (receive(r, outer, len) != TC_ACT_REDIRECT)
		;
}

/* G55: nor what follows one with options outside, or without a whole header inside. */
static void t_modes_follow_odd(void **state)
{
	struct run *r = *state;
	struct row w = keyed(0, GRE_S);
	u8 inner[RUN_MAX], outer[RUN_MAX], odd[RUN_MAX];
	u32 len;

	set_tunnel(r, &w);
	set_way_back(r, &w);
	assert_int_equal(send_row(r, &w, inner), TC_ACT_REDIRECT);
	len = r->len;
	memcpy(outer, r->out, len);
	memcpy(odd, outer, len);
	make_header(odd, 0, IP4_HLEN + 8 + IP4_HLEN - 1);
	check_followed(r, odd, IP4_HLEN + 8 + IP4_HLEN - 1, outer, len);
	memcpy(memset(odd + IP4_HLEN, 1, 4) + 4, outer + IP4_HLEN, len - IP4_HLEN);
	make_header(odd, 1, len + 4);
	check_followed(r, odd, len + 4, outer, len);
}

/* What follows a packet that was handed over does not overtake it, for a while. */
static void t_modes_follow(void **state)
{
	struct run *r = *state;
	struct row w = keyed(0, GRE_S);
	u8 inner[RUN_MAX], outer[RUN_MAX], odd[RUN_MAX];
	u32 len, before;

	set_tunnel(r, &w);
	set_way_back(r, &w);
	assert_int_equal(send_row(r, &w, inner), TC_ACT_REDIRECT);
	len = r->len;
	memcpy(outer, r->out, len);
	memcpy(odd, outer, len);
	odd[IP4_HLEN + 2] = 0x12; /* a kind of packet that is the engine's */
	check_followed(r, odd, len, outer, len);
	make_fragment(odd);
	check_followed(r, odd, len, outer, len);
	before = seq_of(r).next_seq;
	assert_int_equal(send_odd(r, inner), HANDED_OVER);
	assert_int_equal(send_row(r, &w, inner), HANDED_OVER);
	assert_int_equal(seq_of(r).next_seq, before);
	while (send_row(r, &w, inner) != TC_ACT_REDIRECT)
		;
	assert_int_equal(seq_of(r).next_seq, before + 1);
}

/* G36, G43, G44, G46, G50: what is to be refused, or is neither IPv4 nor IPv6. */
static void t_modes_gre_engines(void **state)
{
	static const u8 heads[][4] = {
		{0x80, 0, 8, 0}, {0x40, 0, 8, 0}, {0, 1, 8, 0}, {0, 8, 8, 0}, {0, 0, 0x12, 0x34}};
	struct run *r = *state;
	struct row w = keyed(0, 0);
	u8 inner[RUN_MAX], outer[RUN_MAX];

	set_tunnel(r, &w);
	set_way_back(r, &w);
	assert_int_equal(send_row(r, &w, inner), TC_ACT_REDIRECT);
	memcpy(outer, r->out, r->len);
	for (u32 i = 0; i < countof(heads); i++) {
		memcpy(outer + IP4_HLEN, heads[i], 4);
		assert_int_equal(receive(r, outer, IP4_HLEN + 4 + INNER_LEN), HANDED_OVER);
	}
}

/* S23, S24: an embedded address is the outer one, or the engine has it. */
static void t_modes_6to4(void **state)
{
	struct run *r = *state;
	struct row w = {.how = {SIT}, .v6 = true, .proto = 41};
	u8 inner[RUN_MAX], outer[RUN_MAX];
	u32 len;

	w.how.sixrd = sixrd_6to4();
	w.how.rules |= FAST_CHECK_6RD;
	set_tunnel(r, &w);
	set_way_back(r, &w);
	assert_int_equal(send_row(r, &w, inner), TC_ACT_REDIRECT);
	len = r->len;
	memcpy(outer, r->out, len);
	assert_int_equal(receive(r, outer, len), TC_ACT_REDIRECT);
	outer[IP4_HLEN + 8 + 5] ^= 1; /* source */
	assert_int_equal(receive(r, outer, len), HANDED_OVER);
	outer[IP4_HLEN + 8 + 5] ^= 1;
	outer[IP4_HLEN + 24 + 5] ^= 1; /* destination */
	assert_int_equal(receive(r, outer, len), HANDED_OVER);
}

/* S12: many inner destinations of a site have one next hop. */
static void t_modes_nbma(void **state)
{
	struct run *r = *state;
	struct row w = {.how = {SIT}, .v6 = true, .proto = 41};
	struct bpf_tx tx = {.nbma = 1, .df = 1};
	struct bpf_ns_state st = {.gen = 9};
	struct bpf_nbma_key key;
	struct ip6_addr other;
	u8 inner[RUN_MAX];
	u32 zero = 0;

	w.how.sixrd = sixrd_6to4();
	w.how.rules |= FAST_EMBEDS;
	set_tunnel(r, &w);
	assert_int_equal(bpf_map_lookup_elem(run_map(r, "tunl_tx_4"), &r->dev[TUNNEL], &tx), 0);
	run_set(r, "tunl_state_4", &zero, &st);
	tx.hop.gen = 9;
	memcpy(&other, v6_b, 16);
	other.w[3] = be32_of(77);
	key = bpf_nbma_inner6(r->dev[TUNNEL], &other, &w.how);
	tx.nbma = 1;
	run_set(r, "tunl_tx_4", &r->dev[TUNNEL], &tx);
	assert_int_equal(send_row(r, &w, inner), HANDED_OVER);
	run_set(r, "tunl_nbma_4", &key, &tx.hop);
	assert_int_equal(send_row(r, &w, inner), TC_ACT_REDIRECT);
	check_outer(r, &w);
	run_unset(r, "tunl_nbma_4", &key);
}

/* T07 - T10: a router's packets; an address of the sender's own on our link; nobody else's. */
static void t_modes_isatap(void **state)
{
	struct run *r = *state;
	struct row w = {.how = {SIT}, .v6 = true, .proto = 41};
	struct bpf_peer_key router = {.ifindex = r->dev[TUNNEL], .router = run_addr(192, 0, 2, 1)};
	struct bpf_peer_key link = {.ifindex = r->dev[TUNNEL],
				    .prefix = {be32_of(0xfe800000), {0}}};
	u8 inner[RUN_MAX], outer[RUN_MAX];
	u32 len, one = 1;

	w.how.rules |= FAST_CHECK_ISATAP;
	set_tunnel(r, &w);
	set_way_back(r, &w);
	assert_int_equal(send_row(r, &w, inner), TC_ACT_REDIRECT);
	len = r->len;
	memcpy(outer, r->out, len);
	assert_int_equal(receive(r, outer, len), HANDED_OVER);
	run_set(r, "tunl_peer_4", &router, &one);
	assert_int_equal(receive(r, outer, len), TC_ACT_REDIRECT);
	run_unset(r, "tunl_peer_4", &router);
	memcpy(outer + IP4_HLEN + 8, isatap_b, 16);
	outer[IP4_HLEN + 8 + 15] = 1;
	assert_int_equal(receive(r, outer, len), HANDED_OVER);
	run_set(r, "tunl_peer_4", &link, &one);
	assert_int_equal(receive(r, outer, len), TC_ACT_REDIRECT);
	outer[IP4_HLEN + 8 + 15] = 2;
	assert_int_equal(receive(r, outer, len), HANDED_OVER);
	outer[IP4_HLEN + 8 + 15] = 1;
	outer[IP4_HLEN + 6] = PROTO_ICMPV6;
	outer[IP4_HLEN + IP6_HLEN] = 134;
	assert_int_equal(receive(r, outer, len), HANDED_OVER);
	run_unset(r, "tunl_peer_4", &link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_modes_rows),	      cmocka_unit_test(t_modes_key),
		cmocka_unit_test(t_modes_seq),	      cmocka_unit_test(t_modes_gre_engines),
		cmocka_unit_test(t_modes_6to4),	      cmocka_unit_test(t_modes_nbma),
		cmocka_unit_test(t_modes_isatap),     cmocka_unit_test(t_modes_follow),
		cmocka_unit_test(t_modes_follow_odd),
	};

	if (!run_is_permitted())
		return 0;
	return cmocka_run_group_tests_name("bpf modes", tests, run_setup, run_teardown);
}
