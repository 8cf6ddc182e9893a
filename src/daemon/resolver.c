/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <netdb.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/engine.h"
#include "lib/types.h"

enum { SECONDS = 15, MEMORY = 512 << 20, MANY = 64 }; /* answers that are told */

/* As `ip netns exec` has it: the namespace's own list of name servers, where there is one. */
static void take_servers(const char *netns)
{
	char path[256];

	if (!netns[0] || strchr(netns, '/'))
		return;
	snprintf(path, sizeof(path), "/etc/netns/%s/resolv.conf", netns);
	if (access(path, R_OK) || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL))
		return;
	mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL);
}

/* Another user without any capability; in a user namespace of one user there is no other. */
static int become_nobody(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	for (int cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
		;
	setgroups(0, NULL);
	if (setresgid(ENGINE_UID, ENGINE_UID, ENGINE_UID) && errno != EINVAL && errno != EPERM)
		return -errno;
	if (setresuid(ENGINE_UID, ENGINE_UID, ENGINE_UID) && errno != EINVAL && errno != EPERM)
		return -errno;
	if (syscall(SYS_capset, &h, none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return 0;
}

/* What a name server says is not to be trusted: nothing may come of it but this process's end. */
static int give_up_all(void)
{
	struct rlimit memory = {MEMORY, MEMORY};

	alarm(SECONDS);
#ifndef __SANITIZE_ADDRESS__
	setrlimit(RLIMIT_AS, &memory);
#else
	(void)memory;
#endif
	return become_nobody();
}

static int fail(const char *why)
{
	printf(RESOLVER_FAILED "%s", why);
	fflush(stdout);
	return EXIT_FAILURE;
}

static const char *reason(int rc)
{
	switch (rc) {
	case EAI_NONAME:
	case EAI_NODATA:
		return "there is no such name, or it has no IPv4 address";
	case EAI_AGAIN:
		return "the name server does not answer";
	default:
		return gai_strerror(rc);
	}
}

int resolver_main(const char *name, const char *netns)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_RAW};
	struct addrinfo *list;
	char text[INET_ADDRSTRLEN];
	int rc, n = 0;

	if (setns(RESOLVER_NS, CLONE_NEWNET))
		return fail(strerror(errno));
	close(RESOLVER_NS);
	take_servers(netns);
	if (give_up_all())
		return fail("the resolver cannot give up its rights");
	rc = getaddrinfo(name, NULL, &hints, &list);
	if (rc)
		return fail(reason(rc));
	for (struct addrinfo *a = list; a && n++ < MANY; a = a->ai_next) {
		const struct sockaddr_in *sin = (const void *)a->ai_addr;

		puts(inet_ntop(AF_INET, &sin->sin_addr, text, sizeof(text)));
	}
	freeaddrinfo(list);
	return EXIT_SUCCESS;
}
