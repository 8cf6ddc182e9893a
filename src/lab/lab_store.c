/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/ctl.h"
#include "lab/lab_daemon.h"
#include "lab/lab_file.h"
#include "lab/lab_ns.h"

/* The daemon that a lab started: its process id, in the folder of the labs. */
static const char marker[] = ".daemon";

enum { STORE_TRIES = 16 };

/* The folder may go between our open() and flock(): then its last user removed it. */
static bool is_there(const struct lab_store *s)
{
	struct stat here, path;

	return fstat(s->fd, &here) == 0 && stat(s->dir, &path) == 0 && here.st_ino == path.st_ino &&
	       here.st_dev == path.st_dev;
}

/* With make, the folder is made where it is not there. */
static int open_dir(struct lab_store *s, bool make)
{
	if (make && ((mkdir(ctl_rundir(), 0755) < 0 && errno != EEXIST) ||
		     (mkdir(s->dir, 0755) < 0 && errno != EEXIST)))
		return -errno;
	s->fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0 || flock(s->fd, LOCK_SH) < 0)
		return -errno;
	return is_there(s) ? 0 : -ESTALE;
}

int lab_store_open(struct lab_store *s, bool make, struct err *e)
{
	int err, tries = 0;

	*s = (struct lab_store){.fd = -1};
	ctl_path("labs", s->dir, sizeof(s->dir));
	while ((err = open_dir(s, make)) < 0) {
		if (s->fd >= 0)
			close(s->fd);
		s->fd = -1;
		if (err == -ENOENT && !make)
			return 0;
		/* another process removed it just now: only so often can that be */
		if ((err != -ENOENT && err != -ESTALE) || ++tries == STORE_TRIES)
			return err_set(e, -err,
				       "cannot use %s: %s (TUNL_RUNDIR names another place)",
				       s->dir, strerror(-err));
	}
	s->cold = lab_daemon_pid() == 0;
	return 0;
}

static void marker_write(const struct lab_store *s, pid_t pid)
{
	int fd = openat(s->fd, marker, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return;
	dprintf(fd, "%d\n", (int)pid);
	close(fd);
}

static pid_t marker_read(const struct lab_store *s)
{
	char buf[16] = "";
	int fd = openat(s->fd, marker, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, buf, sizeof(buf) - 1) < 0)
		buf[0] = '\0';
	close(fd);
	return atoi(buf);
}

/* With nobody else at the store. */
static void tidy(const struct lab_store *s)
{
	pid_t pid = lab_daemon_pid();

	if (pid && pid == marker_read(s) && !lab_daemon_is_needed()) {
		lab_daemon_stop(pid);
		pid = 0;
	}
	if (!pid)
		unlinkat(s->fd, marker, 0);
	rmdir(s->dir); /* only where it is empty */
}

void lab_store_close(struct lab_store *s)
{
	pid_t pid;

	if (s->fd < 0)
		return;
	pid = s->cold ? lab_daemon_pid() : 0;
	if (pid)
		marker_write(s, pid);
	if (flock(s->fd, LOCK_EX | LOCK_NB) == 0)
		tidy(s);
	close(s->fd);
	s->fd = -1;
}

/* Four letters and digits; those that are easily taken for each other left out. */
static void random_id(char *id)
{
	static const char set[] = "abcdefghjkmnpqrstuvwxyz23456789";
	unsigned char rnd[4] = {0};

	if (getrandom(rnd, sizeof(rnd), 0) < 0)
		memset(rnd, getpid() & 0xff, sizeof(rnd));
	for (size_t i = 0; i < sizeof(rnd); i++)
		id[i] = set[rnd[i] % (sizeof(set) - 1)];
	id[sizeof(rnd)] = '\0';
}

static bool is_taken(const struct lab_record *rec)
{
	char ns[32];

	for (int i = 0; i < rec->topo->n_nets; i++)
		if (lab_ns_exists(lab_ns_name(ns, sizeof(ns), rec->id, rec->topo->nets[i].role)))
			return true;
	return false;
}

