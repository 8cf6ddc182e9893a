/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ESP packets byte for byte: the golden vectors of spec datapath 14.1, RFC 7634
 * appendix A, draft-mcgrew-gcm-test-01; and what is refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ipsec/algo.h"
#include "ipsec/esp.h"
#include "ipsec/secret.h"
#include "ipsec/text.h"

enum { BYTES = 512 };

static u32 unhex(const char *hex, u8 *out)
{
	u32 n = 0;
	unsigned int byte;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		out[n++] = (u8)byte;
	return n;
}

#define GCM_KEY "000102030405060708090a0b0c0d0e0fa0a1a2a3"
#define INNER	"4500002400010000400166d60a0000010a0000020800d9ba123400010001020304050607"

/* A packet: what is enciphered (trailer included), and what comes of it. */
static const struct vector {
	const char *what, *algos;
	u32 seq_hi;
	const char *plain, *packet;
} vectors[] = {
	{"AES-GCM-128", "aead rfc4106(gcm(aes)) 0x" GCM_KEY " 128", 0, INNER "01020204",
	 "0000100100000001000000000000000103711cd66c857750c76d20c1d10494671bf219819ef559187fc58b11"
	 "1ca75d11effec8ac243392d398a8422b6df25cc2ce69966c5f37dd85"},
	{"AES-GCM-128 ESN", "flag esn replay-window 64 aead rfc4106(gcm(aes)) 0x" GCM_KEY " 128", 1,
	 INNER "01020204",
	 "0000100100000001000000000000000103711cd66c857750c76d20c1d10494671bf219819ef559187fc58b11"
	 "1ca75d11effec8ac243392d3d84f842a8306ecf7b4d67f757357ab7d"},
	{"AES-CBC HMAC-SHA-256-128",
	 "enc cbc(aes) 0x000102030405060708090a0b0c0d0e0f auth-trunc hmac(sha256) "
	 "0x202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f 128",
	 0, INNER "0102030405060708090a0a04",
	 "0000100100000001101112131415161718191a1b1c1d1e1ff6ca8ddf61c97695ae86abb4417f49b002219d0f"
	 "6349c6a561c650f9fd40163f7ca34d9bc0f2c9e5cdcf89bff8ddaa2e6b5af90a006f9050dfbc8be6161be7c"
	 "d"},
	{"AES-CBC HMAC-SHA-256-128 ESN",
	 "flag esn replay-window 64 enc cbc(aes) 0x000102030405060708090a0b0c0d0e0f auth-trunc "
	 "hmac(sha256) 0x202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f 128",
	 1, INNER "0102030405060708090a0a04",
	 "0000100100000001101112131415161718191a1b1c1d1e1ff6ca8ddf61c97695ae86abb4417f49b002219d0f"
	 "6349c6a561c650f9fd40163f7ca34d9bc0f2c9e5cdcf89bff8ddaa2ef11c44c8f76dc4f5f83a03786b6e6f9"
	 "7"},
	{"RFC 7634 A",
	 "aead rfc7539esp(chacha20,poly1305) "
	 "0x808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3 128",
	 0,
	 "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b0c0d0e0f"
	 "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363701020204",
	 "0102030400000005101112131415161724039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef"
	 "407ae5c614ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b50"
	 "2773f6fb94e664da9165b82829f641e076aaa8266b7fb0f7b11b369907e1ad43"},
	{"draft-mcgrew-gcm-test-01, AES-GCM-256",
	 "aead rfc4106(gcm(aes)) "
	 "0xabbccddef00112233445566778899aababbccddef00112233445566778899aab11223344 128",
	 0,
	 "4500003069a6400080062690c0a801029389155e0a9e008b2dc57ee0000000007002400020bf0000020405b4"
	 "0101040201020201",
	 "4a2cbfe3000000020102030405060708ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d"
	 "65a5d763748a637985771d347f0545659f14e99def842d8eb335f4eecfdbf831824b4c4915956c96"},
};

static struct sa_cfg config(const char *algos, u32 spi)
{
	char line[XFRM_LINE];
	struct sa_cfg cfg;
	struct err e = {0};

	snprintf(line, sizeof(line), "src 192.0.2.1 dst 192.0.2.2 proto esp spi %u mode tunnel %s",
		 spi, algos);
	if (sa_line(line, &cfg, &e))
		fail_msg("%s: %s", algos, e.text);
	return cfg;
}

