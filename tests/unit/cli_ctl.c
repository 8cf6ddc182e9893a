/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client of the control socket against a daemon of straw: one that answers,
 * one that is silent, one that ends, one that talks nonsense; and none at all.
 * And the parting of batch lines.
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
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/batch.h"
#include "cli/ctl.h"
#include "lib/text.h"

static char folder[64];

/* How the straw daemon deals with its one caller. */
enum manner { ANSWERS, SILENT, ENDS, BABBLES, REFUSES };

static void say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		_exit(1);
}

/* The request must be the line awaited, with a descriptor beside it. */
static void check_request(int fd)
{
	char line[256] = "", ctl[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {.iov_base = line, .iov_len = sizeof(line) - 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = ctl,
			     .msg_controllen = sizeof(ctl)};

	if (recvmsg(fd, &msg, 0) < 0 || strcmp(line, "get t1 mode ipip") || !CMSG_FIRSTHDR(&msg))
		_exit(1);
}

static void straw(int listener, enum manner manner)
{
	int fd = accept(listener, NULL, NULL);

	check_request(fd);
	switch (manner) {
	case ANSWERS:
		say(fd, "{\"n\":1}");
		say(fd, "{\"n\":2}");
		say(fd, "{\"done\":true,\"errno\":0}");
		break;
	case SILENT:
		pause();
		break;
	case ENDS:
		say(fd, "{\"n\":1}");
		break;
	case BABBLES:
		say(fd, "{\"n\":");
		break;
	case REFUSES:
		say(fd, "{\"done\":true,\"errno\":17,\"text\":\"it is there\"}");
		break;
	}
	_exit(0);
}

static pid_t straw_start(enum manner manner)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	pid_t pid;

	ctl_path("control", sun.sun_path, sizeof(sun.sun_path));
	unlink(sun.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 4), 0);
	pid = fork();
	if (!pid)
		straw(fd, manner);
	close(fd);
	return pid;
}

static int add_up(void *ctx, json_t *row)
{
	*(int *)ctx += (int)json_integer_value(json_object_get(row, "n"));
	return 0;
}

/* Ask a daemon of that manner; its exit status must be 0 unless it is silent. */
static int ask(enum manner manner, int *sum, struct err *e)
{
	const struct ctl_request req = {
		.verb = "get", .target = "t1", .config = "mode ipip", .row = add_up, .ctx = sum};
	pid_t pid = straw_start(manner);
	int rc, status;

	*sum = 0;
	*e = (struct err){0};
	rc = ctl_call(&req, e);
	if (manner == SILENT)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_true(manner == SILENT || (WIFEXITED(status) && !WEXITSTATUS(status)));
	return rc;
}

static void t_ctl_answers(void **state)
{
	struct err e;
	int sum;

	(void)state;
	assert_int_equal(ask(ANSWERS, &sum, &e), 0);
	assert_int_equal(sum, 3);
	assert_int_equal(ask(REFUSES, &sum, &e), -EEXIST);
	assert_string_equal(e.text, "it is there");
}

static void t_ctl_broken(void **state)
{
	struct err e;
	int sum;

	(void)state;
	assert_int_equal(ask(ENDS, &sum, &e), -ECONNRESET);
	assert_non_null(strstr(e.text, "ended before"));
	assert_int_equal(ask(BABBLES, &sum, &e), -EPROTO);
	assert_non_null(strstr(e.text, "makes no sense"));
}

static void t_ctl_hung(void **state)
{
	time_t start = time(NULL);
	struct err e;
	int sum;

	(void)state;
	assert_int_equal(ask(SILENT, &sum, &e), -ETIMEDOUT);
	assert_non_null(strstr(e.text, "does not answer within"));
	assert_in_range(time(NULL) - start, CTL_PATIENCE - 1, CTL_PATIENCE + 2);
}

static void t_ctl_absent(void **state)
{
	const struct ctl_request list = {.verb = "list"}, add = {.verb = "add", .start = true},
				 odd = {.verb = "get", .target = "a b"};
	char path[128];
	struct err e = {0};

	(void)state;
	unlink(ctl_path("control", path, sizeof(path)));
	assert_int_equal(ctl_call(&list, &e), -ENOTCONN);
	assert_string_equal(e.text, "");
	assert_int_equal(ctl_call(&odd, &e), -ENODEV);
	setenv("TUNL_TUNLD", "/nonexistent/tunld", 1);
	if (ctl_is_admin()) {
		assert_int_equal(ctl_call(&add, &e), -ENOENT);
		assert_non_null(strstr(e.text, "/nonexistent/tunld"));
		setenv("TUNL_TUNLD", "/bin/false", 1);
		assert_int_equal(ctl_call(&add, &e), -ENODEV);
		assert_non_null(strstr(e.text, "could not start"));
	} else {
		assert_int_equal(ctl_call(&add, &e), -EPERM);
	}
	unsetenv("TUNL_TUNLD");
}

static void t_batch_split(void **state)
{
	static const struct {
		const char *line;
		int n;
		const char *last;
	} rows[] = {
		{"tunnel add t1\n", 3, "t1"},
		{"  a\t'b c' # d\n", 2, "b c"},
		{"a \"\" b\n", 3, "b"},
		{"a ''\n", 2, ""},
		{"# all\n", 0, NULL},
		{"\n", 0, NULL},
		{"a 'unclosed\n", 2, "unclosed\n"},
		{"1 2 3 4 5\n", -1, NULL},
	};
	char line[64], *words[4];

	(void)state;
	for (u32 i = 0; i < countof(rows); i++) {
		text_copy(line, sizeof(line), rows[i].line);
		assert_int_equal(batch_split(line, words, 4), rows[i].n);
		if (rows[i].last)
			assert_string_equal(words[rows[i].n - 1], rows[i].last);
	}
}

static int status_of(void *ctx, int argc, char **words)
{
	(void)argc;
	++*(int *)ctx;
	return atoi(words[0]);
}

static void t_batch_run(void **state)
{
	static const struct {
		const char *text;
		bool force;
		int status, ran;
	} rows[] = {
		{"0\n0\n", false, 0, 2},   {"0\n1\n0\n", false, 1, 2},
		{"0\n2\n0\n", true, 1, 3}, {"0\n255\n0\n", true, 255, 2},
		{"", false, 0, 0},
	};
	char path[128];

	(void)state;
	ctl_path("batch", path, sizeof(path));
	for (u32 i = 0; i < countof(rows); i++) {
		FILE *f = fopen(path, "w");
		int ran = 0;

		fputs(rows[i].text, f);
		fclose(f);
		assert_int_equal(batch_run(path, rows[i].force, status_of, &ran), rows[i].status);
		assert_int_equal(ran, rows[i].ran);
	}
	unlink(path);
	assert_int_equal(batch_run(path, false, status_of, NULL), 1);
}

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/tunl-ctl-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	return setenv("TUNL_RUNDIR", folder, 1);
}

static int teardown(void **state)
{
	char path[128];

	(void)state;
	unlink(ctl_path("control", path, sizeof(path)));
	unlink(ctl_path("log", path, sizeof(path)));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_ctl_answers), cmocka_unit_test(t_ctl_broken),
		cmocka_unit_test(t_ctl_hung),	 cmocka_unit_test(t_ctl_absent),
		cmocka_unit_test(t_batch_split), cmocka_unit_test(t_batch_run),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
