/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_daemon.h"

#include <ctype.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/ctl.h"

enum { STOP_WAIT_MS = 5000 };

pid_t lab_daemon_pid(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);
	char path[PATH_MAX];
	int fd;

	if (strlen(ctl_path("control", path, sizeof(path))) >= sizeof(sa.sun_path))
		return 0;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return 0;
	/* the credentials are those of the process that called listen() */
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		peer.pid = 0;
	close(fd);
	return peer.pid;
}

bool lab_daemon_is_needed(void)
{
	char path[PATH_MAX], line[1024];
	FILE *f = fopen(ctl_path("state", path, sizeof(path)), "re");
	bool needed = false;

	if (!f)
		return false;
	while (!needed && fgets(line, sizeof(line), f))
		needed = line[0] != '#' && !isspace((unsigned char)line[0]);
	fclose(f);
	return needed;
}

void lab_daemon_stop(pid_t pid)
{
	struct ctl_request stop = {.verb = "stop"};
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct err e;

	if (ctl_call(&stop, &e) == 0 && fd >= 0)
		poll(&p, 1, STOP_WAIT_MS);
	if (fd >= 0)
		close(fd);
}
