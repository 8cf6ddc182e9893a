/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/engine.h"
#include "lib/types.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* The calls of the loop, of libmnl, of malloc, and of ending. */
static const int allowed[] = {
	SCMP_SYS(read),		SCMP_SYS(write),
	SCMP_SYS(writev),	SCMP_SYS(send),
	SCMP_SYS(sendto),	SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg),	SCMP_SYS(recv),
	SCMP_SYS(recvfrom),	SCMP_SYS(recvmsg),
	SCMP_SYS(recvmmsg),	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),	SCMP_SYS(epoll_ctl),
	SCMP_SYS(close),	SCMP_SYS(clock_gettime),
	SCMP_SYS(brk),		SCMP_SYS(munmap),
	SCMP_SYS(mremap),	SCMP_SYS(madvise),
	SCMP_SYS(futex),	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(exit),
	SCMP_SYS(exit_group),	SCMP_SYS(getsockopt),
	SCMP_SYS(getrandom),	SCMP_SYS(mlock),
};

/* While it may: a change of user takes CAP_SETPCAP away with the others. */
static int drop_bounding(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
		;
	return 0;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &h, none) ? -errno : 0;
}

/*
 * A root with nothing of worth in it. Where that is not permitted (no CAP_SYS_ADMIN
 * or CAP_SYS_CHROOT) the system call filter alone keeps files away.
 */
static void empty_root(void)
{
	if (chroot("/proc/self/fdinfo") == 0 && chdir("/") == 0)
		return;
}

/* In a user namespace that maps one user only there is nobody else to be. */
static int become_nobody(void)
{
	setgroups(0, NULL);
	if (setresgid(ENGINE_UID, ENGINE_UID, ENGINE_UID) && errno != EINVAL && errno != EPERM)
		return -errno;
	if (setresuid(ENGINE_UID, ENGINE_UID, ENGINE_UID) && errno != EINVAL && errno != EPERM)
		return -errno;
	return 0;
}

static int limit(void)
{
	static const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) || setrlimit(RLIMIT_NPROC, &none))
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

/* Memory may be had, but none that can be run. */
static int allow_memory(scmp_filter_ctx f)
{
	int err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	return err ? err
		   : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

static int filter_calls(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err = f ? allow_memory(f) : -ENOMEM;

	for (size_t i = 0; !err && i < countof(allowed); i++)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
	if (!err)
		err = seccomp_load(f);
	seccomp_release(f);
	return err;
}

int sandbox_enter(const char **what)
{
	static const struct {
		const char *what;
		int (*fn)(void);
	} steps[] = {
		{"bound its capabilities", drop_bounding},    {"change its user", become_nobody},
		{"drop its capabilities", drop_capabilities}, {"set its limits", limit},
		{"filter its system calls", filter_calls},
	};

	empty_root();
	for (size_t i = 0; i < countof(steps); i++) {
		int err;

		/* sanitizers open files and ask for much when they report */
		if (SANITIZED && steps[i].fn == filter_calls)
			continue;
		err = steps[i].fn();
		*what = steps[i].what;
		if (err)
			return err;
	}
	return 0;
}
