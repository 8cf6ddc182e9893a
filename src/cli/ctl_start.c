/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon is a child that outlives us, in a session of its own. What it
 * says while it starts comes through a pipe, so that its last line can be told
 * where it ends at once, even where its log cannot be written. Two commands may
 * start two: the second finds the first's lock and ends with status 0, and both
 * are served by the first.
 */
#include "cli/ctl_start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/text.h"

enum { START_POLL_MS = 10 };

bool ctl_is_admin(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &head, data))
		return geteuid() == 0;
	return data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective & CAP_TO_MASK(CAP_NET_ADMIN);
}

/*
 * Where tunld may be, seen from the folder of our own program: beside tunl as
 * built, above bin/ip as built; beside bin/tunl and lib/tunl/bin/ip as installed.
 */
static const char *const beside[] = {"tunld", "../tunld", "../sbin/tunld", "../../../sbin/tunld"};

enum { BESIDE_MAX = 24 };

/* The first of these that can be run. */
static bool find_beside(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - BESIDE_MAX);
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	for (size_t i = 0; slash && i < countof(beside); i++) {
		strcpy(slash + 1, beside[i]);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

static int find_tunld(char path[PATH_MAX], struct err *e)
{
	const char *set = getenv("TUNL_TUNLD");

	if (set && *set) {
		text_copy(path, PATH_MAX, set);
		if (!access(path, X_OK))
			return 0;
		return err_set(e, errno, "cannot run %.180s, which TUNL_TUNLD names: %s", path,
			       strerror(errno));
	}
	if (find_beside(path))
		return 0;
	text_copy(path, PATH_MAX, TUNL_PREFIX "/sbin/tunld");
	if (!access(path, X_OK))
		return 0;
	return err_set(e, ENODEV,
		       "no tunld beside tunl nor in " TUNL_PREFIX
		       "/sbin: install it, or set TUNL_TUNLD");
}

static void become_tunld(const char *path, int words)
{
	char *argv[] = {"tunld", NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char full[PATH_MAX];

	setsid();
	if (!realpath(path, full) || chdir("/"))
		_exit(127);
	dup2(null, 0);
	dup2(null, 1);
	dup2(words, 2);
	close_range(3, ~0u, 0);
	execv(full, argv);
	dprintf(2, "tunld: cannot run %s: %s\n", full, strerror(errno));
	_exit(127);
}

/* The last line that a daemon which has ended said; "" if there is none. */
static void last_words(int words, char *buf, size_t size)
{
	char said[1024];
	ssize_t n = read(words, said, sizeof(said) - 1);
	char *line, *rest = said;

	buf[0] = '\0';
	said[n > 0 ? n : 0] = '\0';
	while ((line = strsep(&rest, "\n")))
		if (line[0])
			text_copy(buf, size, line);
}

static int start_failed(int status, int words, struct err *e)
{
	char why[160];

	last_words(words, why, sizeof(why));
	if (WIFSIGNALED(status))
		return err_set(e, ENODEV, "tunld was ended by signal %d at its start: %s",
			       WTERMSIG(status), why);
	return err_set(e, ENODEV, "tunld could not start: %s",
		       why[0] ? why : "it does not say why");
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

/* Until it answers, ends with a failure, or CTL_PATIENCE is over. */
static int await_tunld(pid_t pid, int words, struct err *e)
{
	long end = now_ms() + CTL_PATIENCE * 1000L;
	bool gone = false;
	int fd, status;

	while (now_ms() < end) {
		if (!gone && waitpid(pid, &status, WNOHANG) == pid) {
			gone = true;
			if (!WIFEXITED(status) || WEXITSTATUS(status))
				return start_failed(status, words, e);
		}
		fd = ctl_connect();
		if (fd >= 0)
			return fd;
		poll(NULL, 0, START_POLL_MS);
	}
	if (!gone) { /* ours, in a session of its own: it must not come up later, unasked */
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	return err_set(e, ETIMEDOUT, "tunld did not come up within %d s: look at %s/log",
		       CTL_PATIENCE, ctl_rundir());
}

int ctl_start(struct err *e)
{
	char path[PATH_MAX];
	int words[2], rc = find_tunld(path, e);
	pid_t pid;

	if (rc)
		return rc;
	if (pipe2(words, O_CLOEXEC | O_NONBLOCK))
		return err_set(e, errno, "cannot start tunld: %s", strerror(errno));
	pid = fork();
	if (!pid)
		become_tunld(path, words[1]);
	close(words[1]);
	rc = pid < 0 ? err_set(e, errno, "cannot start tunld: %s", strerror(errno))
		     : await_tunld(pid, words[0], e);
	close(words[0]);
	return rc;
}
