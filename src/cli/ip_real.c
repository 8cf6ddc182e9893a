/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real ip: the next `ip` in PATH after ourselves. "Ourselves" is the file
 * that /proc/self/exe is, whatever links lead to it. Only what comes after our
 * own place in PATH is looked at, so that two installations of tunl in one PATH
 * do not hand a call back and forth.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/ip_call.h"
#include "lib/num.h"

enum { STATUS_NOT_RUN = 126, STATUS_NOT_FOUND = 127 };

struct search {
	struct stat self;
	bool have_self, past_self; /* we have gone by our own entry */
	char first[PATH_MAX];	   /* before ourselves: taken where we are not in PATH */
};

/* One candidate. True: this is the one. */
static bool search_try(struct search *s, const char *dir, int len, char *path)
{
	struct stat st;

	if (snprintf(path, PATH_MAX, "%.*s/ip", len ? len : 1, len ? dir : ".") >= PATH_MAX)
		return false;
	if (stat(path, &st) < 0)
		return false;
	if (s->have_self && st.st_dev == s->self.st_dev && st.st_ino == s->self.st_ino) {
		s->past_self = true;
		return false;
	}
	if (!S_ISREG(st.st_mode) || access(path, X_OK) < 0)
		return false;
	if (!s->past_self && !s->first[0])
		strcpy(s->first, path);
	return s->past_self;
}

static bool search_list(struct search *s, const char *list, char *path)
{
	for (;;) {
		int len = strcspn(list, ":");

		if (search_try(s, list, len, path))
			return true;
		if (!list[len])
			return false;
		list += len + 1;
	}
}

/* Path of the real ip into path (PATH_MAX). */
static bool real_find(char *path)
{
	struct search s = {0};
	const char *list = getenv("PATH");

	/* without /proc: by the name we were started by */
	s.have_self = stat("/proc/self/exe", &s.self) == 0 ||
		      stat((const char *)getauxval(AT_EXECFN), &s.self) == 0;
	if (list && search_list(&s, list, path))
		return true;
	if (!s.past_self && s.first[0]) {
		strcpy(path, s.first);
		return true;
	}
	s.past_self = true;
	return search_list(&s, "/usr/sbin:/sbin:/bin", path);
}

int ip_real_exec(char **argv)
{
	char path[PATH_MAX];

	if (!real_find(path)) {
		fprintf(stderr,
			"tunl: there is no other \"ip\" in PATH, /usr/sbin, /sbin or /bin to do "
			"this: install iproute2\n");
		return STATUS_NOT_FOUND;
	}
	execv(path, argv);
	fprintf(stderr, "tunl: cannot run %s: %s\n", path, strerror(errno));
	return STATUS_NOT_RUN;
}

static void child_run(char **argv, const struct ip_fds *fds)
{
	const int from[] = {fds->in, fds->out, fds->err};
	int i;

	for (i = 0; i < 3; i++)
		if (from[i] >= 0 && from[i] != i && dup2(from[i], i) < 0)
			_exit(STATUS_NOT_RUN);
	signal(SIGPIPE, SIG_DFL);
	_exit(ip_real_exec(argv));
}

pid_t ip_real_spawn(char **argv, const struct ip_fds *fds)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child_run(argv, fds);
	if (pid < 0) {
		pid = -errno;
		fprintf(stderr, "tunl: cannot start ip: %s\n", strerror(errno));
	}
	return pid;
}

int ip_real_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return STATUS_NOT_RUN;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Enter the namespace that a file is of; errno says why not. */
static bool netns_enter_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && setns(fd, CLONE_NEWNET) == 0;
	int err = errno;

	if (fd >= 0)
		close(fd);
	errno = err;
	return ok;
}

bool ip_netns_enter(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	if (netns_enter_path(path))
		return true;
	fprintf(stderr,
		access(path, R_OK) < 0 ? "Cannot open network namespace \"%s\": %s\n"
				       : "setting the network namespace \"%s\" failed: %s\n",
		name, strerror(errno));
	return false;
}

bool ip_netns_of_word(const char *word)
{
	char path[PATH_MAX];
	u32 pid;

	snprintf(path, sizeof(path), "%s%s", strchr(word, '/') ? "" : "/run/netns/", word);
	if (netns_enter_path(path))
		return true;
	if (num_u32(word, 0x7fffffff, &pid)) {
		snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
		if (netns_enter_path(path))
			return true;
	}
	fprintf(stderr, "Error: argument \"%s\" is wrong: Invalid \"netns\" value\n\n", word);
	return false;
}
