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

#include "lab/lab_userns.h"
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

static int no_namespace(uid_t uid, int err, struct err *e)
{
	switch (err) {
	case ENOSPC:
	case EUSERS:
		return err_set(
			e, err,
			"no user namespace is left for an ordinary user: run the lab as root, "
			"or raise /proc/sys/user/max_user_namespaces");
	case EPERM:
	case EACCES:
		if (uid == 0)
			return err_set(
				e, err,
				"root lacks CAP_SYS_ADMIN, CAP_NET_ADMIN or CAP_NET_RAW here, "
				"and may have no user namespace: give the container these");
		return err_set(
			e, err,
			"this system lets ordinary users have no user namespaces: run the lab "
			"as root, or set kernel.unprivileged_userns_clone=1 (Debian) or "
			"kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)");
	default:
		return err_set(e, err, "cannot make a user namespace: %s: run the lab as root",
			       strerror(err));
	}
}

int lab_userns_make(struct err *e)
{
	uid_t uid = getuid();
	gid_t gid = getgid();
	int err;

	if (unshare(CLONE_NEWUSER) < 0)
		return no_namespace(uid, errno, e);
	err = map_ids(uid, gid);
	if (err)
		return no_namespace(uid, -err, e);
	if (unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID) < 0)
		return no_namespace(uid, errno, e);
	return 0;
}

int lab_userns_settle(struct err *e)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return err_set(e, errno,
			       "cannot mount within a user namespace: %s: run the lab as root",
			       strerror(errno));
	return 0;
}

/*
 * Pass on to pid what ends labs, until it ends; what comes from the terminal has
 * reached it as well. Returns its exit status.
 */
static int attend(pid_t pid, const sigset_t *set)
{
	siginfo_t si;
	int st;

	while (waitpid(pid, &st, WNOHANG) == 0)
		if (sigwaitinfo(set, &si) > 0 && si.si_signo != SIGCHLD && si.si_code != SI_KERNEL)
			kill(pid, si.si_signo);
	return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}

int lab_userns_fork(void (*after)(void *ctx), void *ctx, struct err *e)
{
	static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD};
	sigset_t set, old;
	pid_t pid;
	int status;

	sigemptyset(&set);
	for (size_t i = 0; i < countof(passed_on); i++)
		sigaddset(&set, passed_on[i]);
	sigprocmask(SIG_BLOCK, &set, &old);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return err_set(e, errno, "cannot start a process: %s", strerror(errno));
	if (pid > 0) {
		status = attend(pid, &set);
		if (after)
			after(ctx);
		exit(status);
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigprocmask(SIG_SETMASK, &old, NULL);
	setenv("TUNL_RUNDIR", "/run/tunl", 1);
	return 0;
}

int lab_rootless_enter(struct err *e)
{
	int err = lab_userns_make(e);

	if (!err)
		err = lab_userns_fork(NULL, NULL, e);
	return err ? err : lab_userns_settle(e);
}
