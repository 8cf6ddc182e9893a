/* SPDX-License-Identifier: BSD-2-Clause */
/* The dissector: the story's packet and its sum, every cut, every lying byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/dissect.h"
#include "lab/explain.h"
#include "wire/eth.h"
#include "wire/gre.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/udp.h"

static struct dissection d;

struct packet {
	u8 b[512];
	u32 n;
};

/* Everything is built from the inside outwards: put n bytes before what is there. */
static void *put(struct packet *p, u32 n)
{
	memmove(p->b + n, p->b, p->n);
	memset(p->b, 0, n);
	p->n += n;
	return p->b;
}

static void put_ip4(struct packet *p, u32 src, u32 dst, u8 proto)
{
	struct ip4_fields f = {.src = be32_of(src),
			       .dst = be32_of(dst),
			       .len = (u16)(p->n + 20),
			       .id = 7,
			       .ttl = 64,
			       .proto = proto};

	ip4_build(put(p, 20), &f);
}

static void put_echo(struct packet *p, u32 data)
{
	struct icmp_hdr h = {.type = ICMP4_T_ECHO, .u.echo.seq = be16_of(1)};

	for (u32 i = 0; i < data; i++)
		p->b[i] = (u8)i;
	p->n = data;
	memcpy(put(p, 8), &h, 8);
	h.check = csum_finish(csum_add(0, p->b, p->n));
	memcpy(p->b, &h, 8);
}

static void put_eth(struct packet *p)
{
	struct eth *h = put(p, ETH_LEN);

	h->type = be16_of(ETYPE_IP4);
}

/* The ping of the story: 10.10.200.1 to 10.10.100.1 in 10.10.20.2 to 10.10.10.2. */
static struct packet story(void)
{
	struct packet p = {0};

	put_echo(&p, 56);
	put_ip4(&p, 0x0a0ac801, 0x0a0a6401, PROTO_ICMP);
	put_ip4(&p, 0x0a0a1402, 0x0a0a0a02, PROTO_IPIP);
	put_eth(&p);
	return p;
}

static struct frame frame_of(const u8 *data, u32 caplen, u32 len)
{
	return (struct frame){
		.data = data, .caplen = caplen, .len = len, .linktype = LINKTYPE_ETHERNET};
}

static const char *sum_of(struct size_sum *s)
{
	static char text[1024];

	if (!size_sum(s, &d))
		return "none";
	return size_sum_text(s, text, sizeof(text));
}

static const char *value(int layer, const char *name)
{
	const struct field *f = dissect_field(&d, &d.layers[layer], name);

	return f ? f->value : "absent";
}

static void t_story_layers(void **state)
{
	static const struct {
		const char *name;
		u32 offset, hlen, size;
		enum csum_verdict csum;
	} want[] = {{"Ethernet", 0, 14, 118, CSUM_ABSENT},
		    {"IPv4", 14, 20, 104, CSUM_GOOD},
		    {"IPv4", 34, 20, 84, CSUM_GOOD},
		    {"ICMP", 54, 8, 64, CSUM_GOOD},
		    {"data", 62, 0, 56, CSUM_ABSENT}};
	struct packet p = story();
	struct frame f = frame_of(p.b, p.n, p.n);

	(void)state;
	assert_int_equal(dissect_frame(&d, &f, NULL), 0);
	assert_int_equal(d.n_layers, countof(want));
	for (size_t i = 0; i < countof(want); i++) {
		assert_string_equal(d.layers[i].name, want[i].name);
		assert_int_equal(d.layers[i].offset, want[i].offset);
		assert_int_equal(d.layers[i].hlen, want[i].hlen);
		assert_int_equal(d.layers[i].size, want[i].size);
		assert_int_equal(d.layers[i].csum, want[i].csum);
		assert_int_equal(d.layers[i].n_notes, 0);
	}
	assert_string_equal(value(1, "source"), "10.10.20.2");
	assert_string_equal(value(1, "destination"), "10.10.10.2");
	assert_string_equal(value(1, "protocol"), "4 (IPIP)");
	assert_string_equal(value(1, "total length"), "104");
	assert_string_equal(value(2, "source"), "10.10.200.1");
	assert_string_equal(value(2, "destination"), "10.10.100.1");
	assert_string_equal(value(2, "total length"), "84");
	assert_string_equal(value(3, "type"), "8 (echo request)");
}

