/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process without rights. A page is asked for once for all who want one within a
 * second. Who does not read, or says nothing, is let go after SERVER_PATIENCE_S.
 */
#include <errno.h>
#include <grp.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/types.h"
#include "metrics/metrics.h"

enum {
	SERVER_CLIENTS = 16, /* at once; further ones wait in the backlog */
	SERVER_PATIENCE_S = 10,
	SERVER_MEMORY = 16384, /* of a connection: longer requests are refused */
	PAGE_MS = 1000,	       /* a page is fresh for so long */
	PAGE_MAX = 1 << 28,
	NOBODY = 65534,
};

struct server {
	int feed;
	struct MHD_Response *page; /* NULL: none yet */
	s64 page_ms;
};

static s64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (s64)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* All n bytes, or false; feed has a time-out. */
static bool read_all(int feed, void *to, size_t n)
{
	ssize_t got;

	for (u8 *at = to; n; at += got, n -= (size_t)got) {
		got = read(feed, at, n);
		if (got <= 0)
			return false;
	}
	return true;
}

/*
 * A new page in *text, malloc()ed. False: it cannot be had. A feeder that failed once is
 * out of step: no further answer of it would be understood.
 */
static bool fetch(struct server *s, char **text, u32 *len)
{
	if (write(s->feed, "p", 1) != 1 || !read_all(s->feed, len, sizeof(*len)) || *len > PAGE_MAX)
		return false;
	*text = malloc(*len + 1);
	return *text && read_all(s->feed, *text, *len);
}

static void refresh(struct server *s)
{
	char *text = NULL;
	u32 len = 0;

	if (s->page && now_ms() < s->page_ms + PAGE_MS)
		return;
	if (!fetch(s, &text, &len))
		_exit(1); /* the feeder ends with us, and whoever supervises it starts both */
	if (s->page)
		MHD_destroy_response(s->page); /* freed when the last who is sent it has it */
	s->page = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
	if (!s->page)
		_exit(1);
	MHD_add_response_header(s->page, "Content-Type", "text/plain; version=0.0.4");
	s->page_ms = now_ms();
}

static enum MHD_Result say(struct MHD_Connection *c, unsigned status, const char *text)
{
	struct MHD_Response *r =
		MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result rc = r ? MHD_queue_response(c, status, r) : MHD_NO;

	if (r)
		MHD_destroy_response(r);
	return rc;
}

/* Called by libmicrohttpd for each request, first without its body. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *body,
				  size_t *body_len, void **req)
{
	struct server *s = ctx;
	static int begun;

	(void)version;
	(void)body;
	if (!*req) {
		*req = &begun;
		return MHD_YES;
	}
	if (*body_len)
		return MHD_NO;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return say(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n");
	if (strcmp(url, "/metrics") != 0)
		return say(c, MHD_HTTP_NOT_FOUND, "it is /metrics\n");
	refresh(s);
	return MHD_queue_response(c, MHD_HTTP_OK, s->page);
}

/* Nothing is left but the two sockets. */
static bool drop_rights(void)
{
	const struct rlimit files = {SERVER_CLIENTS + 32, SERVER_CLIENTS + 32};

	if (geteuid() == 0 && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
			       setresuid(NOBODY, NOBODY, NOBODY)))
		return false;
	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !setrlimit(RLIMIT_NOFILE, &files) &&
	       !prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int server_run(int listener, int feed)
{
	const struct timeval patience = {.tv_sec = 2 * SERVER_PATIENCE_S};
	struct server s = {.feed = feed};
	struct MHD_Daemon *d;

	signal(SIGPIPE, SIG_IGN);
	setsockopt(feed, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	/* a change of user forgets the signal: it comes after */
	if (!drop_rights() || prctl(PR_SET_PDEATHSIG, SIGKILL))
		return 1;
	d = MHD_start_daemon(MHD_USE_POLL | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL,
			     on_request, &s, MHD_OPTION_LISTEN_SOCKET, listener,
			     MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CLIENTS,
			     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SERVER_PATIENCE_S,
			     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVER_MEMORY,
			     MHD_OPTION_END);
	if (!d)
		return 1;
	for (;;)
		pause();
}
