/* SPDX-License-Identifier: BSD-2-Clause */
/* What the lab cannot do without, and what to do where it is not there. */
#include "lab/lab_build.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/types.h"

static const struct {
	const char *program, *package; /* Debian's */
} needs[] = {
	{"ip", "iproute2"},
	{"ping", "iputils-ping"},
	{"sysctl", "procps"},
};

static bool in_path(const char *program)
{
	const char *dir = getenv("PATH");
	char path[PATH_MAX];

	while (dir && *dir) {
		size_t n = strcspn(dir, ":");

		snprintf(path, sizeof(path), "%.*s/%s", (int)n, dir, program);
		if (access(path, X_OK) == 0)
			return true;
		dir += n + (dir[n] == ':');
	}
	return false;
}

void lab_complete_path(void)
{
	const char *path = getenv("PATH");
	char longer[4 * PATH_MAX];

	if (!path || !*path)
		path = "/usr/bin:/bin";
	snprintf(longer, sizeof(longer), "%s:/usr/sbin:/sbin", path);
	setenv("PATH", longer, 1);
}

static const char *tun_remedy(int err)
{
	switch (err) {
	case ENOENT:
		return "`modprobe tun` as root makes it; in a container, "
		       "`mkdir -p /dev/net; mknod /dev/net/tun c 10 200`";
	case EACCES:
	case EPERM:
		return "`chmod 0666 /dev/net/tun` as root lets everyone use it, as most systems "
		       "have it";
	default:
		return "the kernel has no tun driver (CONFIG_TUN): `modprobe tun` as root";
	}
}

static int check_tun(struct err *e)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, errno, "cannot open /dev/net/tun: %s; %s", strerror(errno),
			       tun_remedy(errno));
	close(fd);
	return 0;
}

int lab_check_needs(struct err *e)
{
	for (size_t i = 0; i < countof(needs); i++)
		if (!in_path(needs[i].program))
			return err_set(e, ENOENT,
				       "there is no `%s` in PATH; Debian's package %s has it "
				       "(apt-get install %s)",
				       needs[i].program, needs[i].package, needs[i].package);
	return check_tun(e);
}
