/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/engproc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/engine_event.h"
#include "daemon/numbers.h"
#include "daemon/reconcile.h"
#include "daemon/shared.h"
#include "engine/engine.h"
#include "lib/log.h"

enum {
	READY_MS = 3000, /* until a new engine must have said so */
	SEND_MS = 1000,	 /* until a full channel means that it hangs */
	END_MS = 1000,	 /* until an engine that is to end is killed */
	BACKOFF_MAX_MS = 10000,
	LIVED_MS = 10000, /* an engine that lived so long died of something new */
};

struct engine {
	struct daemon *daemon;
	/* of the engine that lives; each is freed when libuv has let go of it */
	uv_process_t *process;
	uv_poll_t *channel;
	uv_timer_t again;
	int fd; /* our end; -1: no engine */
	bool running, ready;
	bool ending; /* not to be started again */
	u64 started_ms;
	u32 backoff_ms;
};

bool engproc_is_ready(const struct daemon *d)
{
	return d->engine && d->engine->ready;
}

pid_t engproc_pid(const struct daemon *d)
{
	return d->engine && d->engine->running ? d->engine->process->pid : 0;
}

/* A new engine knows nothing. */
static void forget_told(struct daemon *d)
{
	list_for_each (n, &d->namespaces)
		list_entry(n, struct ns, node)->engine_has = false;
	list_for_each (n, &d->tunnels)
		list_entry(n, struct tunnel, node)->engine_has = false;
}

static void handle_free(uv_handle_t *h)
{
	free(h);
}

static void channel_close(struct engine *en)
{
	if (en->fd < 0)
		return;
	uv_poll_stop(en->channel);
	uv_close((uv_handle_t *)en->channel, handle_free);
	close(en->fd);
	en->channel = NULL;
	en->fd = -1;
	en->ready = false;
}

static int spawn(struct engine *en, struct err *e);

static void on_again(uv_timer_t *timer)
{
	struct err e;

	if (spawn(timer->data, &e))
		log_error("engine: %s", e.text);
}

static void start_again(struct engine *en)
{
	bool lived = uv_now(&en->daemon->loop) - en->started_ms > LIVED_MS;

	if (lived)
		en->backoff_ms = 0;
	uv_timer_start(&en->again, on_again, en->backoff_ms, 0);
	en->backoff_ms = min_of(en->backoff_ms ? en->backoff_ms * 2 : 100, (u32)BACKOFF_MAX_MS);
}

static void on_exit_of_engine(uv_process_t *process, int64_t status, int signal)
{
	struct engine *en = process->data;

	uv_close((uv_handle_t *)process, handle_free);
	en->process = NULL;
	en->running = false;
	channel_close(en);
	forget_told(en->daemon);
	if (en->ending)
		return;
	log_error("engine: ended with %s %d; it is started again", signal ? "signal" : "status",
		  signal ? signal : (int)status);
	start_again(en);
}

static void got_ready(struct engine *en)
{
	en->ready = true;
	numbers_tell(en->daemon);
	reconcile_all(en->daemon);
}

/* One event, if there is one. False: nothing (more) to read. */
static bool read_event(struct engine *en)
{
	struct engine_event ev;
	ssize_t n = recv(en->fd, &ev, sizeof(ev), MSG_DONTWAIT);

	if (n != sizeof(ev))
		return n > 0; /* what is not an event of ours is passed over */
	if (ev.op == ENGINE_READY && !en->ready)
		got_ready(en);
	else if (ev.op != ENGINE_READY)
		engine_event(en->daemon, &ev);
	return true;
}

static void on_channel(uv_poll_t *poll, int status, int events)
{
	struct engine *en = poll->data;

	(void)status;
	(void)events;
	for (int i = 0; i < 64 && en->fd >= 0; i++)
		if (!read_event(en))
			break;
}

static void child_options(uv_process_options_t *o, uv_stdio_container_t *io, char **args)
{
	*o = (uv_process_options_t){
		.exit_cb = on_exit_of_engine,
		.file = "/proc/self/exe",
		.args = args,
		.stdio = io,
		.stdio_count = ENGINE_SHARED_FD + 1,
	};
}

static int spawn_with(struct engine *en, int child_fd)
{
	static char name[] = "tunld", arg[] = "--engine";
	char *args[] = {name, arg, NULL};
	uv_stdio_container_t io[ENGINE_SHARED_FD + 1];
	uv_process_options_t o;
	int err;

	for (int i = 0; i <= STDERR_FILENO; i++)
		io[i] = (uv_stdio_container_t){UV_INHERIT_FD, {.fd = i}};
	io[ENGINE_FD] = (uv_stdio_container_t){UV_INHERIT_FD, {.fd = child_fd}};
	io[ENGINE_SHARED_FD] =
		(uv_stdio_container_t){UV_INHERIT_FD, {.fd = shared_fd(en->daemon->shared)}};
	child_options(&o, io, args);
	en->process = calloc(1, sizeof(*en->process));
	if (!en->process)
		return -ENOMEM;
	en->process->data = en;
	err = uv_spawn(&en->daemon->loop, en->process, &o);
	if (err) {
		uv_close((uv_handle_t *)en->process, handle_free);
		en->process = NULL;
	}
	return err;
}

