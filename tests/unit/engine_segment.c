/* SPDX-License-Identifier: BSD-2-Clause */
/* Segmentation: every segment is whole, its checksums right, and together they are the stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/if_ether.h>

#include "engine/segment.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

enum { STREAM = 5003, SEQ = 0xfffffff0, ID = 0xfffe };

struct shape {
	bool v6, udp;
	u32 size;
};

static u32 l4_at(const struct shape *s)
{
	return s->v6 ? IP6_HLEN : IP4_HLEN;
}

static u32 hlen(const struct shape *s)
{
	return l4_at(s) + (s->udp ? UDP_HLEN : TCP_HLEN + 12);
}

/* A merged packet on the heap, of its exact size. */
static struct packet merged(const struct shape *s)
{
	struct packet p = {.len = hlen(s) + STREAM, .ethertype = s->v6 ? ETH_P_IPV6 : ETH_P_IP};
	struct ip4 *h4;
	struct ip6 *h6;

	p.data = calloc(1, p.len);
	assert_non_null(p.data);
	p.vnet.gso_size = (u16)s->size;
	p.vnet.gso_type = s->udp  ? VIRTIO_NET_HDR_GSO_UDP_L4
			  : s->v6 ? VIRTIO_NET_HDR_GSO_TCPV6
				  : VIRTIO_NET_HDR_GSO_TCPV4;
	h4 = (void *)p.data;
	h6 = (void *)p.data;
	if (s->v6) {
		h6->vtf = be32_of(6U << 28);
		h6->next = s->udp ? PROTO_UDP : PROTO_TCP;
		h6->src.w[3] = be32_of(1);
		h6->dst.w[0] = be32_of(0xfffefdfc);
	} else {
		struct ip4_fields f = {.src = be32_of(0x0a000001),
				       .dst = be32_of(0xfffefdfc),
				       .id = ID,
				       .proto = s->udp ? PROTO_UDP : PROTO_TCP};

		ip4_build(h4, &f);
	}
	if (!s->udp) {
		struct tcp *t = (void *)(p.data + l4_at(s));

		t->off = (TCP_HLEN + 12) / 4 << 4;
		t->seq = be32_of(SEQ);
		t->flags = TCP_F_ACK | TCP_F_PSH | TCP_F_FIN | TCP_F_CWR;
	}
	for (u32 i = 0; i < STREAM; i++)
		p.data[hlen(s) + i] = (u8)(i * 7 + (i >> 8));
	return p;
}

static void check_ip(const struct shape *s, const u8 *head, u32 len, u32 index)
{
	const struct ip4 *h = (const void *)head;

	if (s->v6) {
		assert_int_equal(be16_host(((const struct ip6 *)head)->len),
				 hlen(s) - IP6_HLEN + len);
		return;
	}
	assert_int_equal(be16_host(h->len), hlen(s) + len);
	assert_int_equal(be16_host(h->id), (u16)(ID + index));
	assert_true(csum_ok(ip4_sum(h)));
}

static void check_l4(const struct shape *s, const u8 *head, const u8 *body, u32 len, u32 done)
{
	const struct ip4 *h4 = (const void *)head;
	const struct ip6 *h6 = (const void *)head;
	const struct tcp *t = (const void *)(head + l4_at(s));
	u32 l4 = hlen(s) - l4_at(s) + len;
	u8 proto = s->udp ? PROTO_UDP : PROTO_TCP;
	u32 sum = s->v6 ? ip6_pseudo(&h6->src, &h6->dst, proto, l4)
			: ip4_pseudo(h4->src, h4->dst, proto, (u16)l4);
	bool last = done + len == STREAM;

	sum = csum_add(sum, head + l4_at(s), hlen(s) - l4_at(s));
	assert_true(csum_ok(csum_add(sum, body, len)));
	if (s->udp) {
		assert_int_equal(be16_host(((const struct udp *)t)->len), UDP_HLEN + len);
		return;
	}
	assert_int_equal(be32_host(t->seq), SEQ + done);
	assert_int_equal(!!(t->flags & TCP_F_PSH), last);
	assert_int_equal(!!(t->flags & TCP_F_FIN), last);
	assert_int_equal(!!(t->flags & TCP_F_CWR), done == 0);
}