static char *explained(const struct frame *f)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	explain_frame(out, f, NULL);
	fclose(out);
	return text;
}

static void t_story_sum_as_printed(void **state)
{
	struct packet p = story();
	struct frame f = frame_of(p.b, p.n, p.n);
	char *text = explained(&f);

	(void)state;
	assert_non_null(strstr(text, "64 (ICMP) + 20 (inner IP) + 20 (outer IP) = 104\n"));
	assert_non_null(strstr(text, "The 64 of ICMP are 8 of header and 56 of data.\n"));
	assert_non_null(strstr(text, "The frame is 118 bytes: 14 before the IP packet.\n"));
	assert_null(strchr(text, '\033'));
	free(text);
}

/* The sum comes from the packet: other sizes, other sums. */
static void t_sum_follows_the_packet(void **state)
{
	struct size_sum s;
	char want[80];

	(void)state;
	for (u32 data = 0; data < 300; data++) {
		struct packet p = {0};
		struct frame f;

		put_echo(&p, data);
		put_ip4(&p, 1, 2, PROTO_ICMP);
		put_eth(&p);
		f = frame_of(p.b, p.n, p.n);
		assert_int_equal(dissect_frame(&d, &f, NULL), 0);
		snprintf(want, sizeof(want), "%u (ICMP) + 20 (IP) = %u", data + 8, data + 28);
		assert_string_equal(sum_of(&s), want);
		assert_int_equal(s.total, p.n - 14);
		assert_int_equal(s.frame, p.n);
	}
}

static void t_sum_of_three_ips_and_gre(void **state)
{
	struct gre_fields g = {.flags = GRE_C | GRE_K, .type = ETYPE_IP4};
	struct packet p = {0};
	struct size_sum s;
	struct frame f;

	(void)state;
	put_echo(&p, 56);
	put_ip4(&p, 1, 2, PROTO_ICMP);
	gre_build(put(&p, 12), &g);
	gre_set_csum(p.b, p.n);
	put_ip4(&p, 3, 4, PROTO_GRE);
	put_ip4(&p, 5, 6, PROTO_IPIP);
	put_eth(&p);
	f = frame_of(p.b, p.n, p.n);
	assert_int_equal(dissect_frame(&d, &f, NULL), 0);
	assert_int_equal(d.layers[3].csum, CSUM_GOOD);
	assert_string_equal(sum_of(&s), "64 (ICMP) + 20 (inner IP) + 12 (GRE) + 20 (middle IP) + "
					"20 (outer IP) = 136");
}

/* 6 bytes of Ethernet padding are not of the packet, and said. */
static void t_padding(void **state)
{
	struct packet p = story();
	struct frame f = frame_of(p.b, p.n + 6, p.n + 6);
	struct size_sum s;

	(void)state;
	assert_int_equal(dissect_frame(&d, &f, NULL), 0);
	assert_int_equal(d.layers[1].trailer, 6);
	assert_non_null(strstr(d.layers[1].notes[0], "6 bytes behind it"));
	assert_string_equal(sum_of(&s), "64 (ICMP) + 20 (inner IP) + 20 (outer IP) = 104");
	assert_int_equal(s.frame, 124);
}

/* A frame that really is so short is malformed where it ends, from memory of that size. */
static void t_every_short_frame(void **state)
{
	struct packet p = story();

	(void)state;
	for (u32 n = 0; n < p.n; n++) {
		u8 *copy = malloc(n ? n : 1);
		struct frame f = frame_of(copy, n, n);
		const struct layer *l;

		memcpy(copy, p.b, n);
		assert_int_equal(dissect_frame(&d, &f, NULL), -EBADMSG);
		l = dissect_broken(&d);
		assert_non_null(l);
		assert_string_equal(l->name, n < 14 ? "Ethernet" : "IPv4");
		assert_int_equal(l->offset, n < 14 ? 0 : 14);
		assert_false(d.cut);
		free(copy);
	}
}

