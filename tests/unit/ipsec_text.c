/* SPDX-License-Identifier: BSD-2-Clause */
/* `ip xfrm`'s grammar as values and back; lookup of policies and associations; windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ipsec/db.h"
#include "ipsec/text.h"

#define NAMED "src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x00001001 mode tunnel"
#define KEYED " aead rfc4106(gcm(aes)) 0x00112233 128"

static void t_states_read_back(void **state)
{
	static const char *const lines[] = {
		NAMED KEYED,
		NAMED " reqid 1 replay-window 64 flag af-unspec esn mark 0x5 mask 0xff" KEYED,
		NAMED " extra-flag dont-encap-dscp oseq-may-wrap output-mark 0x7" KEYED
		      " limit byte-hard 10 encap espinudp 4500 4501 0.0.0.0",
		NAMED " auth-trunc hmac(sha256) 0x01 128 enc cbc(aes) 0x02 sel src 10.0.0.0/8 dst "
		      "0.0.0.0/0 proto 6 sport 5",
		"src 2001:db8::1 dst 2001:db8::2 proto esp spi 0x00000001 mode transport" KEYED,
	};

	(void)state;
	for (u32 i = 0; i < countof(lines); i++) {
		char line[XFRM_LINE], text[XFRM_LINE];
		struct sa_cfg cfg;
		struct text t;

		strcpy(line, lines[i]);
		assert_int_equal(sa_line(line, &cfg, NULL), 0);
		text_init(&t, text, sizeof(text));
		sa_print(&cfg, false, &t);
		assert_string_equal(text, lines[i]);
		text_init(&t, text, sizeof(text));
		sa_print(&cfg, true, &t);
		assert_null(strstr(text, "0x00112233"));
	}
}

static void t_words(void **state)
{
	char odd[] = NAMED " aead x 0x123 96", mask[] = NAMED " mark 5 mask 0" KEYED;
	char raw[] = NAMED " aead x abc 96";
	struct sa_cfg cfg;

	(void)state;
	assert_int_equal(sa_line(odd, &cfg, NULL), 0);
	assert_int_equal(cfg.aead.key_len, 2);
	assert_memory_equal(cfg.aead.key, "\x01\x23", 2);
	assert_int_equal(sa_line(raw, &cfg, NULL), 0);
	assert_memory_equal(cfg.aead.key, "abc", 3);
	assert_int_equal(sa_line(mask, &cfg, NULL), 0); /* no mark at all */
	assert_int_equal(cfg.mark.value | cfg.mark.mask, 0);
}

static struct policy *policy(struct xfrm_db *db, const char *words, u32 slot)
{
	struct policy_cfg cfg;
	char line[XFRM_LINE];

	strcpy(line, words);
	assert_int_equal(policy_line(line, &cfg, NULL), 0);
	return db_policy_add(db, &cfg, slot);
}

static struct sa *association(struct xfrm_db *db, struct sa_live *live, const char *more, u32 spi)
{
	struct sa_cfg cfg;
	char line[XFRM_LINE];

	snprintf(line, sizeof(line),
		 "src 192.0.2.1 dst 192.0.2.2 proto esp spi %u mode tunnel %s" KEYED, spi, more);
	assert_int_equal(sa_line(line, &cfg, NULL), 0);
	return db_sa_add(db, &cfg, live, spi);
}

/* By priority, then the older; marks and selectors. */
static void t_policies(void **state)
{
	struct xfrm_flow f = {.family = XFRM_IP4, .proto = 17, .dport = 9, .mark = 5};
	struct xfrm_db db;
	struct policy *wide, *narrow, *ports;

	(void)state;
	db_init(&db);
	wide = policy(&db, "dir out src 0.0.0.0/0 dst 0.0.0.0/0 priority 9", 1);
	narrow = policy(&db, "dir out src 0.0.0.0/0 dst 10.0.0.0/9 priority 5 mark 5", 2);
	ports = policy(&db, "dir out src 0.0.0.0/0 dst 0.0.0.0/0 proto udp dport 9 priority 5", 3);
	policy(&db, "dir out src ::/0 dst ::/0", 4);
	f.dst.b[0] = 10;
	assert_ptr_equal(db_policy_find(&db, POLICY_OUT, &f), narrow);
	f.dst.b[1] = 0x80;
	assert_ptr_equal(db_policy_find(&db, POLICY_OUT, &f), ports);
	f.dst.b[1] = 0;
	f.mark = 6;
	assert_ptr_equal(db_policy_find(&db, POLICY_OUT, &f), ports);
	f.dport = 10;
	assert_ptr_equal(db_policy_find(&db, POLICY_OUT, &f), wide);
	assert_null(db_policy_find(&db, POLICY_IN, &f));
	db_fini(&db);
}

