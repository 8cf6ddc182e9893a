/* SPDX-License-Identifier: BSD-2-Clause */
/* The state file: what is written comes back, what is damaged is left out. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/state.h"
#include "model/grammar.h"

struct file {
	char dir[64], path[96];
	struct state *s;
};

static int setup(void **state)
{
	struct file *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/tunl-state-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/state", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct file *f = *state;

	state_close(f->s);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static struct state_line line(u32 slot, const char *name, const char *config)
{
	struct state_line l = {
		.slot = slot,
		.order = slot + 10,
		.home = {4, 4026531840, 7},
		.place = {4, 4026531999, 8},
		.ifindex = slot + 1,
	};

	snprintf(l.ifname, sizeof(l.ifname), "%s", name);
	assert_int_equal(grammar_line(config, &l.cfg, NULL), 0);
	return l;
}

/* What state_open() told, in its order. */
struct seen {
	struct state_line l[8];
	size_t n;
};

static void see(const struct state_line *l, void *arg)
{
	struct seen *seen = arg;

	assert_true(seen->n < countof(seen->l));
	seen->l[seen->n++] = *l;
}

static struct seen reopen(struct file *f)
{
	struct seen seen = {.n = 0};
	struct err e;

	state_close(f->s);
	f->s = NULL;
	assert_int_equal(state_open(&f->s, f->path, see, &seen, &e), 0);
	return seen;
}

static void append(const char *path, const char *text)
{
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void t_state_line_round_trip(void **state)
{
	struct state_line l = line(3, "newt",
				   "tun1 mode ipip remote 10.0.0.2 "
				   "local 10.0.0.1 ttl 5 datapath user");
	char text[STATE_LINE];
	struct state_line back;
	size_t n = state_print(&l, text);

	(void)state;
	assert_int_equal(text[n - 1], '\n');
	text[n - 1] = '\0';
	assert_int_equal(state_read(text, &back), 0);
	assert_int_equal(back.slot, 3);
	assert_int_equal(back.order, 13);
	assert_int_equal(back.home.ino, 4026531840);
	assert_int_equal(back.place.cookie, 8);
	assert_int_equal(back.ifindex, 4);
	assert_string_equal(back.ifname, "newt");
	assert_true(cfg_equal(&back.cfg, &l.cfg));
}

static void t_state_read_refuses(void **state)
{
	static const char *const bad[] = {
		"",
		"tunnel",
		"gone 3",
		"tunnel 1 2 4:5:6 4:5:6 7 t1",
		"tunnel 1 2 4:5 4:5:6 7 t1 t1 mode ipip",
		"tunnel 1 2 4:5:6x 4:5:6 7 t1 t1 mode ipip",
		"tunnel 131072 2 4:5:6 4:5:6 7 t1 t1 mode ipip",
		"tunnel 1 2 4:5:6 4:5:6 0 t1 t1 mode ipip",
		"tunnel 1 2 4:5:6 4:5:6 7 t1 t1 mode nonsense",
		"tunnel -1 2 4:5:6 4:5:6 7 t1 t1 mode ipip",
	};
	struct state_line l;

	(void)state;
	for (size_t i = 0; i < countof(bad); i++)
		if (state_read(bad[i], &l) == 0)
			fail_msg("taken: %s", bad[i]);
}

static void t_state_last_line_counts(void **state)
{
	struct file *f = *state;
	struct state_line a = line(0, "a", "a mode ipip remote 1.1.1.1");
	struct state_line b = line(1, "b", "b mode ipip remote 2.2.2.2");
	struct seen seen;

	assert_int_equal(reopen(f).n, 0);
	assert_int_equal(state_put(f->s, &b), 0);
	assert_int_equal(state_put(f->s, &a), 0);
	a.cfg.ttl = 9;
	assert_int_equal(state_put(f->s, &a), 0);
	seen = reopen(f);
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.l[0].ifname, "a"); /* by order of creation */
	assert_int_equal(seen.l[0].cfg.ttl, 9);
	state_forget(f->s, 0);
	seen = reopen(f);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.l[0].ifname, "b");
}