/* A capture that kept less is cut, not malformed. */
static void t_every_short_capture(void **state)
{
	struct packet p = story();
	struct size_sum s;

	(void)state;
	for (u32 n = 0; n < p.n; n++) {
		u8 *copy = malloc(n ? n : 1);
		struct frame f = frame_of(copy, n, p.n);

		memcpy(copy, p.b, n);
		assert_int_equal(dissect_frame(&d, &f, NULL), 0);
		assert_true(d.cut);
		if (n >= 62) {
			assert_string_equal(sum_of(&s),
					    "64 (ICMP) + 20 (inner IP) + 20 (outer IP) = 104");
			assert_int_equal(d.layers[3].csum, CSUM_UNCHECKED);
		}
		free(copy);
	}
}

/* Each length field, with each value: never a crash, and an error unless it can be true. */
static void t_lying_lengths(void **state)
{
	static const u32 at[] = {14 + 2, 34 + 2};
	static const u32 room[] = {104, 84};

	(void)state;
	for (size_t i = 0; i < countof(at); i++) {
		for (u32 v = 0; v < 65536; v += v < 300 ? 1 : 97) {
			struct packet p = story();
			struct frame f = frame_of(p.b, p.n, p.n);
			be16 len = be16_of((u16)v);
			int ret;

			memcpy(p.b + at[i], &len, 2);
			ret = dissect_frame(&d, &f, NULL);
			if (v < 20 || v > room[i]) {
				assert_int_equal(ret, -EBADMSG);
				assert_int_equal(dissect_broken(&d)->offset, at[i] - 2);
			} else {
				assert_int_equal(d.layers[i + 1].size, v);
				assert_int_equal(d.layers[i + 1].error[0], 0);
			}
		}
	}
}

static void t_header_length(void **state)
{
	(void)state;
	for (u8 ihl = 0; ihl < 16; ihl++) {
		struct packet p = story();
		struct frame f = frame_of(p.b, p.n, p.n);
		int ret;

		p.b[14] = 0x40 | ihl;
		ret = dissect_frame(&d, &f, NULL);
		if (ihl < 5)
			assert_int_equal(ret, -EBADMSG);
		else
			assert_int_equal(d.layers[1].hlen, ihl * 4);
	}
}

/* Every byte with every value: whatever comes of it, the layers stay within the frame. */
static void t_every_byte_changed(void **state)
{
	struct packet p = story();
	u8 *copy = malloc(p.n);
	struct frame f = frame_of(copy, p.n, p.n);

	(void)state;
	for (u32 i = 0; i < p.n; i++) {
		for (int v = 0; v < 256; v++) {
			memcpy(copy, p.b, p.n);
			copy[i] = (u8)v;
			dissect_frame(&d, &f, NULL);
			assert_true(d.n_layers >= 1);
			for (u16 k = 0; k < d.n_layers; k++) {
				const struct layer *l = &d.layers[k];

				assert_true(l->offset + l->size <= p.n);
				assert_true(l->hlen <= l->size);
			}
		}
	}
	free(copy);
}

static void t_wrong_checksum_names_the_right_one(void **state)
{
	struct packet p = story();
	struct frame f = frame_of(p.b, p.n, p.n);
	struct ip4 h;

	(void)state;
	memcpy(&h, p.b + 14, 20);
	p.b[14 + 10] ^= 0x55;
	assert_int_equal(dissect_frame(&d, &f, NULL), 0);
	assert_int_equal(d.layers[1].csum, CSUM_BAD);
	assert_int_equal(d.layers[1].csum_want, be16_host(h.check));
	assert_int_equal(d.layers[2].csum, CSUM_GOOD);
}

static void put_udp(struct packet *p, u16 dport, be16 check)
{
	struct udp h = {be16_of(1000), be16_of(dport), be16_of((u16)(p->n + 8)), check};

	memcpy(put(p, 8), &h, 8);
}

static void t_udp_checksums(void **state)
{
	be32 src = be32_of(1), dst = be32_of(2);
	u32 pseudo = ip4_pseudo(src, dst, PROTO_UDP, 28);
	const struct {
		be16 check;
		enum csum_verdict want;
	} rows[] = {
		{{0}, CSUM_ZERO}, {{csum_fold(pseudo)}, CSUM_PARTIAL}, {be16_of(0xdead), CSUM_BAD}};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		struct packet p = {.n = 20};
		struct frame f;

		put_udp(&p, 9, rows[i].check);
		put_ip4(&p, 1, 2, PROTO_UDP);
		put_eth(&p);
		f = frame_of(p.b, p.n, p.n);
		assert_int_equal(dissect_frame(&d, &f, NULL), 0);
		assert_int_equal(d.layers[2].csum, rows[i].want);
	}
}