static void t_segments(void **state)
{
	static const u32 sizes[] = {1, 7, 536, 1000, 1001, 5002, 5003, 5004, 60000};

	(void)state;
	for (u32 i = 0; i < countof(sizes) * 4; i++) {
		struct shape sh = {i & 1, i & 2, sizes[i / 4]};
		struct packet p = merged(&sh);
		u8 head[ENGINE_HEAD];
		struct segments s;
		const u8 *body;
		u32 len, done = 0, n = 0;

		assert_true(segments_init(&s, &p));
		while (segments_next(&s, head, &body, &len)) {
			check_ip(&sh, head, len, n++);
			check_l4(&sh, head, body, len, done);
			assert_memory_equal(body, p.data + hlen(&sh) + done, len);
			done += len;
		}
		assert_int_equal(done, STREAM);
		assert_int_equal(n, segments_count(&s));
		free(p.data);
	}
}

/* Whatever length a merged packet really has, nothing beyond it is read. */
static void t_segments_cut(void **state)
{
	(void)state;
	for (u32 i = 0; i < 4; i++) {
		struct shape sh = {i & 1, i & 2, 100};
		struct packet p = merged(&sh);

		for (u32 len = 0; len < hlen(&sh); len++) {
			struct packet cut = p;
			struct segments s;

			cut.data = malloc(len ? len : 1);
			assert_non_null(cut.data);
			memcpy(cut.data, p.data, len);
			cut.len = len;
			assert_false(segments_init(&s, &cut));
			free(cut.data);
		}
		free(p.data);
	}
}

static void t_segments_refuse(void **state)
{
	struct shape sh = {false, false, 100};
	struct packet p = merged(&sh);
	struct ip4 *h = (void *)p.data;
	struct tcp *t = (void *)(p.data + IP4_HLEN);
	struct segments s;

	(void)state;
	p.vnet.gso_size = 0;
	assert_false(segments_init(&s, &p));
	p.vnet.gso_size = 100;
	h->frag = be16_of(IP4_MF);
	assert_false(segments_init(&s, &p));
	h->frag = be16_of(0);
	h->proto = PROTO_UDP;
	assert_false(segments_init(&s, &p));
	h->proto = PROTO_TCP;
	t->off = 4 << 4;
	assert_false(segments_init(&s, &p));
	t->off = 5 << 4;
	p.ethertype = ETH_P_MPLS_UC;
	assert_false(segments_init(&s, &p));
	free(p.data);
}

static void t_checksum_bounds(void **state)
{
	u8 data[40] = {0};
	struct packet p = {.data = data, .len = sizeof(data), .ethertype = ETH_P_IP};

	(void)state;
	for (u32 start = 0; start < 100; start++)
		for (u32 off = 0; off < 100; off++) {
			p.vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
			p.vnet.csum_start = (u16)start;
			p.vnet.csum_offset = (u16)off;
			assert_int_equal(packet_checksum(&p), start + off + 2 <= sizeof(data));
		}
	p.vnet = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 65535, .csum_offset = 65535};
	assert_false(packet_checksum(&p));
}

/* A sum of zero is written as its other form: zero says "none" to UDP. */
static void t_checksum_zero(void **state)
{
	u8 data[8] = {0xff, 0xff};
	struct packet p = {.data = data, .len = sizeof(data)};

	(void)state;
	p.vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	p.vnet.csum_offset = 6;
	assert_true(packet_checksum(&p));
	assert_int_equal(data[6], 0xff);
	assert_int_equal(data[7], 0xff);
	assert_int_equal(p.vnet.flags, 0);
}

static void t_strip(void **state)
{
	u8 data[100];
	struct packet p = {.data = data, .len = sizeof(data)};

	(void)state;
	p.vnet = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					 .csum_start = 54,
					 .csum_offset = 16,
					 .hdr_len = 74};
	packet_strip(&p, 34);
	assert_ptr_equal(p.data, data + 34);
	assert_int_equal(p.len, 66);
	assert_int_equal(p.vnet.csum_start, 20);
	assert_int_equal(p.vnet.hdr_len, 40);
	packet_strip(&p, 40); /* the checksum began before what is left */
	assert_int_equal(p.vnet.flags, 0);
	assert_int_equal(p.vnet.hdr_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_segments),	     cmocka_unit_test(t_segments_cut),
		cmocka_unit_test(t_segments_refuse), cmocka_unit_test(t_checksum_bounds),
		cmocka_unit_test(t_checksum_zero),   cmocka_unit_test(t_strip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
