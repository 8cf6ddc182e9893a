/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/scan.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/engproc.h"
#include "daemon/follow.h"
#include "lib/log.h"

enum {
	SOON_MS = 50, /* after a change of mounts: for those that come with it */
	LOOK_FDS = 6, /* descriptors that a look has at once, and some more */
};

/* The inode in "net:[INODE]"; 0: it is something else. */
static ino_t inode_of_text(const char *text)
{
	uint64_t ino;

	return sscanf(text, "net:[%" SCNu64 "]", &ino) == 1 ? (ino_t)ino : 0;
}

static ino_t inode_of_link(int dirfd, const char *path)
{
	char text[64];
	ssize_t n = readlinkat(dirfd, path, text, sizeof(text) - 1);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return inode_of_text(text);
}

static struct ns *held(struct daemon *d, ino_t ino)
{
	list_for_each (n, &d->namespaces) {
		struct ns *ns = list_entry(n, struct ns, node);

		if (ino && ns->id.ino == ino)
			return ns;
	}
	return NULL;
}

typedef void mount_fn(ino_t ino, const char *path, void *arg);

/* Undo the \ooo of mountinfo, in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++, to++) {
		unsigned code;

		if (*s == '\\' && sscanf(s + 1, "%3o", &code) == 1) {
			*to = (char)code;
			s += 3;
		} else {
			*to = *s;
		}
	}
	*to = '\0';
}

/* fn for each mount of a network namespace in the mountinfo file path. */
static void each_mount(const char *path, mount_fn *fn, void *arg)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!f)
		return;
	while (getline(&line, &size, f) > 0) {
		char root[64], point[PATH_MAX];

		if (!strstr(line, " - nsfs ") ||
		    sscanf(line, "%*d %*d %*s %63s %4095s", root, point) != 2)
			continue;
		unescape(point);
		if (inode_of_text(root))
			fn(inode_of_text(root), point, arg);
	}
	free(line);
	fclose(f);
}

static void note_name(ino_t ino, const char *path, void *arg)
{
	struct ns *ns = held(arg, ino);

	(void)path;
	if (ns)
		ns->named = true;
}

static void look_at_names(struct daemon *d)
{
	list_for_each (n, &d->namespaces)
		list_entry(n, struct ns, node)->named = false;
	each_mount("/proc/self/mountinfo", note_name, d);
	d->scan_mounts = false;
}

typedef bool pid_fn(pid_t pid, int proc, void *arg); /* false: enough */

/* fn for each process but ourselves and the engine. */
static void each_process(const struct daemon *d, pid_fn *fn, void *arg)
{
	DIR *proc = opendir("/proc");
	struct dirent *de;

	if (!proc)
		return;
	while ((de = readdir(proc))) {
		pid_t pid = isdigit((unsigned char)de->d_name[0]) ? atoi(de->d_name) : 0;

		if (pid > 0 && pid != getpid() && (!d || pid != engproc_pid(d)))
			if (!fn(pid, dirfd(proc), arg))
				break;
	}
	closedir(proc);
}

static bool lives_in(int proc, pid_t pid, ino_t ino)
{
	char path[64];

	snprintf(path, sizeof(path), "%d/ns/net", pid);
	return inode_of_link(proc, path) == ino;
}

static bool note_witness(pid_t pid, int proc, void *arg)
{
	char path[64];
	struct ns *ns;

	snprintf(path, sizeof(path), "%d/ns/net", pid);
	ns = held(arg, inode_of_link(proc, path));
	if (ns && !ns->witness)
		ns->witness = pid;
	return true;
}

/* Whether nobody is known to hold it. Witnesses are checked, not believed. */
static bool is_doubtful(struct ns *ns)
{
	if (ns->named)
		return false;
	if (ns->witness) {
		int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		bool there = proc >= 0 && lives_in(proc, ns->witness, ns->id.ino);

		if (proc >= 0)
			close(proc);
		if (there)
			return false;
		ns->witness = 0;
	}
	return true;
}

static bool any_doubtful(struct daemon *d)
{
	bool any = false;

	list_for_each (n, &d->namespaces)
		any |= is_doubtful(list_entry(n, struct ns, node));
	return any;
}

