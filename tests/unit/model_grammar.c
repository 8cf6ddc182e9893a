/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The grammar: every message of spec cli 1.5 with its exit status, the order of
 * the checks, the quirks, and that what is printed is read back the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "lib/text.h"
#include "model/grammar.h"
#include "model/modes.h"
#include "model/options.h"

static u32 dev_of(void *ctx, const char *dev)
{
	(void)ctx;
	return !strcmp(dev, "lo") ? 1 : 0;
}

/* What `change NAME` finds: t1, t2 an unnamed protocol, v1 of mode vti. */
static int load(void *ctx, const char *name, struct tunnel_cfg *cfg, struct err *e)
{
	(void)ctx;
	if (!strcmp(name, "t1"))
		return grammar_line("t1 mode ipip remote 2.2.2.2 local 1.1.1.1 ttl 5", cfg, e);
	if (!strcmp(name, "t2"))
		return grammar_line("t2 mode ipip proto any remote 2.2.2.2", cfg, e);
	if (!strcmp(name, "v1"))
		return grammar_line("v1 mode vti remote 2.2.2.2 key 5", cfg, e);
	return err_exit(e, 1, ENODEV, "no %s", name);
}

static int read_words(enum tunnel_verb verb, enum dialect dialect, const char *words,
		      struct tunnel_cfg *cfg, struct err *e)
{
	const struct grammar g = {
		.dialect = dialect, .verb = verb, .load = load, .ifindex = dev_of};
	char line[256], *argv[32];
	int argc;

	text_copy(line, sizeof(line), words);
	argc = text_split(line, argv, 32);
	for (int i = 0; i < argc; i++)
		if (!strcmp(argv[i], "''"))
			argv[i] = (char *)"";
	*e = (struct err){0};
	return grammar_read(&g, argc, argv, cfg, e);
}

