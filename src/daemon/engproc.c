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
#include "daemon/netns.h"
#include "daemon/priv.h"
#include "daemon/reconcile.h"
#include "daemon/shared.h"
#include "engine/engine.h"
#include "engine/sockets.h"
#include "lib/log.h"
#include "model/modes.h"
#include "model/tunnel.h"

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

/* -errno: it is dead or hangs; its end is then noticed by itself. */
static int send_msg(struct engine *en, const struct engine_msg *m, const int *fds, size_t nfds)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * ENGINE_NS_FDS)];
	} ctl = {0};
	struct iovec iov = {(void *)m, sizeof(*m)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (!en->ready)
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

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* The descriptors of ENGINE_NS_ADD; the namespace is entered. How many, or -errno. */
static int open_ns_fds(int fds[ENGINE_NS_FDS])
{
	int n = ENGINE_NS_FDS;
	struct rtnl r = {.fd = -1};
	int err;

	fds[0] = engine_open_packet();
	fds[1] = engine_open_raw_out(0);
	fds[2] = engine_open_icmp();
	err = rtnl_open(&r);
	fds[3] = err ? err : r.fd;
	fds[4] = engine_open_icmp6();
	if (fds[4] == -EAFNOSUPPORT)
		n--;
	for (int i = 0; i < n; i++) {
		if (fds[i] < 0) {
			err = fds[i];
			close_all(fds, ENGINE_NS_FDS);
			return err;
		}
	}
	return n;
}

static int ns_add(struct ns *ns)
{
	struct engine_msg m = {.op = ENGINE_NS_ADD, .nsid = ns->nsid};
	int fds[ENGINE_NS_FDS];
	int n = open_ns_fds(fds), err;

	if (n < 0)
		return n;
	err = send_msg(ns->daemon->engine, &m, fds, (size_t)n);
	close_all(fds, (size_t)n);
	ns->engine_has = !err;
	memset(ns->engine_protos, 0, sizeof(ns->engine_protos));
	ns->nmarks = 0;
	return err;
}

/* The guard of an outer protocol, once. */
static int proto_add(struct ns *ns, u8 proto)
{
	struct engine_msg m = {.op = ENGINE_PROTO_ADD, .nsid = ns->nsid, .proto = proto};
	int fd, err;

	if (ns->engine_protos[proto / 8] & 1U << proto % 8)
		return 0;
	fd = engine_open_guard(proto);
	if (fd < 0)
		return fd;
	err = send_msg(ns->daemon->engine, &m, &fd, 1);
	close(fd);
	if (!err)
		ns->engine_protos[proto / 8] |= (u8)(1U << proto % 8);
	return err;
}

/* A raw socket with the mark, before the first tunnel that has it. */
static int mark_add(struct ns *ns, u32 mark)
{
	struct engine_msg m = {.op = ENGINE_MARK_ADD, .nsid = ns->nsid, .cfg.fwmark = mark};
	int fd, err;

	for (u32 i = 0; i < min_of(ns->nmarks, (u32)countof(ns->marks)); i++)
		if (ns->marks[i] == mark)
			return 0;
	fd = engine_open_raw_out(mark);
	if (fd < 0)
		return fd;
	err = send_msg(ns->daemon->engine, &m, &fd, 1);
	close(fd);
	if (!err)
		ns->marks[ns->nmarks++ % countof(ns->marks)] = mark;
	return err;
}

/* What the tunnel's namespace must have at the engine first. */
static int prepare_ns(struct tunnel *t)
{
	struct ns *ns = t->home;
	int err = netns_enter(ns);

	if (err)
		return err;
	if (!ns->engine_has)
		err = ns_add(ns);
	if (!err)
		err = proto_add(ns, mode_info(t->cfg.mode)->proto);
	if (!err && t->cfg.proto)
		err = proto_add(ns, t->cfg.proto);
	if (!err && t->cfg.fwmark)
		err = mark_add(ns, t->cfg.fwmark);
	priv_leave();
	return err;
}

static void fill_set(const struct tunnel *t, struct engine_msg *m)
{
	memset(m, 0, sizeof(*m)); /* compared as bytes */
	m->op = ENGINE_TUNNEL_SET;
	m->nsid = t->home->nsid;
	m->slot = t->slot;
	m->fast = t->fast;
	m->order = t->order;
	m->link.ifindex = t->link.ifindex;
	m->link.mtu = t->link.mtu;
	m->link.up = t->link.up;
	memcpy(&m->cfg, &t->cfg, sizeof(m->cfg));
}

/* The routers that t believes, the newest last. */
static int tell_routers(struct tunnel *t)
{
	struct engine *en = t->home->daemon->engine;
	struct engine_msg m = {
		.op = ENGINE_ROUTER_DEL_ALL,
		.nsid = t->home->nsid,
		.slot = t->slot,
	};
	int err;

	if (!t->prl || t->prl_told)
		return 0;
	err = send_msg(en, &m, NULL, 0);
	m.op = ENGINE_ROUTER_ADD;
	for (u32 i = t->prl->n; !err && i--;) {
		m.router = t->prl->entry[i];
		err = send_msg(en, &m, NULL, 0);
	}
	t->prl_told = !err;
	return err;
}

int engproc_tunnel_set(struct tunnel *t)
{
	struct engine *en = t->home->daemon->engine;
	struct engine_msg m;
	int err;

	if (t->queue < 0 || !en->ready)
		return 0;
	fill_set(t, &m);
	if (t->engine_has && !memcmp(&m, &t->sent, sizeof(m)))
		return tell_routers(t);
	err = prepare_ns(t);
	if (err)
		return err;
	err = send_msg(en, &m, &t->queue, t->engine_has ? 0 : 1);
	if (err)
		return err;
	if (!t->engine_has)
		t->prl_told = false;
	t->sent = m;
	t->engine_has = true;
	return tell_routers(t);
}

void engproc_tunnel_del(struct tunnel *t)
{
	struct engine_msg m = {.op = ENGINE_TUNNEL_DEL, .nsid = t->home->nsid, .slot = t->slot};

	if (t->engine_has)
		send_msg(t->home->daemon->engine, &m, NULL, 0);
	t->engine_has = false;
}

void engproc_ns_flush(struct ns *ns)
{
	struct engine_msg m = {.op = ENGINE_NS_FLUSH, .nsid = ns->nsid};

	if (ns->engine_has)
		send_msg(ns->daemon->engine, &m, NULL, 0);
}

void engproc_ns_del(struct ns *ns)
{
	struct engine_msg m = {.op = ENGINE_NS_DEL, .nsid = ns->nsid};

	if (ns->engine_has)
		send_msg(ns->daemon->engine, &m, NULL, 0);
	ns->engine_has = false;
}
