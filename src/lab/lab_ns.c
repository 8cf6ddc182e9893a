/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_ns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void ns_path(char *buf, size_t len, const char *name)
{
	snprintf(buf, len, "/run/netns/%s", name);
}

bool lab_ns_exists(const char *name)
{
	char path[PATH_MAX];

	ns_path(path, sizeof(path), name);
	return access(path, F_OK) == 0;
}

int lab_ns_enter(const char *name, int *back, struct err *e)
{
	char path[PATH_MAX];
	int fd, err = 0;

	ns_path(path, sizeof(path), name);
	*back = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*back < 0 || fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		err = errno;
	if (fd >= 0)
		close(fd);
	if (!err)
		return 0;
	if (*back >= 0)
		close(*back);
	return err_set(e, err, "cannot enter the namespace %s: %s", name, strerror(err));
}

void lab_ns_leave(int back)
{
	/* where this fails all that follows would be done in the wrong place */
	if (setns(back, CLONE_NEWNET) < 0)
		abort();
	close(back);
}