static const struct {
	enum tunnel_verb verb;
	const char *words;
	int status;
	const char *text;
} refused[] = {
	{VERB_ADD, "t1 mode", 255, "Command line is not complete. Try option \"help\""},
	{VERB_ADD, "t1 mode ipv4/ipv4", 255, "Unknown tunnel mode \"ipv4/ipv4\""},
	{VERB_ADD, "t1 mode GRE", 255, "Unknown tunnel mode \"GRE\""},
	{VERB_ADD, "t1 mode ipip mode gre", 255,
	 "You managed to ask for more than one tunnel mode."},
	{VERB_CHANGE, "t1 mode gre", 255, "You managed to ask for more than one tunnel mode."},
	{VERB_ADD, "t1 local 1.1.1.1", 1, "cannot determine tunnel mode (ipip, gre, vti or sit)"},
	{VERB_CHANGE, "local 1.1.1.1 t1", 1,
	 "cannot determine tunnel mode (ipip, gre, vti or sit)"},
	{VERB_CHANGE, "t2 ttl 4", 1, "cannot determine tunnel mode (ipip, gre, vti or sit)"},
	{VERB_ADD, "t1 mode ipip local 1.2.3.256", 1,
	 "Error: an IP address is expected rather than \"1.2.3.256\""},
	{VERB_ADD, "t1 mode ipip remote ::1", 1,
	 "Error: an IP address is expected rather than \"::1\""},
	{VERB_ADD, "t1 mode gre key 1.2.3.x", 1,
	 "Error: an IP address is expected rather than \"1.2.3.x\""},
	{VERB_ADD, "t1 mode gre key foo", 255,
	 "invalid value for \"key\": \"foo\"; it should be an unsigned integer"},
	{VERB_ADD, "t1 mode gre ikey -1", 255,
	 "invalid value for \"ikey\": \"-1\"; it should be an unsigned integer"},
	{VERB_ADD, "t1 mode gre okey any", 255,
	 "invalid value for \"okey\": \"any\"; it should be an unsigned integer"},
	{VERB_ADD, "t1 mode ipip ttl 256", 255, "Error: argument \"256\" is wrong: invalid TTL\n"},
	{VERB_ADD, "t1 mode ipip tos 100", 255, "Error: argument \"100\" is wrong: bad TOS value"},
	{VERB_ADD, "t1 mode ipip tos inherit/", 255,
	 "Error: argument \"inherit\" is wrong: bad TOS value"},
	{VERB_ADD, "t1 mode ipip tos inherit/zz", 255,
	 "Error: argument \"inherit\" is wrong: bad TOS value"},
	{VERB_ADD, "t1 t2 mode ipip", 255,
	 "Error: either \"name\" is duplicate, or \"t2\" is a garbage."},
	{VERB_ADD, "t1 mode ipip nokey", 255,
	 "Error: either \"name\" is duplicate, or \"nokey\" is a garbage."},
	{VERB_ADD, "t1 mode ipip name t2", 255,
	 "Error: either \"name\" is duplicate, or \"t2\" is a garbage."},
	{VERB_ADD, "a/b mode ipip", 255,
	 "Error: argument \"a/b\" is wrong: \"name\" not a valid ifname"},
	{VERB_ADD, "'' mode ipip", 255,
	 "Error: argument \"\" is wrong: \"name\" not a valid ifname"},
	{VERB_ADD, "abcdefghijklmnop mode ipip", 255,
	 "Error: argument \"abcdefghijklmnop\" is wrong: \"name\" not a valid ifname"},
	{VERB_ADD, "t1 mode ipip dev nosuch", 1, "Cannot find device \"nosuch\""},
	{VERB_ADD, "t1 mode ipip key 5", 1, "Keys are not allowed with ipip and sit tunnels"},
	{VERB_ADD, "t1 mode sit okey 5", 1, "Keys are not allowed with ipip and sit tunnels"},
	{VERB_ADD, "t1 mode isatap ikey 5", 1, "Keys are not allowed with ipip and sit tunnels"},
	{VERB_SHOW, "key 5", 1, "Keys are not allowed with ipip and sit tunnels"},
	{VERB_DELETE, "t1 key 5", 1, "Keys are not allowed with ipip and sit tunnels"},
	{VERB_ADD, "t1 mode gre remote 224.66.66.66", 1,
	 "A broadcast tunnel requires a source address"},
	{VERB_DELETE, "t1 remote 224.66.66.66", 1, "A broadcast tunnel requires a source address"},
	{VERB_ADD, "t1 mode ipip ttl 64 nopmtudisc", 1, "ttl != 0 and nopmtudisc are incompatible"},
	{VERB_CHANGE, "t1 nopmtudisc", 1, "ttl != 0 and nopmtudisc are incompatible"},
	/* the order of spec cli 1.4 decides between two mistakes */
	{VERB_ADD, "t1 ttl 300 mode nosuch", 255,
	 "Error: argument \"300\" is wrong: invalid TTL\n"},
	{VERB_ADD, "t1 key 5 dev nosuch", 1, "Keys are not allowed with ipip and sit tunnels"},
	{VERB_ADD, "t1 mode ipip dev nosuch remote 224.1.1.1", 1, "Cannot find device \"nosuch\""},
	{VERB_ADD, "t1 remote 224.1.1.1 ttl 5 nopmtudisc", 1,
	 "A broadcast tunnel requires a source address"},
	{VERB_ADD, "t1 ttl 5 nopmtudisc", 1, "ttl != 0 and nopmtudisc are incompatible"},
	{VERB_CHANGE, "nosuch ttl 5", 1, "no nosuch"},
};

static void t_grammar_refusals(void **state)
{
	struct tunnel_cfg cfg;
	struct err e;

	(void)state;
	for (u32 i = 0; i < countof(refused); i++) {
		int rc = read_words(refused[i].verb, DIALECT_IP, refused[i].words, &cfg, &e);

		print_message("# %s\n", refused[i].words);
		assert_true(rc < 0 && rc == -e.code);
		assert_string_equal(e.text, refused[i].text);
		assert_int_equal(e.status, refused[i].status);
	}
}

