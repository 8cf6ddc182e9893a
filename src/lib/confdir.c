/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/confdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct whole {
	char *text;
	size_t len, room;
};

/* Read on until the end. 0 or -errno. */
static int read_rest(int fd, struct whole *w)
{
	for (;;) {
		ssize_t n;

		if (w->room - w->len < 2) {
			size_t room = w->room ? w->room * 2 : 65536;
			char *more = room > CONFDIR_BYTES ? NULL : realloc(w->text, room);

			if (!more)
				return room > CONFDIR_BYTES ? -EFBIG : -ENOMEM;
			w->text = more;
			w->room = room;
		}
		n = read(fd, w->text + w->len, w->room - w->len - 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		w->len += n > 0 ? (size_t)n : 0;
	}
	w->text[w->len] = '\0';
	return 0;
}

/* Regular files only: others could make us wait. */
static int open_file(const char *path)
{
	struct stat st;
	int fd;

	if (!strcmp(path, "-"))
		return dup(STDIN_FILENO);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
}

int confdir_read(const char *path, char **text, size_t *len, struct err *e)
{
	struct whole w = {0};
	int fd = open_file(path), rc = fd < 0 ? fd : read_rest(fd, &w);

	if (fd >= 0)
		close(fd);
	if (rc) {
		free(w.text);
		return err_set(e, -rc, "%.200s cannot be read: %s", path, strerror(-rc));
	}
	*text = w.text;
	*len = w.len;
	return 0;
}

static int give(const char *path, bool may_lack, confdir_fn *fn, void *arg, struct err *e)
{
	char *text;
	size_t len;
	int rc = confdir_read(path, &text, &len, e);

	if (rc == -ENOENT && may_lack)
		return 0;
	if (rc)
		return rc;
	rc = fn(path, text, len, arg);
	free(text);
	return rc;
}

static int is_conf(const struct dirent *de)
{
	const char *dot = strrchr(de->d_name, '.');

	return de->d_name[0] != '.' && dot && !strcmp(dot, ".conf");
}

int confdir_each(const char *dir, const char *name, confdir_fn *fn, void *arg, struct err *e)
{
	char path[PATH_MAX], file[PATH_MAX + 300];
	struct dirent **entry;
	int n, rc;

	snprintf(path, sizeof(path), "%s/%s.conf", dir, name);
	rc = give(path, true, fn, arg, e);
	if (rc)
		return rc;
	snprintf(path, sizeof(path), "%s/%s.d", dir, name);
	n = scandir(path, &entry, is_conf, alphasort);
	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_set(e, errno, "%.200s: %s", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, entry[i]->d_name);
		rc = rc ? rc : give(file, false, fn, arg, e);
		free(entry[i]);
	}
	free(entry);
	return rc;
}

const char *confdir_path(void)
{
	const char *dir = getenv("TUNL_CONFDIR"), *run = getenv("TUNL_RUNDIR");

	if (dir && *dir)
		return dir;
	return run && *run && strcmp(run, "/run/tunl") ? NULL : "/etc/tunl";
}
