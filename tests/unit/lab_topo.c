/* SPDX-License-Identifier: BSD-2-Clause */
/* The lab's texts: variables, padding, words; and that every step of every lab is well formed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lab/lab_topo.h"
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
		{"{1} { } {", "{1} { } {", &plain},
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

/* With the longest name there may be, everything of every lab fits and has its namespaces. */
static void t_labs(void **state)
{
	const struct lab_vars v = {.id = "abcdefgh", .datapath = "auto"};
	char line[LAB_TEXT];
	struct lab_words w;

	(void)state;
	for (size_t i = 0; lab_topos[i]; i++) {
		const struct lab_topo *t = lab_topos[i];

		assert_ptr_equal(lab_topo_find(t->name), t);
		assert_non_null(t->steps[0].heading);
		for (size_t s = 0; s < t->n_steps; s++) {
			assert_true(lab_words_make(&w, t->steps[s].cmd, &v));
			assert_true(!t->steps[s].undo || lab_words_make(&w, t->steps[s].undo, &v));
		}
		for (size_t s = 0; t->picture[s]; s++)
			assert_true(lab_text_fill(line, sizeof(line), t->picture[s], &v));
		for (size_t s = 0; t->look[s]; s++)
			assert_true(lab_words_make(&w, t->look[s], &v));
		assert_non_null(strchr(t->roles, t->capture_role[0]));
		assert_non_null(strchr(t->roles, t->end[0].role[0]));
		assert_non_null(strchr(t->roles, t->end[1].role[0]));
	}
	assert_null(lab_topo_find("nosuch"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_text_fill), cmocka_unit_test(t_text_too_long),
		cmocka_unit_test(t_words),     cmocka_unit_test(t_id),
		cmocka_unit_test(t_labs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