static const struct {
	enum tunnel_verb verb;
	const char *words, *line;
} taken[] = {
	{VERB_ADD, "t1 mode ip/ip remote 2.2.2.2", "t1 mode ipip remote 2.2.2.2"},
	{VERB_ADD, "mode ipip mode vti t1", "t1 mode vti"},
	{VERB_ADD, "mode vti mode ipip t1", "t1 mode vti"},
	{VERB_ADD, "t1 mode sit mode isatap", "t1 mode isatap"},
	{VERB_ADD, "gretap9", "gretap9 mode gre"},
	{VERB_ADD, "sitfoo mode gre", "sitfoo mode gre"},
	{VERB_ADD, "isatapX", "isatapX mode isatap"},
	{VERB_ADD, "vtiX", "vtiX mode vti"},
	{VERB_ADD, "name mode mode ipip", "name mode mode ipip"},
	{VERB_ADD, "name h mode ipip", "h mode ipip"},
	{VERB_ADD, "t1 mode ipip ttl 5 ttl inherit", "t1 mode ipip ttl 5"},
	{VERB_ADD, "t1 mode ipip hlim 0x10", "t1 mode ipip ttl 16"},
	{VERB_ADD, "t1 mode ipip d 8", "t1 mode ipip tos 0x08"},
	{VERB_ADD, "t1 mode ipip tclass inherit/10", "t1 mode ipip tos inherit/0x10"},
	{VERB_ADD, "t1 mode ipip tos 10/20", "t1 mode ipip tos 0x10"},
	{VERB_ADD, "t1 mode ipip tos 1", "t1 mode ipip tos inherit"},
	{VERB_ADD, "t1 mode ipip tos ff", "t1 mode ipip tos inherit/0xfe"},
	{VERB_ADD, "t1 mode ipip tos EF", "t1 mode ipip tos 0xb8"},
	{VERB_ADD, "t1 mode ipip nopmtudisc pmtudisc ttl 3", "t1 mode ipip ttl 3"},
	{VERB_ADD, "t1 mode ipip dev lo", "t1 mode ipip dev lo"},
	{VERB_ADD, "t1 mode gre key 1.2.3.4", "t1 mode gre key 16909060"},
	{VERB_ADD, "t1 mode gre ikey 5 okey 6", "t1 mode gre ikey 5 okey 6"},
	{VERB_ADD, "t1 mode gre key 0 csum iseq", "t1 mode gre key 0 iseq csum"},
	{VERB_ADD, "t1 mode gre remote 224.66.66.66 local 10.0.0.1",
	 "t1 mode gre remote 224.66.66.66 local 10.0.0.1 key 3762438722"},
	{VERB_ADD, "t1 mode gre remote 224.66.66.66 local 10.0.0.1 ikey 5",
	 "t1 mode gre remote 224.66.66.66 local 10.0.0.1 ikey 5 okey 3762438722"},
	{VERB_CHANGE, "t1 ttl inherit", "t1 mode ipip remote 2.2.2.2 local 1.1.1.1 ttl 5"},
	{VERB_CHANGE, "t1 ttl 0", "t1 mode ipip remote 2.2.2.2 local 1.1.1.1"},
	{VERB_CHANGE, "name t1 tos 4", "t1 mode ipip remote 2.2.2.2 local 1.1.1.1 ttl 5 tos 0x04"},
	{VERB_CHANGE, "mode ipip t1", "t1 mode ipip"},
	{VERB_CHANGE, "t2 mode ipip", "t2 mode ipip remote 2.2.2.2"},
	{VERB_CHANGE, "v1 ikey 6", "v1 mode vti remote 2.2.2.2 ikey 6 okey 5"},
};

static void t_grammar_taken(void **state)
{
	struct tunnel_cfg cfg;
	char line[GRAMMAR_LINE];
	struct err e;

	(void)state;
	for (u32 i = 0; i < countof(taken); i++) {
		print_message("# %s\n", taken[i].words);
		assert_int_equal(read_words(taken[i].verb, DIALECT_IP, taken[i].words, &cfg, &e),
				 0);
		grammar_print(&cfg, line, sizeof(line));
		assert_string_equal(line, taken[i].line);
	}
}

