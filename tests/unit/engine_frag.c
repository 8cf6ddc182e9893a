/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragmentation: pieces that make up the whole again, for every size and place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/frag.h"

enum { WHOLE = 3000 };

/* Put the fragments of a packet together; returns their number. */
static u32 reassemble(struct frag *f, u16 base, u32 mtu, u8 *whole)
{
	u8 head[IP4_MAX_HLEN];
	const struct ip4 *h = (void *)head;
	const u8 *body;
	u32 n, len, count = 0, done = 0;

	while ((n = frag_next(f, head, &body, &len))) {
		assert_int_equal(n, ip4_hlen(h));
		assert_int_equal(be16_host(h->len), n + len);
		assert_true(n + len <= mtu);
		assert_true(csum_ok(csum_add(0, head, n)));
		assert_int_equal(ip4_offset(h), (base & IP4_OFFSET) * 8U + done);
		memcpy(whole + done, body, len);
		done += len;
		count++;
		if (!(base & IP4_MF) && be16_host(h->frag) & IP4_MF)
			assert_int_equal(len % 8, 0);
	}
	assert_int_equal(be16_host(h->frag) & IP4_MF, base & IP4_MF);
	return count;
}

static void t_frag_all_sizes(void **state)
{
	static const u16 bases[] = {0, IP4_MF | 100, 100};
	u8 payload[WHOLE], whole[WHOLE], head[IP4_HLEN];

	(void)state;
	for (u32 i = 0; i < WHOLE; i++)
		payload[i] = (u8)(i * 7 + (i >> 8));
	for (u32 len = 0; len <= WHOLE; len += 61)
		for (u32 mtu = IP4_HLEN + 8; mtu < 1600; mtu += 97)
			for (u32 b = 0; b < countof(bases); b++) {
				struct ip4_fields x = {.frag = bases[b], .id = 9, .ttl = 3};
				struct frag f;

				ip4_build((struct ip4 *)head, &x);
				assert_true(frag_init(&f, head, payload, len, mtu));
				memset(whole, 0, sizeof(whole));
				reassemble(&f, bases[b], mtu, whole);
				assert_memory_equal(whole, payload, len);
			}
}

static void t_frag_options(void **state)
{
	/* record route (not copied), no-op, router alert (copied), end */
	static const u8 options[] = {7, 7, 4, 1, 1, 1, 1, 1, 0x94, 4, 0, 0, 0, 0, 0, 0};
	u8 head[IP4_HLEN + sizeof(options)], out[IP4_MAX_HLEN], payload[100] = {0};
	const u8 *body;
	struct frag f;
	u32 len;

	(void)state;
	memset(head, 0, sizeof(head));
	head[0] = 0x40 | sizeof(head) / 4;
	memcpy(head + IP4_HLEN, options, sizeof(options));
	assert_true(frag_init(&f, head, payload, sizeof(payload), 68));
	assert_int_equal(frag_next(&f, out, &body, &len), sizeof(head));
	assert_memory_equal(out + IP4_HLEN, options, sizeof(options));
	assert_int_equal(frag_next(&f, out, &body, &len), IP4_HLEN + 4);
	assert_memory_equal(out + IP4_HLEN, options + 8, 4);
}

static void t_frag_options_lie(void **state)
{
	static const u8 lies[][8] = {
		{0x94, 0, 1, 1}, {0x94, 1, 1, 1}, {0x94, 200, 1, 1}, {1, 1, 1, 1, 1, 1, 1, 0x94}};
	u8 head[IP4_HLEN + 8], out[IP4_MAX_HLEN], payload[100] = {0};
	const u8 *body;
	struct frag f;
	u32 len;

	(void)state;
	for (u32 i = 0; i < countof(lies); i++) {
		memset(head, 0, sizeof(head));
		head[0] = 0x40 | sizeof(head) / 4;
		memcpy(head + IP4_HLEN, lies[i], 8);
		assert_true(frag_init(&f, head, payload, sizeof(payload), 60));
		assert_int_equal(frag_next(&f, out, &body, &len), sizeof(head));
		assert_int_equal(frag_next(&f, out, &body, &len), IP4_HLEN);
	}
}

static void t_frag_refuses(void **state)
{
	u8 head[64] = {0x45};
	struct frag f;

	(void)state;
	assert_false(frag_init(&f, head, head, 8, IP4_HLEN + 7));
	assert_true(frag_init(&f, head, head, 8, IP4_HLEN + 8));
	head[0] = 0x44;
	assert_false(frag_init(&f, head, head, 8, 1500));
	head[0] = 0x4f;
	assert_false(frag_init(&f, head, head, 8, IP4_MAX_HLEN + 7));
	assert_true(frag_init(&f, head, head, 8, IP4_MAX_HLEN + 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_frag_all_sizes),
		cmocka_unit_test(t_frag_options),
		cmocka_unit_test(t_frag_options_lie),
		cmocka_unit_test(t_frag_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
