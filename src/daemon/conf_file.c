/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RUNDIR/conf: what was made by the configuration, so that the next daemon knows what of
 * it the files have no more.
 *
 *	tunl-conf 1 BOOT-ID
 *	home DEV:INODE:COOKIE	(where tunnels without `netns` are)
 *	LINE...
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/conf_impl.h"
#include "lib/confdir.h"
#include "lib/log.h"

static void head_of(char *head, size_t size)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	char boot[64] = "unknown\n";

	if (f) {
		if (!fgets(boot, sizeof(boot), f))
			boot[0] = '\n';
		fclose(f);
	}
	snprintf(head, size, "tunl-conf 1 %s", boot);
}

static void path_of(const struct confd *k, const char *suffix, char path[PATH_LEN])
{
	snprintf(path, PATH_LEN, "%s/conf%s", k->daemon->rundir, suffix);
}

static void take_line(struct confd *k, const char *line)
{
	unsigned long long dev, ino, cookie;
	struct conf_entry *en;
	struct conf_tunnel *t;
	struct conf c;

	if (sscanf(line, "home %llx:%llu:%llu", &dev, &ino, &cookie) == 3) {
		k->home = (struct ns_identity){(dev_t)dev, (ino_t)ino, cookie};
		return;
	}
	t = conf_of_text(&c, line);
	en = t && !conf_find(k, t) ? conf_entry_new(k, t) : NULL;
	if (en)
		en->done = strdup(line);
	conf_free(&c);
}

void conf_file_read(struct confd *k)
{
	char path[PATH_LEN], head[128], *text, *line, *rest;
	struct err e;
	size_t len;

	head_of(head, sizeof(head));
	path_of(k, "", path);
	if (confdir_read(path, &text, &len, &e))
		return;
	rest = text;
	if (!strncmp(text, head, strlen(head))) {
		rest += strlen(head);
		while ((line = strsep(&rest, "\n")))
			if (*line)
				take_line(k, line);
	}
	free(text);
}

static bool write_lines(const struct confd *k, FILE *f)
{
	char head[128];
	bool bad;

	head_of(head, sizeof(head));
	fputs(head, f);
	fprintf(f, "home %llx:%llu:%llu\n", (unsigned long long)k->home.dev,
		(unsigned long long)k->home.ino, (unsigned long long)k->home.cookie);
	list_for_each (n, &k->order) {
		const struct conf_entry *en = list_entry(n, struct conf_entry, order);

		if (en->done)
			fprintf(f, "%s\n", en->done);
	}
	bad = ferror(f);
	return !(fclose(f) || bad);
}

static bool any_done(const struct confd *k)
{
	list_for_each (n, &k->order)
		if (list_entry(n, struct conf_entry, order)->done)
			return true;
	return false;
}

/* Beside itself, and renamed: the old one or the new one. */
void conf_file_write(struct confd *k)
{
	char path[PATH_LEN], tmp[PATH_LEN];
	FILE *f;
	int fd;

	k->unsaved = false;
	path_of(k, "", path);
	path_of(k, ".new", tmp);
	if (!any_done(k)) { /* where it was started is nobody's concern then */
		unlink(path);
		return;
	}
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (f && write_lines(k, f) && rename(tmp, path) == 0)
		return;
	log_error("%s cannot be written: %s; a tunnel that leaves the configuration while no tunld "
		  "runs would stay",
		  path, strerror(errno));
	unlink(tmp);
}