static void t_grammar_dialects(void **state)
{
	struct tunnel_cfg cfg;
	struct err e;

	(void)state;
	assert_int_equal(read_words(VERB_ADD, DIALECT_TUNL, "t1 mode ipip datapath user", &cfg, &e),
			 0);
	assert_int_equal(cfg.datapath, DATAPATH_USER);
	assert_int_equal(read_words(VERB_ADD, DIALECT_TUNL, "t1 mode ipip datapath x", &cfg, &e),
			 -EINVAL);
	assert_int_equal(read_words(VERB_ADD, DIALECT_IP, "t1 mode ipip datapath user", &cfg, &e),
			 -EINVAL);
	assert_string_equal(e.text,
			    "Error: either \"name\" is duplicate, or \"datapath\" is a garbage.");
	assert_int_equal(read_words(VERB_ADD, DIALECT_TUNL, "t1 mode ipip fwmark 5", &cfg, &e),
			 -EINVAL);
	assert_int_equal(read_words(VERB_ADD, DIALECT_IP, "t1 he", &cfg, &e), -ECANCELED);
	assert_int_equal(e.status, 255);
	assert_int_equal(grammar_line("h mode ipip", &cfg, &e), 0);
	assert_string_equal(cfg.name, "h");
}

static void t_grammar_ipv6_words(void **state)
{
	char *v6[] = {"t1", "mode", "ip6ip6"}, *v4[] = {"t1", "mode", "gre", "mode", "ip6ip6"};

	(void)state;
	assert_true(mode_is_ipv6(3, v6));
	assert_false(mode_is_ipv6(5, v4));
	assert_false(mode_is_ipv6(2, v6));
}

static u32 seed = 1;

static u32 rnd(u32 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return below ? seed % below : seed;
}

static u32 any(u32 value)
{
	return rnd(2) ? value : 0;
}

static void random_keys(struct tunnel_cfg *cfg)
{
	static const u16 flags[] = {TUNL_F_CSUM, TUNL_F_KEY, TUNL_F_SEQ};

	for (u32 i = 0; i < countof(flags); i++) {
		cfg->iflags |= any(flags[i]);
		cfg->oflags |= any(flags[i]);
	}
	if (cfg->iflags & TUNL_F_KEY)
		cfg->ikey = be32_of(any(rnd(0)));
	if (cfg->oflags & TUNL_F_KEY)
		cfg->okey = rnd(2) ? cfg->ikey : be32_of(rnd(0));
}

static void random_6rd(struct sixrd *s)
{
	for (u32 i = 0; i < 16; i++)
		s->prefix[i] = (u8)any(rnd(256));
	s->prefix_len = (u8)rnd(129);
	s->relay = be32_of(any(rnd(0)));
	s->relay_len = (u8)rnd(33);
}

static void random_peers(struct peers *p)
{
	char word[PEERS_TEXT] = "any", *at = word;

	for (u32 n = any(rnd(PEERS_MAX + 1)); n; n--)
		at += sprintf(at, "%u.%u.%u.%u/%u%s", rnd(256), rnd(256), rnd(256), rnd(256),
			      rnd(33), n > 1 ? "," : "");
	assert_true(peers_parse(word, p));
}

static void random_cfg(struct tunnel_cfg *cfg)
{
	static const char *const names[] = {"",	   "t1",   "name", "mode", "h",	       "d",
					    "ttl", "csum", "a%d",  "gre7", "datapath", "0x1"};
	static const u8 protos[] = {0, 4, 41, 47, 137};

	tunnel_cfg_init(cfg);
	if (rnd(8))
		tunnel_cfg_set_mode(cfg, (enum mode_id)(1 + rnd(MODE__MAX - 1)));
	if (!rnd(4))
		cfg->proto = protos[rnd(countof(protos))];
	text_copy(cfg->name, sizeof(cfg->name), names[rnd(countof(names))]);
	text_copy(cfg->dev, sizeof(cfg->dev), rnd(2) ? "" : names[1 + rnd(countof(names) - 1)]);
	cfg->local = be32_of(any(rnd(0)));
	cfg->remote = be32_of(any(rnd(0)));
	cfg->ttl = (u8)any(rnd(256));
	cfg->tos = (u8)any(rnd(256));
	cfg->pmtudisc = rnd(2);
	cfg->ignore_df = rnd(2);
	cfg->fwmark = any(rnd(0));
	cfg->datapath = (enum datapath)rnd(3);
	cfg->mss = rnd(2) ? (u16)rnd(2) : (u16)(TUNL_MSS_MIN + rnd(65495 - TUNL_MSS_MIN + 1));
	random_peers(&cfg->peers);
	random_keys(cfg);
	if (!rnd(3))
		random_6rd(&cfg->sixrd);
}

