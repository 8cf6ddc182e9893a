/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/metrics.h"
#include "lib/types.h"
#include "metrics/metrics.h"

static bool write_all(int fd, const void *from, size_t n)
{
	ssize_t put;

	for (const u8 *at = from; n; at += put, n -= (size_t)put) {
		put = send(fd, at, n, MSG_NOSIGNAL);
		if (put <= 0)
			return false;
	}
	return true;
}

/* A page for each byte, until the server is gone. */
static void feed(int fd)
{
	char ask;

	while (read(fd, &ask, 1) == 1) {
		size_t len = 0;
		char *text = metrics_text(&len);
		u32 said = (u32)len;
		bool good = text && len <= ~0U && write_all(fd, &said, sizeof(said)) &&
			    write_all(fd, text, len);

		free(text);
		if (!good)
			return;
	}
}

static int refused(const char *text)
{
	fprintf(stderr, "metrics failed: %s\n", text);
	return EXIT_REFUSED;
}

static int run(int listener)
{
	int sv[2], status;
	pid_t server;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
		return refused(strerror(errno));
	server = fork();
	if (server < 0)
		return refused(strerror(errno));
	if (server == 0) {
		close(sv[0]);
		_exit(server_run(listener, sv[1]));
	}
	close(sv[1]);
	close(listener);
	feed(sv[0]);
	kill(server, SIGKILL);
	waitpid(server, &status, 0);
	return refused("the server ended");
}

int metricsd_main(int argc, char **argv)
{
	struct err e = {0};
	int fd;

	if (argc != 2) {
		fputs("Usage: tunl-metrics { [ HOST ]:PORT | /PATH }\n", stderr);
		return EXIT_SYNTAX;
	}
	fd = listen_at(argv[1], &e);
	return fd < 0 ? refused(e.text) : run(fd);
}
