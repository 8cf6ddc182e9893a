/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_rootless.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/types.h"

static bool has_cap(const struct __user_cap_data_struct *d, unsigned cap)
{
	return d[cap / 32].effective & (1u << (cap % 32));
}

bool lab_is_privileged(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = {0};

	return syscall(SYS_capget, &h, d) == 0 && has_cap(d, CAP_SYS_ADMIN) &&
	       has_cap(d, CAP_NET_ADMIN) && has_cap(d, CAP_NET_RAW);
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

/* We are root within, and nobody else is anybody. */
static int map_ids(uid_t uid, gid_t gid)
{
	char map[32];
	int err;

	snprintf(map, sizeof(map), "0 %u 1", uid);
	err = write_file("/proc/self/uid_map", map);
	if (!err)
		err = write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return err ? err : write_file("/proc/self/gid_map", map);
}

static int no_namespace(int err, struct err *e)
{
	static const char way_out[] = "run the lab as root, or let users have user namespaces";

	switch (err) {
	case ENOSPC:
	case EUSERS:
		return err_set(e, err,
			       "no user namespace is to be had: %s: "
			       "`sysctl -w user.max_user_namespaces=10000` as root",
			       way_out);
	case EPERM:
	case EACCES:
		return err_set(e, err,
			       "this system lets users have no user namespaces: %s: "
			       "`sysctl -w kernel.unprivileged_userns_clone=1` (Debian) or "
			       "`kernel.apparmor_restrict_unprivileged_userns=0` (Ubuntu)",
			       way_out);
	default:
		return err_set(e, err, "cannot make a user namespace: %s: %s", strerror(err),
			       way_out);
	}
}

/* In the new process: its own /run and, for the process namespace, /proc. */
static int settle(struct err *e)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return err_set(e, errno,
			       "cannot mount within the user namespace: %s: run the lab as root",
			       strerror(errno));
	setenv("TUNL_RUNDIR", "/run/tunl", 1);
	return 0;
}

/* The waiting process: pass on what ends labs, and end as the lab has ended. */
static void attend(pid_t pid, const sigset_t *set)
{
	siginfo_t si;
	int st;

	while (waitpid(pid, &st, WNOHANG) == 0)
		if (sigwaitinfo(set, &si) != SIGCHLD && si.si_pid != 0)
			kill(pid, si.si_signo);
	exit(WIFEXITED(st) ? WEXITSTATUS(st) : 1);
}

int lab_rootless_enter(struct err *e)
{
	static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD};
	uid_t uid = getuid();
	gid_t gid = getgid();
	sigset_t set, old;
	pid_t pid;
	int err;

	if (unshare(CLONE_NEWUSER) < 0)
		return no_namespace(errno, e);
	err = map_ids(uid, gid);
	if (err)
		return no_namespace(-err, e);
	if (unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID) < 0)
		return no_namespace(errno, e);
	sigemptyset(&set);
	for (size_t i = 0; i < countof(passed_on); i++)
		sigaddset(&set, passed_on[i]);
	sigprocmask(SIG_BLOCK, &set, &old);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return err_set(e, errno, "cannot start a process: %s", strerror(errno));
	if (pid > 0)
		attend(pid, &set);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return settle(e);
}
