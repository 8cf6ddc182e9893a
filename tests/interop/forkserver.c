/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a program, runs its main() again and again, each time in a child
 * of its own, so that thousands of short calls do without exec and dynamic linking
 * (the greater part of their time, where every instruction is emulated).
 *
 * One request a datagram on the socket FORKSERVER_FD: the words of the command line,
 * each ended by a NUL; with a descriptor attached the server first enters that network
 * namespace (no words: nothing more). The answer is the wait status, an int. Standard
 * output and error are the descriptors that the server was started with.
 */
#include <dlfcn.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REQUEST_MAX = 65536, WORDS_MAX = 512 };

typedef int main_function(int, char **, char **);
static main_function *real_main;

/* Enters the namespace of an attached descriptor, if there is one. */
static void enter(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd;

	if (!c || c->cmsg_type != SCM_RIGHTS)
		return;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	if (setns(fd, CLONE_NEWNET)) {
		perror("forkserver: setns");
		_exit(2);
	}
	close(fd);
}

/* Splits the request into words; their number. */
static int split(char *text, size_t len, char **words)
{
	int n = 0;

	for (size_t at = 0; at < len && n < WORDS_MAX; at += strlen(text + at) + 1)
		words[n++] = text + at;
	words[n] = NULL;
	return n;
}

static int run(int sock, char *text, size_t len, char **env)
{
	static char *words[WORDS_MAX + 1];
	int n = split(text, len, words), status = 0;
	pid_t pid;

	if (n == 0)
		return 0;
	pid = fork();
	if (pid == 0) {
		close(sock);
		exit(real_main(n, words, env));
	}
	waitpid(pid, &status, 0);
	return status;
}

static int serve(int argc, char **argv, char **env)
{
	static char text[REQUEST_MAX + 1];
	int sock = atoi(getenv("FORKSERVER_FD"));

	(void)argc;
	(void)argv;
	unsetenv("LD_PRELOAD");
	unsetenv("FORKSERVER_FD");
	for (;;) {
		union {
			char space[CMSG_SPACE(sizeof(int))];
			struct cmsghdr align;
		} ctl;
		struct iovec iov = {text, REQUEST_MAX};
		struct msghdr m = {.msg_iov = &iov,
				   .msg_iovlen = 1,
				   .msg_control = &ctl,
				   .msg_controllen = sizeof(ctl)};
		ssize_t len = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
		int status;

		if (len <= 0)
			return 0;
		text[len] = 0;
		enter(&m);
		status = run(sock, text, text[0] == 0 && len == 1 ? 0 : (size_t)len, env);
		if (send(sock, &status, sizeof(status), 0) < 0)
			return 1;
	}
}

int __libc_start_main(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void),
		      void *);
int __libc_start_main(main_function *program, int argc, char **argv, void (*init)(void),
		      void (*fini)(void), void (*rtld_fini)(void), void *stack)
{
	__typeof__(__libc_start_main) *start = dlsym(RTLD_NEXT, "__libc_start_main");

	real_main = program;
	return start(getenv("FORKSERVER_FD") ? serve : program, argc, argv, init, fini, rtld_fini,
		     stack);
}
