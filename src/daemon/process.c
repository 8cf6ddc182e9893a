/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/num.h"

enum { BACKLOG = 128, LISTEN_FDS_START = 3 };

/* Set in the environment of a successor (process_again). */
static const char LOCK_ENV[] = "TUNL_LOCK_FD", LISTEN_ENV[] = "TUNL_LISTEN_FD";

static char program[PATH_MAX];

void process_remember_path(void)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	program[n > 0 ? n : 0] = '\0';
}

/* What the child wrote (it is reachable) or did not (it ended). */
static void wait_for_word(int fd, pid_t child)
{
	char word;
	int status = 1;

	if (read(fd, &word, 1) == 1)
		_exit(0);
	if (waitpid(child, &status, 0) == child && WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	_exit(1);
}

/* Standard input, output and error to nowhere; whoever started us may watch the latter. */
static int become_silent(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int said = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (null < 0)
		return -errno;
	for (int i = 0; i <= STDERR_FILENO; i++)
		dup2(null, i);
	if (null > STDERR_FILENO)
		close(null);
	return said;
}

int process_background(struct starter *st)
{
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	child = fork();
	if (child < 0)
		return -errno;
	if (child) {
		close(fds[1]);
		wait_for_word(fds[0], child);
	}
	close(fds[0]);
	setsid();
	st->word = fds[1];
	st->messages = become_silent();
	return 0;
}

void process_ready(struct starter *st)
{
	if (st->word >= 0 && write(st->word, "", 1) < 0)
		log_info("whoever started tunld does not wait for it");
	process_release(st);
}

void process_release(struct starter *st)
{
	if (st->word >= 0)
		close(st->word);
	if (st->messages >= 0)
		close(st->messages);
	st->word = st->messages = -1;
}

void process_complain(const struct starter *st, const char *text)
{
	if (st->messages >= 0)
		dprintf(st->messages, "tunld: %s\n", text);
}

bool process_is_successor(void)
{
	return getenv(LOCK_ENV) != NULL;
}

/* A descriptor that a predecessor left us under that name; -1: none. */
static int inherited(const char *env)
{
	const char *text = getenv(env);
	u32 fd;

	if (!text || !num_dec(text, 1 << 20, &fd))
		return -1;
	unsetenv(env);
	return fcntl((int)fd, F_SETFD, FD_CLOEXEC) ? -1 : (int)fd;
}

int process_lock(const char *rundir)
{
	char path[PATH_LEN];
	int fd = inherited(LOCK_ENV);

	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "%s/lock", rundir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* systemd's socket: the first of LISTEN_FDS, where LISTEN_PID is us. */
static int activated(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	bool ours = pid && fds && atol(pid) == (long)getpid() && atoi(fds) >= 1;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!ours)
		return -1;
	fcntl(LISTEN_FDS_START, F_SETFD, FD_CLOEXEC);
	return LISTEN_FDS_START;
}

static int bind_to(int fd, const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct group *g = getgrnam("tunl");
	mode_t mask;
	int err;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);
	unlink(path); /* a dead predecessor's: we have the lock */
	mask = umask(0117);
	err = bind(fd, (struct sockaddr *)&sun, sizeof(sun)) ? -errno : 0;
	umask(mask);
	if (!err && g && chown(path, (uid_t)-1, g->gr_gid))
		log_info("the socket cannot be given to group tunl: %s", strerror(errno));
	return err ? err : listen(fd, BACKLOG) ? -errno : 0;
}

int process_listen(const char *rundir, struct err *e)
{
	char path[PATH_LEN];
	int fd = inherited(LISTEN_ENV), err;

	if (fd < 0)
		fd = activated();
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "%s/control", rundir);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, errno, "no socket: %s", strerror(errno));
	err = bind_to(fd, path);
	if (!err)
		return fd;
	close(fd);
	return err_set(e, -err, "%s cannot be listened on: %s", path, strerror(-err));
}

static void hand_on(const char *env, int fd)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", fd);
	if (fcntl(fd, F_SETFD, 0) == 0)
		setenv(env, text, 1);
}

void process_again(char **argv, int lock_fd, int listen_fd)
{
	hand_on(LOCK_ENV, lock_fd);
	hand_on(LISTEN_ENV, listen_fd);
	execv(program, argv);
	log_error("cannot start %s anew: %s", program, strerror(errno));
}