static void t_ports(void **state)
{
	struct dissect_ports ports = {.fou = {{5555, PROTO_IPIP}, {5556, 0}}, .n_fou = 2};
	static const u16 port[] = {5555, 5556, 6080};
	struct size_sum s;

	(void)state;
	for (size_t i = 0; i < countof(port); i++) {
		struct packet p = {0};
		struct frame f;

		put_echo(&p, 56);
		put_ip4(&p, 1, 2, PROTO_ICMP);
		if (port[i] == 6080)
			memcpy(put(&p, 4), (u8[]){0, 4, 0, 0}, 4);
		put_udp(&p, port[i], (be16){0});
		put_ip4(&p, 3, 4, PROTO_UDP);
		put_eth(&p);
		f = frame_of(p.b, p.n, p.n);
		assert_int_equal(dissect_frame(&d, &f, i < 2 ? &ports : NULL), 0);
		assert_string_equal(
			sum_of(&s),
			i < 2 ? "64 (ICMP) + 20 (inner IP) + 8 (UDP) + 20 (outer IP) = 112"
			      : "64 (ICMP) + 20 (inner IP) + 4 (GUE) + 8 (UDP) + "
				"20 (outer IP) = 116");
	}
}

static void t_depth_is_bounded(void **state)
{
	struct packet p = {0};
	struct size_sum s;
	struct frame f;

	(void)state;
	put_echo(&p, 8);
	put_ip4(&p, 1, 2, PROTO_ICMP);
	for (int i = 0; i < DISSECT_LAYERS + 2; i++)
		put_ip4(&p, 3, 4, PROTO_IPIP);
	put_eth(&p);
	f = frame_of(p.b, p.n, p.n);
	assert_int_equal(dissect_frame(&d, &f, NULL), 0);
	assert_int_equal(d.n_layers, DISSECT_LAYERS);
	assert_non_null(strstr(d.layers[DISSECT_LAYERS - 1].notes[0], "deeper than 16 layers"));
	assert_true(size_sum(&s, &d));
	assert_int_equal(s.total, p.n - 14);
}

static void t_quote_is_not_malformed(void **state)
{
	struct packet inner = story(), p = {0};
	struct icmp_hdr h = {.type = ICMP4_T_UNREACH, .code = ICMP4_C_FRAG};
	struct size_sum s;
	struct frame f;

	(void)state;
	p.n = 28;
	memcpy(p.b, inner.b + 14, 28);
	h.u.frag.mtu = be16_of(1400);
	memcpy(put(&p, 8), &h, 8);
	put_ip4(&p, 1, 2, PROTO_ICMP);
	put_eth(&p);
	f = frame_of(p.b, p.n, p.n);
	assert_int_equal(dissect_frame(&d, &f, NULL), 0);
	assert_string_equal(value(2, "mtu"), "1400");
	assert_true(d.layers[3].quoted);
	assert_string_equal(d.layers[3].notes[0], "the quote holds 28 of its 104 bytes");
	assert_string_equal(sum_of(&s), "36 (ICMP) + 20 (IP) = 56");
}

static void t_unknown_link_type(void **state)
{
	struct packet p = story();
	struct frame f = frame_of(p.b, p.n, p.n);

	(void)state;
	f.linktype = 147;
	assert_int_equal(dissect_frame(&d, &f, NULL), -EBADMSG);
	assert_string_equal(dissect_broken(&d)->error, "link type 147 is none that tunl knows");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_story_layers),
		cmocka_unit_test(t_story_sum_as_printed),
		cmocka_unit_test(t_sum_follows_the_packet),
		cmocka_unit_test(t_sum_of_three_ips_and_gre),
		cmocka_unit_test(t_padding),
		cmocka_unit_test(t_every_short_frame),
		cmocka_unit_test(t_every_short_capture),
		cmocka_unit_test(t_lying_lengths),
		cmocka_unit_test(t_header_length),
		cmocka_unit_test(t_every_byte_changed),
		cmocka_unit_test(t_wrong_checksum_names_the_right_one),
		cmocka_unit_test(t_udp_checksums),
		cmocka_unit_test(t_ports),
		cmocka_unit_test(t_depth_is_bounded),
		cmocka_unit_test(t_quote_is_not_malformed),
		cmocka_unit_test(t_unknown_link_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