static int record_write(struct lab_store *s, struct lab_record *r)
{
	/* locked before it has a name that others know: nobody takes it for left behind */
	char tmp[32];
	int err = 0;

	snprintf(tmp, sizeof(tmp), ".new-%d", (int)getpid());
	r->fd = openat(s->fd, tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (r->fd < 0)
		return -errno;
	r->built = time(NULL);
	if (flock(r->fd, LOCK_EX) < 0 ||
	    dprintf(r->fd, "%s %s %lld\n%s", r->topo->name, r->datapath[0] ? r->datapath : "-",
		    (long long)r->built, r->topo->text) < 0 ||
	    linkat(s->fd, tmp, s->fd, r->id, 0) < 0)
		err = errno;
	unlinkat(s->fd, tmp, 0);
	if (err) {
		close(r->fd);
		r->fd = -1;
	}
	return -err;
}

int lab_record_create(struct lab_store *s, struct lab_record *r, struct err *e)
{
	bool chosen = r->id[0];
	int err;

	do {
		if (!chosen)
			random_id(r->id);
		err = is_taken(r) ? -EEXIST : record_write(s, r);
	} while (err == -EEXIST && !chosen);
	if (err == -EEXIST)
		return err_set(e, EEXIST,
			       "there is a lab %s already (`tunl lab down %s` takes it down)",
			       r->id, r->id);
	return err ? err_set(e, -err, "cannot write in %s: %s", s->dir, strerror(-err)) : 0;
}

static int record_parse(struct lab_record *r)
{
	char *buf = calloc(1, LAB_FILE_MAX + 256), *text, name[LAB_NAME_MAX + 1], datapath[8];
	ssize_t n = buf ? pread(r->fd, buf, LAB_FILE_MAX + 255, 0) : -1;
	long long built;
	struct err e;

	text = n > 0 ? strchr(buf, '\n') : NULL;
	if (text && sscanf(buf, "%31s %7s %lld", name, datapath, &built) == 3) {
		text++;
		r->topo = lab_file_parse(name, text, (size_t)(buf + n - text), &e);
		snprintf(r->datapath, sizeof(r->datapath), "%s",
			 strcmp(datapath, "-") ? datapath : "");
		r->built = built;
	}
	free(buf);
	return r->topo ? 0 : -EBADMSG;
}

int lab_record_open(struct lab_store *s, const char *id, bool take, struct lab_record *r,
		    struct err *e)
{
	int err = 0;

	*r = (struct lab_record){.fd = -1};
	if (!lab_id_is_valid(id))
		return err_set(e, ENOENT, "there is no lab \"%s\"", id);
	snprintf(r->id, sizeof(r->id), "%s", id);
	r->fd = s->fd < 0 ? -1 : openat(s->fd, id, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (r->fd < 0)
		return err_set(e, ENOENT, "there is no lab %s (`tunl lab status` lists them)", id);
	r->busy = flock(r->fd, (take ? LOCK_EX : LOCK_SH) | LOCK_NB) < 0;
	if (record_parse(r) < 0)
		err = err_set(e, EBADMSG, "%s/%s makes no sense to this tunl", s->dir, id);
	else if (take && r->busy)
		err = err_set(e, EBUSY, "a process is at work on the lab %s", id);
	if (err || !take) {
		close(r->fd);
		r->fd = -1;
	}
	if (err) {
		lab_topo_free(r->topo);
		r->topo = NULL;
	}
	return err;
}

void lab_record_close(struct lab_store *s, struct lab_record *r, bool remove)
{
	if (r->fd < 0)
		return;
	if (remove)
		unlinkat(s->fd, r->id, 0);
	close(r->fd);
	r->fd = -1;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

size_t lab_store_list(const struct lab_store *s, char (*ids)[LAB_ID_MAX + 1], size_t max)
{
	DIR *d = s->fd < 0 ? NULL : opendir(s->dir);
	struct dirent *de;
	size_t n = 0;

	while (d && n < max && (de = readdir(d)))
		if (lab_id_is_valid(de->d_name))
			memcpy(ids[n++], de->d_name, strlen(de->d_name) + 1);
	if (d)
		closedir(d);
	qsort(ids, n, sizeof(*ids), by_name);
	return n;
}
