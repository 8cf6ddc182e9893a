/* SPDX-License-Identifier: BSD-2-Clause */
/* `tunl metrics`: to standard output, into a file, or by the program that serves them. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/metrics.h"
#include "lib/num.h"
#include "lib/text.h"
#include "lib/types.h"

enum { EVERY_MAX = 86400, BESIDE_MAX = 32 };

static int usage(void)
{
	fputs("Usage: tunl metrics [ FILE [ every SECONDS ] ]\n"
	      "       tunl metrics listen { [ HOST ]:PORT | /PATH }\n",
	      stderr);
	return EXIT_SYNTAX;
}

static int failed(const char *what)
{
	fprintf(stderr, "metrics failed: %s: %s\n", what, strerror(errno));
	return EXIT_REFUSED;
}

/* Whoever reads path sees the old page or the new one, never a part. */
static int write_file(const char *path, const char *text, size_t len)
{
	char part[PATH_MAX];
	bool good;
	FILE *f;

	/* node_exporter reads *.prom: this name is none of those */
	if (snprintf(part, sizeof(part), "%s.%d", path, (int)getpid()) >= (int)sizeof(part)) {
		errno = ENAMETOOLONG;
		return failed(path);
	}
	f = fopen(part, "wxe");
	if (!f)
		return failed(part);
	good = fwrite(text, 1, len, f) == len && !fchmod(fileno(f), 0644);
	if (fclose(f) || !good || rename(part, path)) {
		int status = failed(path);

		unlink(part);
		return status;
	}
	return 0;
}

static int once(const char *path)
{
	size_t len;
	char *text = metrics_text(&len);
	int status = 0;

	if (!text)
		return failed("the page");
	if (path)
		status = write_file(path, text, len);
	else if (fwrite(text, 1, len, stdout) != len || fflush(stdout))
		status = failed("standard output");
	free(text);
	return status;
}

/* Where the server may be, seen from our own program: as built, and as installed. */
static const char *const beside[] = {"tunl-metrics", "../lib/tunl/tunl-metrics"};

static int serve(char *addr)
{
	char *argv[] = {"tunl-metrics", addr, NULL};
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - BESIDE_MAX);
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	for (size_t i = 0; slash && i < countof(beside); i++) {
		strcpy(slash + 1, beside[i]);
		execv(path, argv);
	}
	execv(TUNL_PREFIX "/lib/tunl/tunl-metrics", argv);
	return failed("tunl-metrics, which serves them");
}

int metrics_main(const struct cli *cli, int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : NULL;
	u32 every;
	int status;

	(void)cli;
	if (argc == 3 && !strcmp(path, "listen"))
		return serve(argv[2]);
	if (argc <= 2 && (!path || (path[0] != '-' && strcmp(path, "listen") != 0)))
		return once(path);
	if (argc != 4 || strcmp(argv[2], "every") != 0 || !num_dec(argv[3], EVERY_MAX, &every) ||
	    !every)
		return usage();
	do {
		status = once(path);
	} while (!status && (poll(NULL, 0, (int)every * 1000) >= 0 || errno == EINTR));
	return status;
}
