/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Load from one network namespace to another, and what came of it, as one JSON
 * object on standard output:
 *
 *	load burst FROM TO ADDR COUNT	COUNT datagrams of 64 bytes, BURST at a time, each
 *					burst awaited: no queue ever runs over
 *	load rate FROM TO ADDR COUNT RATE	the same, RATE a second, awaited by nobody
 *	load stream FROM TO ADDR COUNT	one TCP stream of COUNT megabytes
 *	load echo FROM TO ADDR COUNT	COUNT datagrams there and back, one at a time
 *
 * FROM and TO are files of namespaces (/run/netns/a), ADDR is TO's. A process
 * sends and its child receives, but for `burst`, which does both in one, so that
 * nothing but the path is in the figure.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "marker.h"

enum {
	PORT = 5999,
	DATAGRAM = 64,
	BURST = 16,
	CHUNK = 128 << 10,
	WAIT_MS = 300, /* for a packet that may have been lost */
	BUFFER = 4 << 20,
};

/* What the two processes share. */
struct shared {
	volatile uint64_t received;
	volatile uint64_t last_ns;
	volatile int ready;
};

struct load {
	const char *from, *to;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	uint64_t count, rate;
	struct shared *shared;
	int out, in;
};

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void enter(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

static int open_socket(const char *ns, int type, const struct load *l)
{
	int fd, size = BUFFER, one = 1;

	enter(ns);
	fd = socket(l->addr.ss_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	if (type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd;
}

static void bind_in(const struct load *l)
{
	if (bind(l->in, (const struct sockaddr *)&l->addr, l->addr_len))
		die("bind");
}

static void connect_out(const struct load *l)
{
	if (connect(l->out, (const struct sockaddr *)&l->addr, l->addr_len))
		die("connect");
}

static void open_pair(struct load *l, int type)
{
	l->in = open_socket(l->to, type, l);
	bind_in(l);
	l->out = open_socket(l->from, type, l);
	if (type == SOCK_DGRAM)
		connect_out(l);
}

/* CPU time of this process and of its children that ended. */
static double cpu_seconds(void)
{
	struct rusage r[2];
	double sum = 0;

	getrusage(RUSAGE_SELF, &r[0]);
	getrusage(RUSAGE_CHILDREN, &r[1]);
	for (int i = 0; i < 2; i++)
		sum += (double)(r[i].ru_utime.tv_sec + r[i].ru_stime.tv_sec) +
		       (double)(r[i].ru_utime.tv_usec + r[i].ru_stime.tv_usec) / 1e6;
	return sum;
}

/* One datagram, or false after WAIT_MS. */
static int take(int fd, void *buf, size_t size)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (recv(fd, buf, size, MSG_DONTWAIT) >= 0)
		return 1;
	if (poll(&p, 1, WAIT_MS) <= 0)
		return 0;
	return recv(fd, buf, size, MSG_DONTWAIT) >= 0;
}

/* In the virtual machine the parts of what runs between two calls are counted. */
static void mark(void)
{
	static void (*marker)(void);
	void *page;

	if (!marker) {
		page = mmap((void *)MARKER_ADDRESS, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (page == MAP_FAILED)
			die("mmap");
#ifdef __x86_64__
		*(unsigned char *)page = 0xc3;
#else
		return;
#endif
		marker = (void (*)(void))MARKER_ADDRESS;
	}
	marker();
}

static void burst(struct load *l)
{
	char buf[DATAGRAM] = {0};
	uint64_t begun, got = 0;

	open_pair(l, SOCK_DGRAM);
	mark();
	begun = now_ns();
	for (uint64_t i = 0; i < l->count; i += BURST) {
		int lost = 0;

		for (int k = 0; k < BURST; k++)
			send(l->out, buf, sizeof(buf), 0);
		for (int k = 0; k < BURST && !lost; k++) {
			lost = !take(l->in, buf, sizeof(buf));
			got += !lost;
		}
	}
	begun = now_ns() - begun;
	mark();
	printf("{\"sent\": %ju, \"received\": %ju, \"ns\": %ju, \"cpu\": %.4f}\n",
	       (uintmax_t)((l->count + BURST - 1) / BURST * BURST), (uintmax_t)got,
	       (uintmax_t)begun, cpu_seconds());
}

static void count_datagrams(struct load *l)
{
	struct mmsghdr m[BURST] = {0};
	char buf[BURST][DATAGRAM];
	struct iovec iov[BURST];
	int n;

	for (int i = 0; i < BURST; i++) {
		iov[i] = (struct iovec){buf[i], DATAGRAM};
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	l->shared->ready = 1;
	while ((n = recvmmsg(l->in, m, BURST, MSG_WAITFORONE, NULL)) > 0) {
		l->shared->received += (uint64_t)n;
		l->shared->last_ns = now_ns();
	}
}

/* The child does that until it is ended. */
static pid_t start(struct load *l, void (*work)(struct load *))
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		work(l);
		exit(0);
	}
	while (!l->shared->ready)
		usleep(1000);
	return pid;
}

static void finish(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

/* Datagrams due by now are sent; then it sleeps until the next are. */
static void rate(struct load *l)
{
	char buf[DATAGRAM] = {0};
	uint64_t begun, sent = 0, seen;
	pid_t pid;

	open_pair(l, SOCK_DGRAM);
	pid = start(l, count_datagrams);
	begun = now_ns();
	while (sent < l->count) {
		uint64_t due = (now_ns() - begun) * l->rate / 1000000000;

		for (; sent < due && sent < l->count; sent++)
			send(l->out, buf, sizeof(buf), MSG_DONTWAIT);
		usleep(100);
	}
	begun = now_ns() - begun;
	do {
		seen = l->shared->received;
		usleep(WAIT_MS * 1000);
	} while (seen != l->shared->received);
	finish(pid);
	printf("{\"sent\": %ju, \"received\": %ju, \"ns\": %ju, \"cpu\": %.4f}\n", (uintmax_t)sent,
	       (uintmax_t)seen, (uintmax_t)begun, cpu_seconds());
}

static void read_stream(struct load *l)
{
	static char buf[CHUNK];
	ssize_t n;
	int fd;

	if (listen(l->in, 1))
		die("listen");
	l->shared->ready = 1;
	fd = accept(l->in, NULL, NULL);
	if (fd < 0)
		die("accept");
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		l->shared->received += (uint64_t)n;
	l->shared->last_ns = now_ns();
}

static void stream(struct load *l)
{
	static char buf[CHUNK];
	uint64_t want = l->count << 20, begun;
	pid_t pid;

	open_pair(l, SOCK_STREAM);
	pid = start(l, read_stream);
	connect_out(l);
	begun = now_ns();
	for (uint64_t sent = 0; sent < want;) {
		ssize_t n = send(l->out, buf, sizeof(buf), MSG_NOSIGNAL);

		if (n < 0)
			die("send");
		sent += (uint64_t)n;
	}
	shutdown(l->out, SHUT_WR); /* the child has it, too: closing ends nothing */
	waitpid(pid, NULL, 0);
	printf("{\"bytes\": %ju, \"ns\": %ju, \"cpu\": %.4f}\n", (uintmax_t)l->shared->received,
	       (uintmax_t)(l->shared->last_ns - begun), cpu_seconds());
}

static void answer(struct load *l)
{
	struct sockaddr_storage from;
	char buf[DATAGRAM];

	l->shared->ready = 1;
	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(l->in, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

		if (n < 0)
			die("recvfrom");
		sendto(l->in, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void echo(struct load *l)
{
	uint64_t *ns = calloc(l->count + 1, sizeof(*ns)), got = 0;
	char buf[DATAGRAM] = {0};
	pid_t pid;

	if (!ns)
		die("memory");
	open_pair(l, SOCK_DGRAM);
	pid = start(l, answer);
	for (uint64_t i = 0; i < l->count; i++) {
		uint64_t begun = now_ns();

		send(l->out, buf, sizeof(buf), 0);
		if (take(l->out, buf, sizeof(buf)))
			ns[got++] = now_ns() - begun;
		usleep(500); /* low load: everything is idle again */
	}
	finish(pid);
	qsort(ns, got, sizeof(*ns), by_size);
	printf("{\"sent\": %ju, \"received\": %ju, \"median_ns\": %ju, \"p99_ns\": %ju}\n",
	       (uintmax_t)l->count, (uintmax_t)got, (uintmax_t)ns[got / 2],
	       (uintmax_t)ns[got * 99 / 100]);
	free(ns);
}

static void read_address(struct load *l, const char *text)
{
	struct sockaddr_in *v4 = (void *)&l->addr;
	struct sockaddr_in6 *v6 = (void *)&l->addr;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(PORT);
		l->addr_len = sizeof(*v4);
	} else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(PORT);
		l->addr_len = sizeof(*v6);
	} else {
		fprintf(stderr, "load: %s is no address\n", text);
		exit(2);
	}
}

static const struct {
	const char *word;
	void (*run)(struct load *l);
} kinds[] = {{"burst", burst}, {"rate", rate}, {"stream", stream}, {"echo", echo}};

int main(int argc, char **argv)
{
	struct load l = {0};

	if (argc < 6) {
		fprintf(stderr, "usage: load burst|rate|stream|echo FROM TO ADDR COUNT [RATE]\n");
		return 2;
	}
	l.from = argv[2];
	l.to = argv[3];
	read_address(&l, argv[4]);
	l.count = strtoull(argv[5], NULL, 10);
	l.rate = argc > 6 ? strtoull(argv[6], NULL, 10) : 100000;
	l.shared = mmap(NULL, sizeof(*l.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (l.shared == MAP_FAILED)
		die("mmap");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(argv[1], kinds[i].word)) {
			kinds[i].run(&l);
			return 0;
		}
	fprintf(stderr, "load: no kind %s\n", argv[1]);
	return 2;
}