static void check_vector(const struct vector *v)
{
	struct sa_cfg cfg = config(v->algos, 1);
	struct crypt *c = crypt_new(&cfg);
	u8 plain[BYTES], packet[BYTES], made[BYTES];
	u32 nplain = unhex(v->plain, plain), n = unhex(v->packet, packet);
	struct crypt_piece piece[2] = {{plain, 7}, {plain + 7, nplain - 7}};
	struct crypt_job job = {piece, 2, v->seq_hi, packet + 8};

	assert_non_null(c);
	memcpy(made, packet, 8);
	assert_int_equal(crypt_seal(c, made, &job), 0);
	assert_memory_equal(made, packet, n);
	for (u32 i = 0; i < n; i++) { /* each byte counts; of the copy, which is used up */
		memcpy(made, packet, n);
		made[i] ^= 0x40;
		assert_false(crypt_open(c, made, n, v->seq_hi));
	}
	for (u32 i = 0; i < n; i++) {
		memcpy(made, packet, n);
		assert_false(crypt_open(c, made, i, v->seq_hi));
	}
	memcpy(made, packet, n);
	assert_true(crypt_open(c, made, n, v->seq_hi));
	assert_memory_equal(made + 8 + crypt_sizes(c).iv, plain, nplain);
	if (cfg.flags & SA_ESN) {
		memcpy(made, packet, n);
		assert_false(crypt_open(c, made, n, v->seq_hi + 1));
	}
	crypt_free(c);
}

static void t_vectors(void **state)
{
	(void)state;
	for (u32 i = 0; i < countof(vectors); i++)
		check_vector(&vectors[i]);
}

#define K20 "0x000102030405060708090a0b0c0d0e0f10111213"
#define K16 "0x000102030405060708090a0b0c0d0e0f"

/* Both ends of one state. */
struct pair {
	struct xfrm_db db;
	struct sa_live out_live, in_live;
	struct sa *out, *in;
};

static void pair_init(struct pair *p, const char *algos)
{
	struct sa_cfg cfg = config(algos, 0x1001);

	memset(p, 0, sizeof(*p));
	db_init(&p->db);
	replay_init(&p->out_live.replay, &cfg);
	replay_init(&p->in_live.replay, &cfg);
	p->out = db_sa_add(&p->db, &cfg, &p->out_live, 0);
	p->in = db_sa_add(&p->db, &cfg, &p->in_live, 1);
	p->out->crypt = crypt_new(&cfg);
	p->in->crypt = crypt_new(&cfg);
	assert_non_null(p->out->crypt);
	assert_non_null(p->in->crypt);
}

static u32 seal(struct pair *p, u32 len, u8 next, u8 *packet)
{
	u8 inner[2000];
	struct crypt_piece piece = {inner, len};
	struct esp_out o = {.in = &piece, .n = 1, .next = next, .now = 1000};
	u32 n = 0;

	memset(inner, 0xa5, sizeof(inner));
	assert_int_equal(esp_seal(p->out, &o, packet, &n), MIB__MAX);
	assert_int_equal(n, esp_size(p->out, len));
	return n;
}

static const char *const suites[] = {
	"aead rfc4106(gcm(aes)) " K20 " 64",
	"aead rfc4106(gcm(aes)) " K20 " 96",
	"aead rfc4106(gcm(aes)) " K20 " 128",
	"aead rfc4106(gcm(aes)) " K20 "1415161718191a1b 128",
	"aead rfc4106(gcm(aes)) " K20 "1415161718191a1b1c1d1e1f20212223 128",
	"aead rfc7539esp(chacha20,poly1305) " K20 "1415161718191a1b1c1d1e1f20212223 128",
	"enc cbc(aes) " K16 " auth hmac(sha1) " K20,
	"enc aes " K16 "1011121314151617 auth sha256 " K16,
	"enc cbc(aes) " K16 "101112131415161718191a1b1c1d1e1f auth hmac(sha384) " K20,
	"enc cbc(aes) " K16 " auth hmac(sha512) " K20,
	"enc cbc(aes) " K16 " auth-trunc hmac(sha1) " K20 " 160",
	"enc cbc(aes) " K16,
	"enc cipher_null 0x auth hmac(sha256) " K16,
	"flag esn replay-window 4096 aead rfc4106(gcm(aes)) " K20 " 128",
};

static void t_round_trips(void **state)
{
	(void)state;
	for (u32 i = 0; i < countof(suites); i++) {
		struct pair p;
		struct esp_in in;
		u8 packet[2400];

		pair_init(&p, suites[i]);
		for (u32 len = 20; len < 90; len++) {
			u32 n = seal(&p, len, 4, packet);

			assert_int_equal(esp_open(p.in, packet, n, 2000, &in), MIB__MAX);
			assert_int_equal(in.len, len);
			assert_int_equal(in.next, 4);
			assert_int_equal(in.inner[len - 1], 0xa5);
		}
		assert_int_equal(p.in_live.packets, 70);
		assert_int_equal(p.in_live.use_time, 2000);
		db_fini(&p.db);
	}
}

