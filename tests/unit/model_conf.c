/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration's text: lines and blocks, where mistakes are, that what is printed
 * reads back, and that a hundred thousand tunnels are read in seconds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <time.h>

#include "lib/text.h"
#include "model/conf.h"
#include "model/grammar.h"

struct told {
	char text[8192];
	struct text t;
	u32 n;
};

static void tell(void *ctx, const struct conf_where *at, const char *text)
{
	struct told *told = ctx;

	told->n++;
	text_add(&told->t, "%s:%u:%u: %s\n", at->file, at->line, at->column, text);
}

/* Read and check text as file "f". */
static int read_text(const char *text, struct conf *c, struct told *told)
{
	struct conf_source src = {"f", text, strlen(text), tell, told};
	int rc;

	*c = (struct conf){0};
	*told = (struct told){0};
	text_init(&told->t, told->text, sizeof(told->text));
	rc = conf_read(c, &src);
	return rc ? rc : conf_check(c, tell, told);
}

static const struct {
	const char *text, *lines[4];
} taken[] = {
	{"", {NULL}},
	{"\n# nothing\n  # indented\n\t\r\n", {NULL}},
	{"t1 mode ipip remote 2.2.2.2", {"t1 mode ipip remote 2.2.2.2"}},
	{"t1 mode ipip # a comment\nt2 mode gre local 1.1.1.1\n",
	 {"t1 mode ipip", "t2 mode gre local 1.1.1.1"}},
	{"t1 mode ipip up mtu 1400 address 10.1.0.1/30 ttl 64",
	 {"t1 mode ipip ttl 64 mtu 1400 address 10.1.0.1/30 up"}},
	{"t1 mode ipip {\n  up\n  # in a block\n  address 10.0.0.1 peer 10.0.0.2\n"
	 "address 2001:db8::1/64 }\nt2 mode sit",
	 {"t1 mode ipip address 10.0.0.1/32 peer 10.0.0.2/32 address 2001:db8::1/64 up",
	  "t2 mode sit"}},
	{"t1\tmode\tipip { remote\n2.2.2.2 } t2 mode ipip local 3.3.3.3",
	 {"t1 mode ipip remote 2.2.2.2", "t2 mode ipip local 3.3.3.3"}},
	{"t1 mode ipip remote vpn.example.net local dev eth0",
	 {"t1 mode ipip remote vpn.example.net local dev eth0"}},
	{"t1 mode ipip remote a.b remote 9.9.9.9 local dev x local 8.8.8.8",
	 {"t1 mode ipip remote 9.9.9.9 local 8.8.8.8"}},
	{"t1 mode ipip netns blue route 10.2.0.0/16 route default via 10.0.0.1 metric 5 onlink "
	 "route ::/0 table 7 src 2001:db8::1",
	 {"t1 mode ipip netns blue route 10.2.0.0/16 route 0.0.0.0/0 via 10.0.0.1 metric 5 onlink "
	  "route ::/0 src 2001:db8::1 table 7"}},
	{"route mode gre", {"name route mode gre"}},
	{"\\# mode gre\n\\{ mode ipip\n\\\\ mode sit",
	 {"\\# mode gre", "\\{ mode ipip", "\\\\ mode sit"}},
	{"name up mode gre up", {"name up mode gre up"}},
	{"gre7 remote 2.2.2.2", {"gre7 mode gre remote 2.2.2.2"}},
	{"g mode gre remote 224.1.1.1 local 1.1.1.1",
	 {"g mode gre remote 224.1.1.1 local 1.1.1.1 key 3758162177"}},
	{"i mode isatap local 1.1.1.1 prl-default 2.2.2.2 prl-nodefault 3.3.3.3",
	 {"i mode isatap local 1.1.1.1 prl-default 2.2.2.2 prl-nodefault 3.3.3.3"}},
	{"t1 mode ipip ttl 5 nopmtudisc mss auto peers 10.0.0.0/8,1.2.3.4",
	 {"t1 mode ipip ttl 5 nopmtudisc mss auto peers 10.0.0.0/8,1.2.3.4"}},
	{"t1 mode ipip\nt1 mode ipip netns n", {"t1 mode ipip", "t1 mode ipip netns n"}},
	{"t1 mode gre local 1.1.1.1 key 5\nt2 mode gre local 1.1.1.1 key 6",
	 {"t1 mode gre local 1.1.1.1 key 5", "t2 mode gre local 1.1.1.1 key 6"}},
};

static void t_conf_taken(void **state)
{
	static char line[CONF_LINE];
	struct told told;
	struct conf c;

	(void)state;
	for (u32 i = 0; i < countof(taken); i++) {
		u32 n = 0;

		print_message("# %s\n", taken[i].text);
		if (read_text(taken[i].text, &c, &told))
			fail_msg("refused: %s", told.text);
		for (; n < 4 && taken[i].lines[n]; n++) {
			assert_true(n < c.n);
			conf_print(&c.tunnel[n], line, sizeof(line));
			assert_string_equal(line, taken[i].lines[n]);
		}
		assert_int_equal(c.n, n);
		conf_free(&c);
	}
}

