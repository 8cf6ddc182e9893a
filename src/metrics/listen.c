/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "metrics/metrics.h"

enum { BACKLOG = 16, HOST_LEN = 256 };

/* Somebody who serves there still is not pushed aside; what was left behind is. */
static bool is_served(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool served = fd >= 0 && !connect(fd, (const struct sockaddr *)sun, sizeof(*sun));

	if (fd >= 0)
		close(fd);
	return served;
}

static int listen_path(const char *path, struct err *e)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct stat st;
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		return err_set(e, ENAMETOOLONG, "%.60s...: a socket's name is shorter than %zu",
			       path, sizeof(sun.sun_path));
	strcpy(sun.sun_path, path);
	if (is_served(&sun))
		return err_set(e, EADDRINUSE, "%s: somebody serves there already", path);
	if (!lstat(path, &st) && S_ISSOCK(st.st_mode))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) || chmod(path, 0666) ||
	    listen(fd, BACKLOG)) {
		err_set(e, errno, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -e->code;
	}
	return fd;
}

static int listen_tcp(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, BACKLOG)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* HOST:PORT taken apart. False: it is none. */
static bool split(const char *addr, char host[HOST_LEN], const char **port)
{
	const char *colon = strrchr(addr, ':');
	size_t len = colon ? (size_t)(colon - addr) : 0;

	if (!colon || !colon[1] || len >= HOST_LEN)
		return false;
	if (len > 1 && addr[0] == '[' && addr[len - 1] == ']') {
		addr++;
		len -= 2;
	}
	memcpy(host, addr, len);
	host[len] = '\0';
	*port = colon + 1;
	return true;
}

int listen_at(const char *addr, struct err *e)
{
	const struct addrinfo want = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	char host[HOST_LEN];
	const char *port;
	int fd, rc;

	if (addr[0] == '/')
		return listen_path(addr, e);
	if (!split(addr, host, &port))
		return err_set(e, EINVAL, "%.100s: it is [HOST]:PORT or /PATH", addr);
	rc = getaddrinfo(host[0] ? host : "127.0.0.1", port, &want, &found);
	if (rc)
		return err_set(e, EADDRNOTAVAIL, "%.100s: %s", addr, gai_strerror(rc));
	fd = listen_tcp(found);
	freeaddrinfo(found);
	return fd < 0 ? err_set(e, -fd, "%.100s: %s", addr, strerror(-fd)) : fd;
}