/* Spec datapath 9.1 and V11, V12. */
static void t_sizes(void **state)
{
	static const struct {
		const char *algos;
		u32 path, mtu, of100;
	} rows[] = {
		{"aead rfc4106(gcm(aes)) " K20 " 128", 1500, 1446, 156},
		{"aead rfc4106(gcm(aes)) " K20 " 128", 1400, 1346, 156},
		{"enc cbc(aes) " K16 " auth-trunc hmac(sha256) " K16 " 128", 1500, 1438, 172},
		{"enc cbc(aes) " K16 " auth-trunc hmac(sha256) " K16 " 128", 1400, 1326, 172},
		{"enc cbc(aes) " K16 " auth hmac(sha256) " K16, 1500, 1438, 168},
		{"encap espinudp 4500 4500 0.0.0.0 aead rfc4106(gcm(aes)) " K20 " 128", 1500, 1438,
		 156},
		{"aead rfc4106(gcm(aes)) " K20 " 128", 50, 0, 156},
	};

	(void)state;
	for (u32 i = 0; i < countof(rows); i++) {
		struct pair p;

		pair_init(&p, rows[i].algos);
		assert_int_equal(esp_mtu(p.out, rows[i].path), rows[i].mtu);
		assert_int_equal(20 + esp_size(p.out, 100), rows[i].of100);
		db_fini(&p.db);
	}
}

/* V24, V25, V31: the window moves for what is authentic only, and by it. */
static void t_refused(void **state)
{
	struct pair p;
	struct esp_in in;
	u8 packet[256], copy[256];
	u32 n;

	(void)state;
	pair_init(&p, "replay-window 32 aead rfc4106(gcm(aes)) " K20 " 128");
	n = seal(&p, 60, 4, packet);
	memcpy(copy, packet, n);
	copy[n - 1] ^= 1;
	assert_int_equal(esp_open(p.in, copy, n, 1, &in), MIB_IN_PROTO);
	memcpy(copy, packet, n);
	assert_int_equal(esp_open(p.in, copy, n, 1, &in), MIB__MAX);
	memcpy(copy, packet, n);
	assert_int_equal(esp_open(p.in, copy, n, 1, &in), MIB_IN_SEQ);
	assert_int_equal(esp_open(p.in, packet, 7, 1, &in), MIB_IN_HDR);
	n = seal(&p, 60, 59, packet);
	assert_int_equal(esp_open(p.in, packet, n, 1, &in), MIB_IN_PROTO);
	assert_int_equal(p.in_live.failed, 1);
	assert_int_equal(p.in_live.replayed, 1);
	assert_int_equal(p.in_live.packets, 1);
	db_fini(&p.db);
}

/* Padding longer than what there is (RFC 4303 2.4 is bounds-checked; spec datapath 9.4). */
static void t_padding(void **state)
{
	static const struct {
		u8 pad_len;
		bool good;
	} rows[] = {{0, true}, {5, true}, {13, true}, {14, false}, {15, false}, {255, false}};

	(void)state;
	for (u32 i = 0; i < countof(rows); i++) {
		struct pair p;
		struct esp_in in;
		u8 packet[256] = {0, 0, 0x10, 1, 0, 0, 0, 1}, plain[16] = {0x45};
		struct crypt_piece piece = {plain, sizeof(plain)};
		struct crypt_job job = {.in = &piece, .n = 1};

		pair_init(&p, "aead rfc4106(gcm(aes)) " K20 " 128");
		plain[14] = rows[i].pad_len;
		plain[15] = 4;
		assert_int_equal(crypt_seal(p.out->crypt, packet, &job), 0);
		assert_int_equal(esp_open(p.in, packet, 8 + 8 + 16 + 16, 1, &in),
				 rows[i].good ? MIB__MAX : MIB_IN_PROTO);
		if (rows[i].good)
			assert_int_equal(in.len, 14 - rows[i].pad_len);
		db_fini(&p.db);
	}
}

