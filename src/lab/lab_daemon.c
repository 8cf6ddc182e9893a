/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_daemon.h"

#include <limits.h>
#include <poll.h>
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

static int count_tunnels(void *ctx, json_t *row)
{
	json_t *n = json_object_get(row, "tunnels");

	*(bool *)ctx = !json_is_integer(n) || json_integer_value(n) > 0;
	return 0;
}

bool lab_daemon_is_needed(void)
{
	bool needed = true;
	struct ctl_request status = {
		.verb = "status", .row = count_tunnels, .ctx = &needed, .running = true};
	struct err e;

	/* one that does not answer is not ours to judge */
	return ctl_call(&status, &e) < 0 || needed;
}

void lab_daemon_stop(pid_t pid)
{
	struct ctl_request stop = {.verb = "stop", .running = true};
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct err e;

	if (ctl_call(&stop, &e) == 0 && fd >= 0)
		poll(&p, 1, STOP_WAIT_MS);
	if (fd >= 0)
		close(fd);
}