/* Namespaces that were looked at. */
struct seen {
	ino_t *ino;
	size_t n;
};

static bool is_seen(const struct seen *s, ino_t ino)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->ino[i] == ino)
			return true;
	return false;
}

/* Where memory is short it is looked at again. */
static void note_seen(struct seen *s, ino_t ino)
{
	ino_t *more = realloc(s->ino, (s->n + 1) * sizeof(ino_t));

	if (!more)
		return;
	s->ino = more;
	s->ino[s->n++] = ino;
}

typedef bool link_fn(ino_t ino, const char *path, void *arg); /* false: enough */

/* A folder of a process, and what in each entry leads to a network namespace. */
struct place {
	const char *folder, *link;
};

static const struct place threads = {"task", "/ns/net"}, descriptors = {"fd", ""};

/* fn for each entry that leads to a network namespace; path is seen from /proc. */
static void each_link(int proc, pid_t pid, const struct place *in, link_fn *fn, void *arg)
{
	char path[300];
	struct dirent *de;
	bool more = true;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "%d/%s", pid, in->folder);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return;
	while (more && (de = readdir(dir))) {
		ino_t ino;

		snprintf(path, sizeof(path), "%d/%s/%s%s", pid, in->folder, de->d_name, in->link);
		ino = inode_of_link(proc, path);
		more = !ino || fn(ino, path, arg);
	}
	closedir(dir);
}

/* The names in a mount namespace that is not ours: each is looked at once. */
static void each_foreign_mount(struct seen *seen, int proc, pid_t pid, mount_fn *fn, void *arg)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "%d/ns/mnt", pid);
	if (fstatat(proc, path, &st, 0) || is_seen(seen, st.st_ino))
		return;
	note_seen(seen, st.st_ino);
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	each_mount(path, fn, arg);
}

/* Who else has a namespace. */
struct search {
	struct ns *ns;
	struct seen mounts;
	bool found;
};

static bool note_link(ino_t ino, const char *path, void *arg)
{
	struct search *s = arg;

	(void)path;
	s->found |= ino == s->ns->id.ino;
	return !s->found;
}

static void note_foreign_name(ino_t ino, const char *path, void *arg)
{
	note_link(ino, path, arg);
}

static bool search_process(pid_t pid, int proc, void *arg)
{
	struct search *s = arg;

	each_foreign_mount(&s->mounts, proc, pid, note_foreign_name, s);
	if (!s->found)
		each_link(proc, pid, &threads, note_link, s);
	if (!s->found)
		each_link(proc, pid, &descriptors, note_link, s);
	return !s->found;
}

/* Threads, descriptors, names elsewhere: looked for only before an end. */
static bool is_held_otherwise(struct daemon *d, struct ns *ns)
{
	struct search s = {.ns = ns};

	each_process(d, search_process, &s);
	free(s.mounts.ino);
	return s.found;
}

static struct ns *first_ended(struct daemon *d)
{
	list_for_each (n, &d->namespaces) {
		struct ns *ns = list_entry(n, struct ns, node);

		if (is_doubtful(ns) && !is_held_otherwise(d, ns))
			return ns;
	}
	return NULL;
}

/* As many descriptors as a look needs at once: without them everything looks abandoned. */
static bool can_look(void)
{
	int fd[LOOK_FDS], n = 0;
	bool all;

	while (n < LOOK_FDS) {
		fd[n] = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
		if (fd[n] < 0)
			break;
		n++;
	}
	all = n == LOOK_FDS;
	while (n)
		close(fd[--n]);
	return all;
}

static void look(struct daemon *d)
{
	struct ns *ns;

	if (!can_look()) {
		log_error("no descriptors are left: namespaces are not looked at, and kept");
		return;
	}
	if (d->scan_mounts)
		look_at_names(d);
	if (any_doubtful(d))
		each_process(d, note_witness, d);
	if (!any_doubtful(d))
		return;
	while ((ns = first_ended(d))) {
		log_info("namespace %u: nobody holds it any more; let go", ns->nsid);
		follow_end(ns);
	}
}