/* Soft and hard limits of packets, bytes and time; the last number. */
static void t_limits(void **state)
{
	struct crypt_piece piece = {(const u8 *)"12345678901234567890", 20};
	struct esp_out o = {.in = &piece, .n = 1, .next = 4, .now = 1000};
	u8 packet[256];
	struct pair p;
	u32 n;

	(void)state;
	pair_init(&p, "limit packet-soft 1 limit packet-hard 2 aead rfc4106(gcm(aes)) " K20 " 128");
	assert_false(esp_limits(p.out, 1));
	seal(&p, 20, 4, packet);
	assert_true(esp_limits(p.out, 1));
	assert_true(p.out_live.dying && !p.out_live.dead);
	assert_false(esp_limits(p.out, 1));
	seal(&p, 20, 4, packet);
	assert_true(esp_limits(p.out, 1) && p.out_live.dead);
	assert_int_equal(esp_seal(p.out, &o, packet, &n), MIB_OUT_EXPIRED);
	db_fini(&p.db);

	pair_init(&p, "limit byte-hard 40 limit time-soft 60 aead rfc4106(gcm(aes)) " K20 " 128");
	p.out_live.add_time = 1000;
	assert_false(esp_limits(p.out, 1059));
	assert_true(esp_limits(p.out, 1060) && p.out_live.dying);
	seal(&p, 20, 4, packet);
	seal(&p, 20, 4, packet);
	assert_true(esp_limits(p.out, 1060) && p.out_live.dead);
	db_fini(&p.db);

	pair_init(&p, "replay-oseq 0xfffffffe aead rfc4106(gcm(aes)) " K20 " 128");
	seal(&p, 20, 4, packet);
	assert_int_equal(esp_seal(p.out, &o, packet, &n), MIB_OUT_SEQ);
	db_fini(&p.db);
}

static void t_algorithms(void **state)
{
	static const struct {
		const char *algos;
		int err;
	} rows[] = {
		{"aead rfc4106(gcm(aes)) " K20 " 100", -EINVAL},
		{"aead rfc4106(gcm(aes)) " K16 " 128", -EINVAL},
		{"aead rfc4309(ccm(aes)) " K20 " 128", -ENOSYS},
		{"enc cbc(des3_ede) " K16, -ENOSYS},
		{"enc cbc(aes) " K20, -EINVAL},
		{"enc cbc(aes) " K16 " auth hmac(md5) " K16, -ENOSYS},
		{"enc cbc(aes) " K16 " auth-trunc hmac(sha1) " K20 " 168", -EINVAL},
		{"enc cbc(aes) " K16 " auth-trunc hmac(sha1) " K20 " 0", 0},
	};

	(void)state;
	for (u32 i = 0; i < countof(rows); i++) {
		struct sa_cfg cfg = config(rows[i].algos, 1);

		assert_int_equal(algo_check(&cfg), rows[i].err);
	}
}

/* Who goes on with the numbers of another goes on with its IVs. */
static void t_iv_goes_on(void **state)
{
	u8 inner[16] = {0x45}, one[64] = {0, 0, 0, 9, 0, 0, 0, 1},
	   two[64] = {0, 0, 0, 9, 0, 0, 0, 1};
	struct sa_cfg cfg = config("aead rfc4106(gcm(aes)) " K20 " 128", 9);
	struct crypt *a = crypt_new(&cfg), *b = crypt_new(&cfg);
	struct crypt_piece piece = {inner, sizeof(inner)};
	struct crypt_job job = {.in = &piece, .n = 1};
	u64 begin = 0;

	(void)state;
	assert_int_equal(crypt_seal(a, one, &job), 0);
	assert_int_equal(crypt_seal(b, two, &job), 0);
	assert_memory_not_equal(one + 8, two + 8, 8);
	crypt_iv_begin(a, &begin);
	crypt_iv_begin(b, &begin);
	assert_int_equal(crypt_seal(b, two, &job), 0);
	assert_memory_equal(one, two, sizeof(one));
	crypt_free(a);
	crypt_free(b);
}

/* What is freed is wiped, and had again. */
static void t_secret(void **state)
{
	u8 *p = secret_alloc(100), *q;

	(void)state;
	assert_non_null(p);
	assert_true(secret_size(p) >= 100);
	memset(p, 7, 100);
	secret_free(p);
	q = secret_alloc(100);
	assert_ptr_equal(p, q);
	for (u32 i = 0; i < 100; i++)
		assert_int_equal(q[i], 0);
	secret_free(q);
	secret_free(NULL);
	assert_null(secret_alloc(1UL << 30));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_vectors),	cmocka_unit_test(t_round_trips),
		cmocka_unit_test(t_sizes),	cmocka_unit_test(t_refused),
		cmocka_unit_test(t_padding),	cmocka_unit_test(t_limits),
		cmocka_unit_test(t_algorithms), cmocka_unit_test(t_secret),
		cmocka_unit_test(t_iv_goes_on),
	};

	secret_init(); /* memory that cannot be locked is memory all the same */
	if (crypt_init())
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
