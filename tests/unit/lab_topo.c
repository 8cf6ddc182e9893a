/* SPDX-License-Identifier: BSD-2-Clause */
/* The lab's texts and files: variables, padding, words; what a lab file makes, and what is wrong
 * with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lab/lab_file.h"
#include "lib/types.h"

static const struct lab_vars plain = {.id = "x1"};
static const struct lab_vars chosen = {.id = "x1", .datapath = "user"};

static void t_text_fill(void **state)
{
	static const struct {
		const char *text, *want;
		const struct lab_vars *vars;
	} cases[] = {
		{"", "", &plain},
		{"ip netns add {a}", "ip netns add tunl-x1-a", &plain},
		{"{a}{r}{b}", "tunl-x1-atunl-x1-rtunl-x1-b", &plain},
		{"{a:12-}|", "tunl-x1-a --|", &plain},
		{"{a:12─}|", "tunl-x1-a ──|", &plain},
		{"{a:9-}|", "tunl-x1-a|", &plain},
		{"{a:3-}|", "tunl-x1-a|", &plain},
		{"x {datapath}", "x ", &plain},
		{"x {datapath}", "x datapath user", &chosen},
		{"{A} { } {", "{A} { } {", &plain},
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		assert_true(lab_text_fill(buf, sizeof(buf), cases[i].text, cases[i].vars));
		assert_string_equal(buf, cases[i].want);
	}
}

static void t_text_too_long(void **state)
{
	char buf[10];

	(void)state;
	assert_true(lab_text_fill(buf, sizeof(buf), "123456789", &plain));
	assert_false(lab_text_fill(buf, sizeof(buf), "1234567890", &plain));
	assert_false(lab_text_fill(buf, sizeof(buf), "1{a}", &plain));
	assert_true(strlen(buf) < sizeof(buf));
}

static void t_words(void **state)
{
	char many[2 * LAB_WORDS + 3] = "";
	struct lab_words w;

	(void)state;
	assert_true(lab_words_make(&w, "ip -n {b} link set tun1 up {datapath}", &plain));
	assert_int_equal(w.n, 7);
	assert_string_equal(w.v[2], "tunl-x1-b");
	assert_null(w.v[7]);
	assert_true(lab_words_make(&w, "add {datapath}", &chosen));
	assert_int_equal(w.n, 3);
	assert_false(lab_words_make(&w, " ", &plain));
	for (int i = 0; i < LAB_WORDS; i++)
		strcat(many, "w ");
	assert_true(lab_words_make(&w, many, &plain));
	strcat(many, "w");
	assert_false(lab_words_make(&w, many, &plain));
}

static void t_id(void **state)
{
	static const char *const good[] = {"a", "0", "lab1", "abcdefgh"};
	static const char *const bad[] = {"", "A", "a-b", "abcdefghi", "a b", "../x", "é", "."};

	(void)state;
	for (size_t i = 0; i < countof(good); i++)
		assert_true(lab_id_is_valid(good[i]));
	for (size_t i = 0; i < countof(bad); i++)
		assert_false(lab_id_is_valid(bad[i]));
}

/* Only roles are filled in where the lab is known. */
static void t_text_roles(void **state)
{
	struct err e;
	struct lab_topo *t = lab_file_parse("x.lab", "title t\nnet a1\n", 15, &e);
	const struct lab_vars v = {.id = "x1", .topo = t};
	char buf[64];

	(void)state;
	assert_non_null(t);
	assert_true(lab_text_fill(buf, sizeof(buf), "{a1} {a} {b:9-}", &v));
	assert_string_equal(buf, "tunl-x1-a1 {a} {b:9-}");
	lab_topo_free(t);
}

