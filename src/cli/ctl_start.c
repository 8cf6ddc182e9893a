/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon is a child that outlives us, in a session of its own. What it
 * writes before its log stands goes to the log file too, so that its last line
 * can be told where it ends at once. Two commands may start two: the second
 * finds the first's lock and ends with status 0, and both are served by the first.
 */
#include "cli/ctl_start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* tunld in the folder of our own program. */
static void path_beside(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof("tunld"));
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		strcpy(slash + 1, "tunld");
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
	path_beside(path);
	if (!access(path, X_OK))
		return 0;
	text_copy(path, PATH_MAX, TUNL_PREFIX "/sbin/tunld");
	if (!access(path, X_OK))
		return 0;
	return err_set(e, ENODEV,
		       "no tunld beside tunl nor in " TUNL_PREFIX
		       "/sbin: install it, or set TUNL_TUNLD");
}

static int open_log(void)
{
	char path[PATH_MAX];
	int fd;

	mkdir(ctl_rundir(), 0755);
	fd = open(ctl_path("log", path, sizeof(path)), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
		  0640);
	return fd >= 0 ? fd : open("/dev/null", O_WRONLY | O_CLOEXEC);
}

static void become_tunld(const char *path)
{
	char *argv[] = {"tunld", NULL};
	int null = open("/dev/null", O_RDWR), log = open_log();

	setsid();
	if (chdir("/"))
		_exit(127);
	dup2(null, 0);
	dup2(null, 1);
	dup2(log, 2);
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	execv(path, argv);
	dprintf(2, "tunld: cannot run %s: %s\n", path, strerror(errno));
	_exit(127);
}

/* The last line of the log, which says why it ended; "" if there is none. */
static void last_words(char *buf, size_t size)
{
	char path[PATH_MAX], line[256];
	FILE *f = fopen(ctl_path("log", path, sizeof(path)), "re");

	buf[0] = '\0';
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0])
			text_copy(buf, size, line);
	}
	fclose(f);
}

static int start_failed(int status, struct err *e)
{
	char why[160];

	last_words(why, sizeof(why));
	if (WIFSIGNALED(status))
		return err_set(e, ECHILD, "tunld was ended by signal %d at its start: %s",
			       WTERMSIG(status), why);
	return err_set(e, ECHILD, "tunld could not start: %s",
		       why[0] ? why : "its log says nothing");
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

/* Until it answers, ends with a failure, or CTL_PATIENCE is over. */
static int await_tunld(pid_t pid, struct err *e)
{
	long end = now_ms() + CTL_PATIENCE * 1000L;
	bool gone = false;
	int fd, status;

	while (now_ms() < end) {
		if (!gone && waitpid(pid, &status, WNOHANG) == pid) {
			gone = true;
			if (!WIFEXITED(status) || WEXITSTATUS(status))
				return start_failed(status, e);
		}
		fd = ctl_connect();
		if (fd >= 0)
			return fd;
		poll(NULL, 0, START_POLL_MS);
	}
	return err_set(e, ETIMEDOUT, "tunld did not come up within %d s: look at %s/log",
		       CTL_PATIENCE, ctl_rundir());
}

int ctl_start(struct err *e)
{
	char path[PATH_MAX];
	pid_t pid;
	int rc = find_tunld(path, e);

	if (rc)
		return rc;
	pid = fork();
	if (pid < 0)
		return err_set(e, errno, "cannot start tunld: %s", strerror(errno));
	if (!pid)
		become_tunld(path);
	return await_tunld(pid, e);
}