static void t_state_torn_and_garbled(void **state)
{
	struct file *f = *state;
	struct state_line a = line(0, "a", "a mode ipip remote 1.1.1.1");
	struct seen seen;

	reopen(f);
	assert_int_equal(state_put(f->s, &a), 0);
	append(f->path, "\x01\xff nothing of ours\ntunnel 5 6 4:5:6 4:5:6 7 t9 t9 mode ip");
	seen = reopen(f);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.l[0].ifname, "a");
}

static void t_state_of_another_boot(void **state)
{
	struct file *f = *state;

	append(f->path, "tunl-state 1 00000000-0000-0000-0000-000000000000\n"
			"tunnel 1 2 4:5:6 4:5:6 7 t1 t1 mode ipip remote 1.1.1.1\n");
	assert_int_equal(reopen(f).n, 0);
}

/* The routers of an ISATAP tunnel, newest first, come back; without them the line does. */
static void t_state_routers(void **state)
{
	struct file *f = *state;
	struct state_line a = line(0, "a", "a mode isatap local 1.1.1.1");
	struct state_line b = line(1, "b", "b mode ipip remote 2.2.2.2");
	struct seen seen;

	reopen(f);
	for (u32 i = 1; i <= PRL_MAX; i++)
		assert_int_equal(prl_add(&a.routers, be32_of(0xffffff00 + i), i % 3), 0);
	assert_int_equal(state_put(f->s, &b), 0);
	assert_int_equal(state_put(f->s, &a), 0);
	for (int times = 0; times < 2; times++) {
		seen = reopen(f); /* read from one line after the other, then from entries */
		assert_int_equal(seen.n, 2);
		assert_int_equal(seen.l[0].routers.n, PRL_MAX);
		assert_memory_equal(seen.l[0].routers.entry, a.routers.entry,
				    sizeof(a.routers.entry));
		assert_int_equal(seen.l[1].routers.n, 0);
	}
	a.routers.n = 0;
	assert_int_equal(state_put(f->s, &a), 0);
	assert_int_equal(reopen(f).l[0].routers.n, 0);
}

static void t_state_routers_garbled(void **state)
{
	struct file *f = *state;
	struct state_line a = line(3, "a", "a mode isatap local 1.1.1.1");

	reopen(f);
	assert_int_equal(state_put(f->s, &a), 0);
	append(f->path, "routers 3 default\n"
			"routers 3 default 1.2.3.x\n"
			"routers 3 default 1.2.3.4 default 1.2.3.4\n"
			"routers 4 default 1.2.3.4\n");
	assert_int_equal(reopen(f).l[0].routers.n, 0);
	append(f->path, "routers 3 nodefault 1.2.3.4\n");
	assert_int_equal(reopen(f).l[0].routers.n, 1);
}

/* Changing one tunnel for ever does not make the file grow for ever. */
static void t_state_history_is_bounded(void **state)
{
	struct file *f = *state;
	struct state_line a = line(0, "a", "a mode ipip remote 1.1.1.1");
	struct stat st;

	reopen(f);
	for (int i = 0; i < 1000; i++) {
		a.cfg.ttl = (u8)i;
		assert_int_equal(state_put(f->s, &a), 0);
	}
	assert_int_equal(stat(f->path, &st), 0);
	assert_true(st.st_size < 100 * STATE_LINE / 4);
	assert_int_equal(reopen(f).l[0].cfg.ttl, 999 % 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_state_line_round_trip),
		cmocka_unit_test(t_state_read_refuses),
		cmocka_unit_test_setup_teardown(t_state_last_line_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(t_state_torn_and_garbled, setup, teardown),
		cmocka_unit_test_setup_teardown(t_state_of_another_boot, setup, teardown),
		cmocka_unit_test_setup_teardown(t_state_routers, setup, teardown),
		cmocka_unit_test_setup_teardown(t_state_routers_garbled, setup, teardown),
		cmocka_unit_test_setup_teardown(t_state_history_is_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
