/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/types.h"

/* No command of a lab takes nearly as long; `tunl` itself gives up after 15 s. */
enum { CMD_TIMEOUT_MS = 25000 };

int lab_signals_hold(struct lab_signals *s)
{
	static const int held[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	sigset_t set;

	*s = (struct lab_signals){.fd = -1};
	sigemptyset(&set);
	for (size_t i = 0; i < countof(held); i++)
		sigaddset(&set, held[i]);
	sigprocmask(SIG_BLOCK, &set, &s->old);
	signal(SIGPIPE, SIG_IGN);
	s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->fd < 0 ? -errno : 0;
}

void lab_signals_release(struct lab_signals *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &s->old, NULL);
}

int lab_signals_check(struct lab_signals *s)
{
	struct signalfd_siginfo si;

	if (!s->caught && s->fd >= 0 && read(s->fd, &si, sizeof(si)) == sizeof(si))
		s->caught = (int)si.ssi_signo;
	return s->caught;
}

bool lab_self_path(char *buf, size_t len)
{
	ssize_t n = readlink("/proc/self/exe", buf, len - 1);

	if (n <= 0)
		return false;
	buf[n] = '\0';
	return true;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Where `tunl` may stand in a command: at its start, or behind ip netns exec NS. */
static void name_ourselves(char **argv, int n, char *self)
{
	int i = n > 4 && !strcmp(argv[0], "ip") && !strcmp(argv[2], "exec") ? 4 : 0;

	if (!strcmp(argv[i], "tunl"))
		argv[i] = self;
}

/* In the child: does not return. */
static void child_exec(const struct lab_signals *sig, const struct lab_words *w, int out)
{
	char self[4096];
	char *argv[LAB_WORDS + 1];
	int null = open("/dev/null", O_RDONLY);

	memcpy(argv, w->v, sizeof(argv));
	if (lab_self_path(self, sizeof(self)))
		name_ourselves(argv, w->n, self);
	/* a group of its own: Ctrl-C is ours to deal with */
	setpgid(0, 0);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &sig->old, NULL);
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* The complete lines of r->out from *shown on; with all, an unfinished one too. */
static void show_lines(struct lab_ui *ui, struct lab_result *r, size_t *shown, bool all)
{
	char *nl;

	while (ui && *shown < r->len) {
		nl = memchr(r->out + *shown, '\n', r->len - *shown);
		if (!nl && !all)
			return;
		if (nl)
			*nl = '\0';
		lab_ui_output(ui, r->out + *shown);
		*shown = nl ? (size_t)(nl - r->out) + 1 : r->len;
		if (nl)
			*nl = '\n';
	}
}

/* Read what is there. False: the command has closed its output. */
static bool read_some(int fd, struct lab_result *r)
{
	char spill[1024];
	size_t room = sizeof(r->out) - 1 - r->len;
	ssize_t n = room ? read(fd, r->out + r->len, room) : read(fd, spill, sizeof(spill));

	if (n > 0 && room) {
		r->len += (size_t)n;
		r->out[r->len] = '\0';
	}
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

struct running {
	pid_t pid;
	int out;
	double start;
	struct lab_ui *ui; /* NULL: silent */
	struct lab_signals *sig;
	unsigned flags;
};

/* Whether the command has to be ended: its time is up, or a signal came. */
static bool is_over(struct running *c, struct lab_result *r)
{
	r->timed_out = now_ms() - c->start > CMD_TIMEOUT_MS;
	r->interrupted = lab_signals_check(c->sig) && c->flags & LAB_CMD_INTERRUPTIBLE;
	return r->timed_out || r->interrupted;
}

/*
 * Read until the command has ended. What it leaves running (a daemon) may keep
 * its output open: the end of the process counts, not that of the pipe.
 */
static void follow(struct running *c, struct lab_result *r)
{
	struct pollfd p = {.fd = c->out, .events = POLLIN};
	size_t shown = 0;
	bool killed = false, open = true;
	int st = 0;

	while (waitpid(c->pid, &st, WNOHANG) == 0) {
		if (poll(&p, open ? 1 : 0, open ? 20 : 1) > 0)
			open = read_some(c->out, r);
		show_lines(c->ui, r, &shown, false);
		if (!killed && is_over(c, r)) {
			kill(-c->pid, SIGKILL);
			killed = true;
		}
	}
	while (open && poll(&p, 1, 0) > 0)
		open = read_some(c->out, r);
	show_lines(c->ui, r, &shown, true);
	r->status = WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}

int lab_cmd_run(struct lab_ui *ui, struct lab_signals *sig, const struct lab_words *w,
		unsigned flags, struct lab_result *r)
{
	struct running c = {.sig = sig, .flags = flags, .start = now_ms()};
	int pipefd[2];

	memset(r, 0, sizeof(*r));
	r->status = 127;
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return r->status;
	fflush(ui->out);
	c.pid = fork();
	if (c.pid == 0)
		child_exec(sig, w, pipefd[1]);
	close(pipefd[1]);
	c.out = pipefd[0];
	c.ui = flags & LAB_CMD_SILENT ? NULL : ui;
	if (c.pid > 0)
		follow(&c, r);
	close(pipefd[0]);
	r->ms = now_ms() - c.start;
	return r->status;
}

const char *lab_result_last_line(const struct lab_result *r, char *buf, size_t len)
{
	const char *end = r->out + r->len, *start;
	size_t n;

	while (end > r->out && (end[-1] == '\n' || end[-1] == ' '))
		end--;
	start = end;
	while (start > r->out && start[-1] != '\n')
		start--;
	n = min_of((size_t)(end - start), len - 1);
	memcpy(buf, start, n);
	buf[n] = '\0';
	return buf;
}