/* The youngest that fits and is not dying; what rekeying rests on. */
static void t_associations(void **state)
{
	struct xfrm_flow f = {.family = XFRM_IP4};
	struct sa_live live[4] = {0};
	struct sa *first, *second;
	struct policy *p;
	struct xfrm_db db;

	(void)state;
	db_init(&db);
	p = policy(&db,
		   "dir out src 0.0.0.0/0 dst 0.0.0.0/0 mark 5 tmpl src 192.0.2.1 dst 192.0.2.2 "
		   "proto esp reqid 1 mode tunnel",
		   1);
	assert_null(db_sa_for(&db, p, &f));
	association(&db, &live[0], "reqid 2 mark 5", 1);
	association(&db, &live[1], "reqid 1 mark 6", 2);
	assert_null(db_sa_for(&db, p, &f));
	first = association(&db, &live[2], "reqid 1 mark 5", 3);
	assert_ptr_equal(db_sa_for(&db, p, &f), first);
	second = association(&db, &live[3], "reqid 1", 4);
	assert_ptr_equal(db_sa_for(&db, p, &f), second);
	live[3].dying = true;
	db_changed(&db);
	assert_ptr_equal(db_sa_for(&db, p, &f), first);
	db_sa_del(&db, first);
	assert_ptr_equal(db_sa_for(&db, p, &f), second);
	live[3].dead = true;
	db_changed(&db);
	assert_null(db_sa_for(&db, p, &f));
	db_fini(&db);
}

static struct sa_cfg window(u32 size, bool esn)
{
	return (struct sa_cfg){.window = size, .flags = esn ? SA_ESN : 0};
}

/* V26, V27, V28. */
static void t_window(void **state)
{
	struct sa_cfg cfg = window(32, false), off = window(0, false);
	struct replay r = {0};

	(void)state;
	assert_int_equal(replay_check(&r, &cfg, 0), REPLAY_OLD);
	replay_advance(&r, &cfg, 1);
	assert_int_equal(replay_check(&r, &cfg, 1), REPLAY_AGAIN);
	replay_advance(&r, &cfg, 40);
	assert_int_equal(replay_check(&r, &cfg, 9), REPLAY_NEW);
	assert_int_equal(replay_check(&r, &cfg, 8), REPLAY_OLD);
	assert_int_equal(replay_check(&r, &cfg, 40), REPLAY_AGAIN);
	assert_int_equal(replay_bitmap(&r, &cfg), 1);
	replay_advance(&r, &cfg, 9);
	assert_int_equal(replay_check(&r, &cfg, 9), REPLAY_AGAIN);
	assert_int_equal(replay_bitmap(&r, &cfg), 0x80000001);
	assert_int_equal(replay_check(&r, &off, 40), REPLAY_NEW);
}

/* V29, and the rows of spec datapath 9.5. */
static void t_extended(void **state)
{
	static const struct {
		u64 top;
		u32 low;
		u64 number;
	} rows[] = {
		{0x00000000fffffff0, 5, 0x0000000100000005},
		{0x00000000fffffff0, 0xffffffff, 0x00000000ffffffff},
		{0x0000000100000005, 0xfffffff1, 0x00000000fffffff1},
		{0x0000000100000005, 6, 0x0000000100000006},
		{0x0000000100001000, 0xfff, 0x0000000100000fff},
		{0x0000000100001000, 0x10, 0x0000000200000010},
	};
	struct sa_cfg cfg = window(64, true);

	(void)state;
	for (u32 i = 0; i < countof(rows); i++) {
		struct replay r = {.top = rows[i].top};

		assert_true(replay_number(&r, &cfg, rows[i].low) == rows[i].number);
	}
	/* before the first half there is nothing */
	assert_int_equal(replay_check(&(struct replay){0}, &cfg,
				      replay_number(&(struct replay){0}, &cfg, 0xffffffff)),
			 REPLAY_OLD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_states_read_back), cmocka_unit_test(t_words),
		cmocka_unit_test(t_policies),	      cmocka_unit_test(t_associations),
		cmocka_unit_test(t_window),	      cmocka_unit_test(t_extended),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