/* With the longest name there may be, everything of every lab fits. */
static void t_labs(void **state)
{
	struct lab_vars v = {.id = "abcdefgh", .datapath = "auto"};
	struct lab_builtin b;
	struct lab_words w;
	bool found = false;
	struct err e;
	size_t n = 0;

	(void)state;
	for (; lab_builtin_get(n, &b); n++) {
		struct lab_topo *t = lab_file_parse(b.name, b.text, b.len, &e);

		if (!t)
			fail_msg("%s", e.text);
		v.topo = t;
		found |= !strcmp(t->name, LAB_DEFAULT);
		assert_string_equal(t->name, b.name);
		assert_true(t->title[0] && t->about[0] && t->n_build > 0);
		for (int i = 0; i < t->n_steps; i++) {
			const struct lab_step *s = &t->steps[i];

			if (s->act == LAB_DO || s->act == LAB_RUN || s->act == LAB_PING)
				assert_true(lab_words_make(&w, s->text, &v));
			assert_true(!s->undo || lab_words_make(&w, s->undo, &v));
		}
		assert_non_null(lab_topo_capture(t));
		assert_non_null(lab_topo_tunnel_ping(t));
		lab_topo_free(t);
	}
	assert_true(n >= 11 && found);
	assert_false(lab_builtin_find("nosuch", &b));
	assert_null(lab_load("nosuch", &e));
	assert_int_equal(e.code, ENOENT);
}

/* What a file's text makes: commands in their order, with their undo. */
static void t_commands(void **state)
{
	static const char text[] = "title x\nnet a\nnet r forward ipv6\n"
				   "link a:v1 10.0.0.1/24 r:p 10.0.0.2/24 fd00::1/64 mtu 1400\n"
				   "tunnel a:t mode gre remote 10.0.0.2 key 7 # remark\n"
				   "addr a:t 1.1.1.1 peer 2.2.2.2\nroute a 9.0.0.0/8 dev t\n"
				   "section s\ncapture r:p\nping a 2.2.2.2 df size 9 lost\n";
	static const char *const want[] = {
		"ip netns add {a}",
		"ip netns exec {a} sysctl -eqw net.ipv6.conf.default.disable_ipv6=1",
		"ip netns add {r}",
		"ip netns exec {r} sysctl -eqw net.ipv6.conf.default.accept_dad=0 "
		"net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",
		"ip -n {a} link add v1 type veth peer name p netns {r}",
		"ip -n {a} addr add 10.0.0.1/24 dev v1",
		"ip -n {a} link set v1 mtu 1400 up",
		"ip -n {r} addr add 10.0.0.2/24 dev p",
		"ip -n {r} addr add fd00::1/64 dev p nodad",
		"ip -n {r} link set dev p mtu 1400 up",
		"ip netns exec {a} tunl add t mode gre remote 10.0.0.2 key 7 {datapath}",
		"ip -n {a} link set dev t up",
		"ip -n {a} addr add 1.1.1.1 peer 2.2.2.2 dev t",
		"ip -n {a} route add 9.0.0.0/8 dev t",
	};
	struct err e;
	struct lab_topo *t = lab_file_parse("/d/my.lab", text, sizeof(text) - 1, &e);

	(void)state;
	if (!t)
		fail_msg("%s", e.text);
	assert_string_equal(t->name, "my");
	assert_int_equal(t->n_build, countof(want));
	for (size_t i = 0; i < countof(want); i++)
		assert_string_equal(t->steps[i].text, want[i]);
	assert_string_equal(t->steps[0].undo, "ip netns del {a}");
	assert_string_equal(t->steps[10].undo, "ip netns exec {a} tunl del t");
	assert_string_equal(t->steps[16].text,
			    "ip netns exec {a} ping -n -c 1 -W 1 -M do -s 9 2.2.2.2");
	assert_true(t->steps[16].fails && t->n_steps == 17 && t->n_devs == 3);
	assert_int_equal(t->devs[0].peer, 1);
	lab_topo_free(t);
}

/* Text: paragraphs, blocks, pictures that keep their shape. */
static void t_text(void **state)
{
	static const char text[] = "title x # y\nabout\n    one\n    two\n\n    three\n\n"
				   "picture\n  a\n   b\nnet a\nsay 1\n\t2";
	struct err e;
	struct lab_topo *t = lab_file_parse("x", text, sizeof(text) - 1, &e);

	(void)state;
	if (!t)
		fail_msg("%s", e.text);
	assert_string_equal(t->title, "x # y");
	assert_string_equal(t->about, "one two\nthree");
	assert_string_equal(t->picture, "a\n b");
	assert_string_equal(t->steps[2].text, "1 2");
	assert_string_equal(t->text, text);
	lab_topo_free(t);
}