static void on_scan(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	look(d);
	if (!list_is_empty(&d->namespaces))
		uv_timer_start(timer, on_scan, SCAN_MS, 0);
}

static void on_mounts(uv_poll_t *poll, int status, int events)
{
	struct daemon *d = poll->data;
	char buf[16];

	(void)status;
	(void)events;
	/* the event lasts until the file is read from its beginning */
	if (pread(d->mounts_fd, buf, sizeof(buf), 0) < 0)
		log_error("mounts: %s", strerror(errno));
	d->scan_mounts = true;
	if (!list_is_empty(&d->namespaces) && uv_timer_get_due_in(&d->scan) > SOON_MS)
		uv_timer_start(&d->scan, on_scan, SOON_MS, 0);
}

int scan_init(struct daemon *d)
{
	int err = uv_timer_init(&d->loop, &d->scan);

	d->scan.data = d->mounts.data = d;
	d->scan_mounts = true;
	d->mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (err || d->mounts_fd < 0)
		return err ? err : -errno;
	return uv_poll_init(&d->loop, &d->mounts, d->mounts_fd);
}

void scan_arm(struct daemon *d)
{
	bool on = !list_is_empty(&d->namespaces);

	if (on == !!uv_is_active((uv_handle_t *)&d->mounts))
		return;
	if (!on) {
		uv_poll_stop(&d->mounts);
		uv_timer_stop(&d->scan);
		return;
	}
	d->scan_mounts = true; /* nobody listened until now */
	uv_poll_start(&d->mounts, UV_PRIORITIZED, on_mounts);
	uv_timer_start(&d->scan, on_scan, SCAN_MS, 0);
}

void scan_fini(struct daemon *d)
{
	uv_close((uv_handle_t *)&d->mounts, NULL);
	uv_close((uv_handle_t *)&d->scan, NULL);
	close(d->mounts_fd);
}

struct walk {
	scan_ns_fn *fn;
	void *arg;
	struct seen seen, mounts;
	pid_t pid; /* the process that is looked at */
};

static void visit(struct walk *w, ino_t ino, const char *path)
{
	int fd;

	if (is_seen(&w->seen, ino))
		return;
	/* what is there by now may be something else: it may not make us wait */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	note_seen(&w->seen, ino);
	w->fn(fd, w->arg);
	close(fd);
}

static void visit_mount(ino_t ino, const char *path, void *arg)
{
	visit(arg, ino, path);
}

static bool visit_process(pid_t pid, int proc, void *arg)
{
	char path[64];
	ino_t ino;

	snprintf(path, sizeof(path), "%d/ns/net", pid);
	ino = inode_of_link(proc, path);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	if (ino)
		visit(arg, ino, path);
	return true;
}

void scan_each_ns(scan_ns_fn *fn, void *arg)
{
	struct walk w = {.fn = fn, .arg = arg};

	each_mount("/proc/self/mountinfo", visit_mount, &w);
	each_process(NULL, visit_process, &w);
	free(w.seen.ino);
}

static bool visit_link(ino_t ino, const char *path, void *arg)
{
	struct walk *w = arg;
	char full[340];

	snprintf(full, sizeof(full), "/proc/%s", path);
	visit(w, ino, full);
	return true;
}

/* A name is seen below the root of the process that has it mounted. */
static void visit_foreign_mount(ino_t ino, const char *point, void *arg)
{
	struct walk *w = arg;
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "/proc/%d/root%s", w->pid, point);
	visit(w, ino, path);
}

static bool visit_what_it_holds(pid_t pid, int proc, void *arg)
{
	struct walk *w = arg;

	w->pid = pid;
	each_link(proc, pid, &threads, visit_link, w);
	each_link(proc, pid, &descriptors, visit_link, w);
	each_foreign_mount(&w->mounts, proc, pid, visit_foreign_mount, w);
	return true;
}

void scan_each_held_ns(scan_ns_fn *fn, void *arg)
{
	struct walk w = {.fn = fn, .arg = arg};

	each_process(NULL, visit_what_it_holds, &w);
	free(w.seen.ino);
	free(w.mounts.ino);
}
