/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The home of an ordinary user's standing labs. Its keeper is the first process
 * of the home's process namespace and does nothing; when it is killed, the
 * kernel ends all others there, and the namespaces with them. It is found by its
 * name and owner among the processes, so that no file can tell of one that has
 * gone.
 */
#include "lab/lab_rootless.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/lab_userns.h"
#include "lib/types.h"

static const char keeper_name[] = "tunl-lab-home";

/* Whether process `pid` (digits) is a keeper of ours, and alive. */
static bool is_keeper(const char *pid)
{
	char path[64], comm[32] = "", target[64];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) < 0 || read(fd, comm, sizeof(comm) - 1) < 0)
		comm[0] = '\0';
	close(fd);
	comm[strcspn(comm, "\n")] = '\0';
	snprintf(path, sizeof(path), "/proc/%.20s/ns/user", pid);
	return st.st_uid == getuid() && !strcmp(comm, keeper_name) &&
	       readlink(path, target, sizeof(target)) > 0;
}

pid_t lab_home_find(void)
{
	DIR *d = opendir("/proc");
	struct dirent *de;
	pid_t pid = 0;

	while (d && !pid && (de = readdir(d)))
		if (de->d_name[0] >= '1' && de->d_name[0] <= '9' && is_keeper(de->d_name))
			pid = atoi(de->d_name);
	if (d)
		closedir(d);
	return pid;
}

/* The keeper's life: it outlives the command that made it, and all it has open. */
static void keep(int ready)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct err e = {0};

	setsid();
	signal(SIGCHLD, SIG_IGN); /* nobody waits for what ends here */
	if (lab_userns_settle(&e) == 0)
		prctl(PR_SET_NAME, keeper_name);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (write(ready, &e, sizeof(e)) != sizeof(e) || e.code)
		_exit(1);
	close(ready);
	for (;;)
		pause();
}

/* Between the command and the keeper: enters the namespaces, and goes. */
static void start_keeper(int ready)
{
	struct err e = {0};
	pid_t pid;

	if (lab_userns_make(&e) == 0) {
		pid = fork();
		if (pid == 0)
			keep(ready);
		if (pid > 0)
			_exit(0);
		err_set(&e, errno, "cannot start a process: %s", strerror(errno));
	}
	if (write(ready, &e, sizeof(e)) != sizeof(e))
		_exit(2);
	_exit(1);
}

int lab_home_make(pid_t *keeper, struct err *e)
{
	int ready[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0 || (fflush(NULL), pid = fork()) < 0)
		return err_set(e, errno, "cannot start a process: %s", strerror(errno));
	if (pid == 0)
		start_keeper(ready[1]);
	close(ready[1]);
	n = read(ready[0], e, sizeof(*e));
	close(ready[0]);
	waitpid(pid, NULL, 0);
	if (n == sizeof(*e) && e->code)
		return -e->code;
	*keeper = lab_home_find();
	return *keeper ? 0 : err_set(e, ECHILD, "the keeper of the labs' namespaces has ended");
}

static int join(pid_t keeper, int type, const char *ns)
{
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)keeper, ns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	err = fd < 0 || setns(fd, type) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return err;
}

/* After a command: without labs there is no need of the home. */
static void leave(void *ctx)
{
	const pid_t *keeper = ctx;
	struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, *keeper, 0), .events = POLLIN};

	if (access("/run/tunl/labs", F_OK) == 0 || p.fd < 0 || kill(*keeper, SIGKILL) < 0)
		return;
	poll(&p, 1, 1000);
}

int lab_home_join(pid_t keeper, struct err *e)
{
	/* the others are opened by the home's own rights: user comes first, mnt (and its /proc)
	 * last */
	static const struct {
		int type;
		const char *name;
	} ns[] = {
		{CLONE_NEWUSER, "user"},
		{CLONE_NEWNET, "net"},
		{CLONE_NEWPID, "pid"},
		{CLONE_NEWNS, "mnt"},
	};
	char cwd[PATH_MAX];
	int err = 0;

	if (!getcwd(cwd, sizeof(cwd)))
		strcpy(cwd, "/");
	for (size_t i = 0; !err && i < countof(ns); i++)
		err = join(keeper, ns[i].type, ns[i].name);
	if (!err && chdir(cwd) < 0)
		err = -errno;
	if (err)
		return err_set(e, -err,
			       "cannot join the namespaces of the labs, kept by process %d: %s",
			       (int)keeper, strerror(-err));
	return lab_userns_fork(leave, &keeper, e);
}