/* What is wrong is told with line and column. */
static void t_errors(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"", "x:1:1: the lab has no title"},
		{"title t\n", "x:1:1: the lab has no namespace"},
		{"title\n", "x:1:6: more is needed: title TEXT"},
		{"title t\ndance a\n", "x:2:1: there is no \"dance\" in a lab"},
		{"title t\n\n  net a\n", "x:3:3: indented, but the line before takes no text"},
		{"title t\nnet\n", "x:2:4: more is needed: net NAME [forward] [ipv6]"},
		{"title t\nnet A\n", "x:2:5: a namespace's name is up to 8 of a-z and 0-9"},
		{"title t\nnet a\nnet a\n", "x:3:5: there is a namespace a already"},
		{"title t\nnet a  fast\n", "x:2:8: not `forward` nor `ipv6`"},
		{"title t\nnet a\nlink a:v b:w\n", "x:3:10: there is no namespace \"b\""},
		{"title t\nnet a\nlink a:v a\n", "x:3:10: a device is named NET:DEV"},
		{"title t\nnet a\nlink a:v a:v\n", "x:3:10: there is a device a:v already"},
		{"title t\nnet a\nlink a:v a:{w\n", "x:3:10: \"{w\" is no device's name"},
		{"title t\nnet a\nlink a:v 1.1.1.1/8 a:w 2/8 3\n", "x:3:28: not an address"},
		{"title t\nnet a\naddr a:v 1.1.1.1\n", "x:3:6: there is no device a:v"},
		{"title t\nnet a\ntunnel a:t mode gre remote nope\n", "x:3:28: "},
		{"title t\nnet a\ntunnel a:t mode fast remote 1.2.3.4\n", "x:3:"},
		{"title t\nnet a\nping a 1.1.1.1 soon\n", "x:3:16: not `bare`"},
		{"title t\nnet a\nping a 1.1.1.1 size\n", "x:3:16: not `bare`"},
		{"title t\nnet a\ncapture a:v\n", "x:3:9: there is no device a:v"},
		{"title t\nnet a\nexplain\n", "x:3:1: nothing has been captured"},
		{"title t\nnet a\nexpect rain tomorrow\n", "x:3:7: not `sum TEXT`"},
		{"title t\xff\n", "x:1:8: the byte 0xff is no UTF-8 text here"},
		{"title t\nabout\n  a\x1b[2J\n", "x:3:4: the byte 0x1b is no UTF-8 text here"},
		{"title \xed\xa0\x80\n", "x:1:7: the byte 0xed"},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		assert_null(lab_file_parse("x", cases[i].text, strlen(cases[i].text), &e));
		if (strncmp(e.text, cases[i].want, strlen(cases[i].want)) != 0)
			fail_msg("%s: %s", cases[i].want, e.text);
	}
}

/* More of anything than there is room for is refused, and said. */
static void t_bounds(void **state)
{
	static char big[LAB_FILE_MAX + 2];
	struct err e;
	size_t n;

	(void)state;
	memset(big, '\n', sizeof(big));
	assert_null(lab_file_parse("x", big, sizeof(big) - 1, &e));
	assert_non_null(strstr(e.text, "more than 65536 bytes"));
	n = (size_t)sprintf(big, "title t\n");
	for (int i = 0; i <= LAB_NETS; i++)
		n += (size_t)sprintf(big + n, "net n%d\n", i);
	assert_null(lab_file_parse("x", big, n, &e));
	assert_string_equal(e.text, "x:14:1: more than 12 namespaces");
	n = (size_t)sprintf(big, "title t\nnet a\n");
	for (int i = 0; i <= LAB_STEPS; i++)
		n += (size_t)sprintf(big + n, "run a true\n");
	assert_null(lab_file_parse("x", big, n, &e));
	assert_string_equal(e.text, "x:401:1: more than 400 steps");
	n = (size_t)sprintf(big, "title t\nnet a\nrun a");
	memset(big + n, 'w', 600);
	big[n] = ' ';
	assert_null(lab_file_parse("x", big, n + 600, &e));
	assert_string_equal(e.text, "x:3:1: the line is too long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_text_fill), cmocka_unit_test(t_text_too_long),
		cmocka_unit_test(t_words),     cmocka_unit_test(t_id),
		cmocka_unit_test(t_labs),      cmocka_unit_test(t_text_roles),
		cmocka_unit_test(t_commands),  cmocka_unit_test(t_text),
		cmocka_unit_test(t_errors),    cmocka_unit_test(t_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
