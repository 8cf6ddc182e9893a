/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipsec_speed BYTES MS [SUITE...]: how many inner bytes a second one processor seals
 * and opens as ESP packets of that inner size. A line a suite: name, what, GB/s, packets/s.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ipsec/esp.h"
#include "ipsec/secret.h"
#include "ipsec/text.h"

enum { TURN = 64, PACKET = 70000 };

#define K16 "0x000102030405060708090a0b0c0d0e0f"

static const struct {
	const char *name, *algos;
} suites[] = {
	{"aes-128-gcm", "aead rfc4106(gcm(aes)) " K16 "a0a1a2a3 128"},
	{"aes-256-gcm",
	 "aead rfc4106(gcm(aes)) " K16 "101112131415161718191a1b1c1d1e1fa0a1a2a3 128"},
	{"chacha20-poly1305",
	 "aead rfc7539esp(chacha20,poly1305) " K16 "101112131415161718191a1b1c1d1e1fa0a1a2a3 128"},
	{"aes-128-cbc-sha256", "enc cbc(aes) " K16 " auth-trunc hmac(sha256) " K16 " 128"},
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct sa *make(struct xfrm_db *db, struct sa_live *live, const char *algos)
{
	char line[XFRM_LINE];
	struct sa_cfg cfg;
	struct sa *sa;

	snprintf(line, sizeof(line), "src 1.1.1.1 dst 2.2.2.2 proto esp spi 9 mode tunnel %s",
		 algos);
	if (sa_line(line, &cfg, NULL))
		exit(1);
	db_init(db);
	sa = db_sa_add(db, &cfg, live, 0);
	sa->crypt = crypt_new(&cfg);
	if (!sa->crypt)
		exit(1);
	return sa;
}

static void report(const char *suite, const char *what, double packets, double seconds, u32 size)
{
	printf("%s %s %.3f %.0f\n", suite, what, packets * size / seconds / 1e9, packets / seconds);
}

static void measure(u32 which, u32 size, double limit)
{
	static u8 inner[PACKET], one[PACKET], all[PACKET + ESP_ROOM];
	struct crypt_piece piece = {inner, size};
	struct esp_out o = {.in = &piece, .n = 1, .next = ESP_NEXT_IP4, .now = 1};
	struct sa_live live = {0};
	struct xfrm_db db;
	struct sa *sa = make(&db, &live, suites[which].algos);
	struct esp_in in;
	double n, begun, copies;
	u32 len = 0;

	for (n = 0, begun = now(); now() - begun < limit; n += TURN)
		for (int i = 0; i < TURN; i++)
			esp_seal(sa, &o, all, &len);
	report(suites[which].name, "seal", n, now() - begun, size);
	/* opening is in place: each turn begins with a copy, which is taken off */
	for (n = 0, begun = now(); now() - begun < limit / 4; n += TURN)
		for (int i = 0; i < TURN; i++) {
			memcpy(one, all, len);
			__asm__ volatile("" ::: "memory");
		}
	copies = (now() - begun) / n;
	for (n = 0, begun = now(); now() - begun < limit; n += TURN)
		for (int i = 0; i < TURN; i++) {
			memcpy(one, all, len);
			if (esp_open(sa, one, len, 1, &in) != MIB__MAX)
				exit(1);
		}
	report(suites[which].name, "open", n, now() - begun - copies * n, size);
	db_fini(&db);
}

int main(int argc, char **argv)
{
	u32 size = argc > 1 ? (u32)atoi(argv[1]) : 0, ms = argc > 2 ? (u32)atoi(argv[2]) : 0;

	if (!size || size > PACKET - 300 || !ms || secret_init() == -12 || crypt_init()) {
		fprintf(stderr, "usage: ipsec_speed BYTES MS [SUITE...]\n");
		return 2;
	}
	for (u32 i = 0; i < countof(suites); i++)
		for (int k = 3; k < argc || k == 3; k++)
			if (argc == 3 || !strcmp(argv[k], suites[i].name))
				measure(i, size, ms / 1e3);
	return 0;
}