static const struct {
	const char *text, *told;
	u32 left; /* tunnels that are taken all the same */
} refused[] = {
	{"t1 mode ipip bogus", "f:1:14: \"bogus\" is no word that is known here\n", 0},
	{"t1 mode ipip\n  t2 mode foo\nt3 mode gre", "f:2:11: Unknown tunnel mode \"foo\"\n", 2},
	{"t1 mode ipip remote 1.2.3.256",
	 "f:1:21: an IP address is expected rather than \"1.2.3.256\"\n", 0},
	{"t1 mode ipip remote ::1", "f:1:21: an IP address is expected rather than \"::1\"\n", 0},
	{"t1 mode ipip ttl", "f:1:14: something has to follow \"ttl\"\n", 0},
	{"t1 mode ipip mtu", "f:1:14: something has to follow \"mtu\"\n", 0},
	{"t1 mode ipip mtu 20", "f:1:18: \"20\" is no MTU: 68..65535\n", 0},
	{"t1 mode ipip {\n address 10.0.0.1/33\n}",
	 "f:2:10: \"10.0.0.1/33\" is no address, as 10.1.0.1/30 or 2001:db8::1/64\n", 0},
	{"t1 mode ipip address 10.0.0.1 peer ::1",
	 "f:1:36: \"::1\" is no peer address of that family\n", 0},
	{"t1 mode ipip route 10.0.0.1/24",
	 "f:1:20: \"10.0.0.1/24\" is no destination, as 10.2.0.0/16, 2001:db8::/32 or default\n",
	 0},
	{"t1 mode ipip route 10.0.0.0/24 via ::1",
	 "f:1:36: \"::1\" is not what a route has there\n", 0},
	{"t1 mode ipip route 10.0.0.0/24 metric", "f:1:32: something has to follow \"metric\"\n",
	 0},
	{"t1 mode ipip {\n up\n", "f:1:14: this block is not closed\n", 0},
	{"t1 mode ipip\n}\nt2 mode gre",
	 "f:2:1: a brace without its counterpart, or without a tunnel\n", 1},
	{"{ up }",
	 "f:1:1: a brace without its counterpart, or without a tunnel\n"
	 "f:1:6: a brace without its counterpart, or without a tunnel\n",
	 0},
	{"mode ipip", "f:1:1: a tunnel of a configuration needs a name of its own\n", 0},
	{"tun%d mode ipip", "f:1:1: a tunnel of a configuration needs a name of its own\n", 0},
	{"foo remote 1.1.1.1", "f:1:1: its mode is not told: mode ipip, gre, sit, ...\n", 0},
	{"t1 mode ipip key 5", "f:1:1: Keys are not allowed with ipip and sit tunnels\n", 0},
	{"t1 mode ipip local dev", "f:1:20: `local dev` needs the name of a device\n", 0},
	{"t1 mode ipip netns a/b",
	 "f:1:20: \"a/b\" is no network namespace: a name, or a path from /\n", 0},
	{"t1 mode ipip netns ..",
	 "f:1:20: \"..\" is no network namespace: a name, or a path from /\n", 0},
	{"t1 mode ipip remote a.b peers 1.1.1.1", "f:1:1: peers are of tunnels without remote\n",
	 0},
	{"t1 mode ipip remote 2.2.2.2 peers 1.1.1.1",
	 "f:1:1: peers are of tunnels without remote: this one takes packets of its remote "
	 "alone\n",
	 0},
	{"t1 mode gre prl-default 1.1.1.1", "f:1:1: only isatap has routers (prl-default)\n", 0},
	{"t1 mode ipip\nt1 mode gre", "f:2:1: t1: this name is taken by t1, f:1\n", 1},
	{"t1 mode ipip remote 2.2.2.2\nt2 mode ipip remote 2.2.2.2",
	 "f:2:1: t2: has the same addresses as t1, f:1\n", 1},
};

static void t_conf_refused(void **state)
{
	struct told told;
	struct conf c;

	(void)state;
	for (u32 i = 0; i < countof(refused); i++) {
		print_message("# %s\n", refused[i].text);
		assert_true(read_text(refused[i].text, &c, &told) < 0);
		assert_string_equal(told.text, refused[i].told);
		assert_int_equal(c.n, refused[i].left);
		conf_free(&c);
	}
}

static u32 seed = 7;

static u32 rnd(u32 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % below;
}

static struct conf_net random_net(u8 family, bool host_bits)
{
	struct conf_net n = {.family = family};
	u32 bytes = family == AF_INET ? 4 : 16;

	n.len = (u8)rnd(bytes * 8 + 1);
	for (u32 i = 0; i < bytes; i++)
		n.addr[i] = host_bits || i * 8 + 8 <= n.len ? (u8)rnd(256) : 0;
	return n;
}