static void t_grammar_round_trip(void **state)
{
	struct tunnel_cfg out, back;
	char line[GRAMMAR_LINE], again[GRAMMAR_LINE];
	struct err e;

	(void)state;
	for (u32 i = 0; i < 200000; i++) {
		random_cfg(&out);
		assert_true(grammar_print(&out, line, sizeof(line)) == strlen(line));
		if (grammar_line(line, &back, &e))
			fail_msg("\"%s\" is not read back: %s", line, e.text);
		grammar_print(&back, again, sizeof(again));
		if (!cfg_equal(&out, &back) || strcmp(line, again))
			fail_msg("\"%s\" is read back as \"%s\"", line, again);
	}
}

static void t_grammar_peers(void **state)
{
	static const char *const bad[] = {
		"",	      ",", "1.2.3.4,",	      ",1.2.3.4", "1.2.3.4,,5.6.7.8",
		"1.2.3.4/33", "x", "1.2.3.4 5.6.7.8", "::1"};
	char text[PEERS_TEXT], many[PEERS_TEXT * 2] = "10.0.0.1";
	struct peers p;

	(void)state;
	for (u32 i = 0; i < countof(bad); i++)
		assert_false(peers_parse(bad[i], &p));
	assert_true(peers_parse("10.1.2.3/16,192.0.2.1,10.1.0.0/16", &p));
	assert_string_equal(peers_print(&p, text), "10.1.0.0/16,192.0.2.1");
	assert_true(peers_admit(&p, be32_of(0x0a01ffff)));
	assert_true(peers_admit(&p, be32_of(0xc0000201)));
	assert_false(peers_admit(&p, be32_of(0xc0000202)));
	assert_true(peers_parse("0.0.0.0/0", &p) && peers_admit(&p, be32_of(5)));
	assert_true(peers_parse("any", &p) && !p.n && peers_admit(&p, be32_of(5)));
	for (u32 i = 0; i < PEERS_MAX; i++)
		sprintf(many + strlen(many), ",10.0.1.%u", i);
	assert_false(peers_parse(many, &p));
}

static void t_grammar_mss(void **state)
{
	static const char *const bad[] = {"", "0", "87", "65496", "Auto", "-1", "0x200"};
	struct tunnel_cfg cfg;
	struct err e;
	u16 mss;

	(void)state;
	for (u32 i = 0; i < countof(bad); i++)
		assert_false(field_mss(bad[i], &mss));
	assert_true(field_mss("off", &mss) && mss == 0);
	assert_true(field_mss("auto", &mss) && mss == TUNL_MSS_AUTO);
	assert_true(field_mss("1360", &mss) && mss == 1360);
	assert_int_equal(read_words(VERB_ADD, DIALECT_IP, "t1 mode ipip mss auto", &cfg, &e),
			 -EINVAL);
	assert_string_equal(e.text,
			    "Error: either \"name\" is duplicate, or \"mss\" is a garbage.");
	assert_int_equal(read_words(VERB_ADD, DIALECT_TUNL, "t1 mode ipip peers x", &cfg, &e),
			 -EINVAL);
	assert_int_equal(e.status, 255);
}

/* The longest line fits, and a longer one is refused, not cut. */
static void t_grammar_bounds(void **state)
{
	char line[GRAMMAR_LINE + 8];
	struct tunnel_cfg cfg;
	struct err e;

	(void)state;
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(grammar_line(line, &cfg, &e), -E2BIG);
	line[0] = '\0';
	for (int i = 0; i <= GRAMMAR_WORDS; i++)
		strcat(line, "seq ");
	assert_int_equal(grammar_line(line, &cfg, &e), -E2BIG);
	assert_int_equal(grammar_line("", &cfg, &e), 0);
	assert_int_equal(cfg.mode, MODE_NONE);
	assert_int_equal(grammar_line("t1 mode ipip ttl", &cfg, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_grammar_refusals),	cmocka_unit_test(t_grammar_taken),
		cmocka_unit_test(t_grammar_dialects),	cmocka_unit_test(t_grammar_ipv6_words),
		cmocka_unit_test(t_grammar_round_trip), cmocka_unit_test(t_grammar_bounds),
		cmocka_unit_test(t_grammar_peers),	cmocka_unit_test(t_grammar_mss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