static int listen_to(struct engine *en, int fd)
{
	int err;

	en->channel = calloc(1, sizeof(*en->channel));
	if (!en->channel)
		return -ENOMEM;
	err = uv_poll_init(&en->daemon->loop, en->channel, fd);
	if (err) {
		free(en->channel);
		en->channel = NULL;
		return err;
	}
	en->channel->data = en;
	en->fd = fd;
	return uv_poll_start(en->channel, UV_READABLE, on_channel);
}

static int spawn(struct engine *en, struct err *e)
{
	int size = 1 << 20, sv[2], err;

	en->started_ms = uv_now(&en->daemon->loop);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv))
		return err_set(e, errno, "no channel: %s", strerror(errno));
	setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	err = spawn_with(en, sv[1]);
	close(sv[1]);
	if (!err) {
		en->running = true;
		err = listen_to(en, sv[0]);
	}
	if (err) {
		if (en->fd != sv[0])
			close(sv[0]);
		start_again(en);
		return err_set(e, -err, "cannot be started: %s", uv_strerror(err));
	}
	return 0;
}

int engproc_start(struct daemon *d, struct err *e)
{
	struct engine *en = calloc(1, sizeof(*en));

	if (!en)
		return err_set(e, ENOMEM, "out of memory");
	en->daemon = d;
	en->fd = -1;
	uv_timer_init(&d->loop, &en->again);
	en->again.data = en;
	d->engine = en;
	return spawn(en, e);
}

/* Let the loop take in what happens until cond, or ms are over. */
int engproc_ensure(struct daemon *d, struct err *e)
{
	struct engine *en = d->engine;
	u64 end;

	if (en->ready)
		return 0;
	if (!en->running && spawn(en, e))
		return -e->code;
	uv_timer_stop(&en->again);
	uv_update_time(&d->loop);
	end = uv_now(&d->loop) + READY_MS;
	while (!en->ready && uv_now(&d->loop) < end && en->fd >= 0) {
		struct pollfd p = {.fd = en->fd, .events = POLLIN};

		if (poll(&p, 1, 100) > 0 && !read_event(en))
			break;
		uv_update_time(&d->loop);
	}
	return en->ready ? 0 : err_set(e, EAGAIN, "the engine does not start: the log tells more");
}

static void engine_freed(uv_handle_t *h)
{
	free(h->data);
}

void engproc_end(struct daemon *d)
{
	struct engine *en = d->engine;
	pid_t pid;

	if (!en)
		return;
	en->ending = true;
	pid = engproc_pid(d);
	channel_close(en); /* it ends when its parent's end is closed */
	for (int i = 0; pid && i < END_MS / 10; i++) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			pid = 0;
		else
			poll(NULL, 0, 10);
	}
	if (pid) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (en->process)
		uv_close((uv_handle_t *)en->process, handle_free);
	uv_close((uv_handle_t *)&en->again, engine_freed);
	d->engine = NULL;
}

static int send_bytes(struct daemon *d, const struct iovec *what, const int *fds, size_t nfds)
{
	struct engine *en = d->engine;
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * ENGINE_NS_FDS)];
	} ctl = {0};
	struct iovec iov = *what;
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (!en || !en->ready)
		return -ENOTCONN;
	if (nfds) {
		struct cmsghdr *c = &ctl.align;

		msg.msg_control = ctl.buf;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
	}
	while (sendmsg(en->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		struct pollfd p = {.fd = en->fd, .events = POLLOUT};

		if (errno == EAGAIN && poll(&p, 1, SEND_MS) > 0)
			continue;
		if (errno != EAGAIN)
			return -errno;
		log_error("engine: takes no orders; it is ended");
		kill(en->process->pid, SIGKILL);
		return -ETIMEDOUT;
	}
	return 0;
}

int engproc_send(struct daemon *d, const struct engine_msg *m, const int *fds, size_t nfds)
{
	return send_bytes(d, &(struct iovec){(void *)m, sizeof(*m)}, fds, nfds);
}

int engproc_send_xfrm(struct daemon *d, const struct engine_xfrm_msg *m)
{
	return send_bytes(d, &(struct iovec){(void *)m, sizeof(*m)}, NULL, 0);
}