static void random_lists(struct conf_tunnel *t)
{
	u8 family = rnd(2) ? AF_INET : AF_INET6;

	t->naddrs = rnd(3);
	t->nroutes = rnd(4);
	t->addr = calloc(4, sizeof(*t->addr));
	t->route = calloc(4, sizeof(*t->route));
	for (u32 i = 0; i < t->naddrs; i++) {
		t->addr[i].local = random_net(family, true);
		if (rnd(2))
			t->addr[i].peer = random_net(family, true);
	}
	for (u32 i = 0; i < t->nroutes; i++) {
		struct conf_route *r = &t->route[i];

		r->dst = random_net(family, false);
		if (rnd(2))
			r->via = random_net(family, true);
		if (rnd(2))
			r->src = random_net(family, true);
		r->metric = rnd(3);
		r->table = rnd(300);
		r->onlink = rnd(2);
	}
}

static void random_tunnel(struct conf_tunnel *t)
{
	static const char *const names[] = {"t1", "up", "route", "mode",  "{",	"}",
					    "#x", "\\", "via",	 "netns", "x{", "peer"};
	static const enum mode_id modes[] = {MODE_IPIP, MODE_GRE, MODE_SIT, MODE_ISATAP};

	memset(t, 0, sizeof(*t));
	tunnel_cfg_init(&t->cfg);
	tunnel_cfg_set_mode(&t->cfg, modes[rnd(4)]);
	strcpy(t->cfg.name, names[rnd(countof(names))]);
	if (rnd(2))
		t->host = strdup(rnd(2) ? "a-b.example.net" : "x1");
	else if (rnd(2))
		t->cfg.remote = be32_of(0x0a000000 + rnd(0x10000));
	if (rnd(3) == 0)
		strcpy(t->local_dev, rnd(2) ? "dev" : "eth0");
	if (rnd(3) == 0)
		strcpy(t->netns, rnd(2) ? "netns" : "/run/netns/x");
	t->cfg.ttl = (u8)rnd(256);
	t->cfg.mss = (u16)rnd(2);
	t->mtu = rnd(2) ? 0 : 68 + rnd(60000);
	t->up = rnd(2);
	if (t->cfg.mode == MODE_ISATAP && rnd(2)) {
		t->routers = calloc(1, sizeof(*t->routers));
		for (u32 i = rnd(4); i; i--)
			prl_add(t->routers, be32_of(0x0b000000 + rnd(1000)), rnd(2));
	}
	random_lists(t);
}

/* What is printed reads back as itself, whatever it is. */
static void t_conf_round_trip(void **state)
{
	static char line[CONF_LINE], again[CONF_LINE];
	struct conf_tunnel t;
	struct told told;
	struct conf c;

	(void)state;
	for (u32 i = 0; i < 30000; i++) {
		random_tunnel(&t);
		assert_true(conf_print(&t, line, sizeof(line)) == strlen(line));
		if (read_text(line, &c, &told) || c.n != 1)
			fail_msg("\"%s\" is not read back: %s", line, told.text);
		conf_print(&c.tunnel[0], again, sizeof(again));
		assert_string_equal(line, again);
		assert_true(cfg_equal(&c.tunnel[0].cfg, &t.cfg));
		conf_free(&c);
		conf_tunnel_free(&t);
	}
}

/* A line that `tunl show --config` prints of any tunnel is a line of a configuration. */
static void t_conf_many(void **state)
{
	const u32 many = 100000;
	size_t room = (size_t)many * 120;
	char *text = malloc(room), *at = text;
	struct timespec a, b;
	struct told told;
	struct conf c;

	(void)state;
	for (u32 i = 0; i < many; i++)
		at += sprintf(at,
			      "t%u mode gre remote 10.%u.%u.%u local 192.0.2.1 key %u up address "
			      "10.0.0.1/32\n",
			      i, 1 + i / 65536, i / 256 % 256, i % 256, i);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	assert_int_equal(read_text(text, &c, &told), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	assert_int_equal(c.n, many);
	print_message("# %u tunnels in %ld ms\n", many,
		      (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000);
	assert_true(b.tv_sec - a.tv_sec < 30);
	conf_free(&c);
	free(text);
}

/* However many mistakes there are, they are told up to a bound. */
static void t_conf_bounds(void **state)
{
	struct conf_source src = {"f", "a\0b", 3, NULL, NULL};
	size_t n = 300000;
	char *text = malloc(n + 1);
	struct told told;
	struct conf c = {0};

	(void)state;
	assert_true(conf_read(&c, &src) < 0);
	conf_free(&c);
	for (size_t i = 0; i < n; i++)
		text[i] = i % 2 ? '\n' : 'x';
	text[n] = '\0';
	assert_true(read_text(text, &c, &told) < 0);
	assert_int_equal(told.n, CONF_ERROR_MAX);
	conf_free(&c);
	for (size_t i = 0; i < n; i++)
		text[i] = i % 2 ? ' ' : 'x';
	assert_true(read_text(text, &c, &told) < 0);
	assert_int_equal(told.n, 1);
	conf_free(&c);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_conf_taken),	     cmocka_unit_test(t_conf_refused),
		cmocka_unit_test(t_conf_round_trip), cmocka_unit_test(t_conf_many),
		cmocka_unit_test(t_conf_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
