/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/request.h"
#include "ipsec/secret.h"
#include "lib/log.h"

struct client {
	struct list node;
	struct control *control;
	int fd;
	uv_poll_t poll;
	uv_timer_t patience;
	struct ucred who;
	struct rows rows;  /* of the answer under way */
	char *unsent;	   /* a row that did not go yet; NULL: none */
	struct err result; /* of the request */
	bool in_group;
	bool answering;
	bool final;	    /* what is unsent is the last row */
	bool resting;	    /* there is no row for now */
	bool stop, restart; /* once it is answered */
	u8 open_handles;
};

struct control {
	struct daemon *daemon;
	int fd;
	uv_poll_t poll;
	struct list clients;
	u32 nclients;
	bool has_group; /* `tunl`, looked up once: a name service may be slow */
	gid_t group;
};

static void client_freed(uv_handle_t *h)
{
	struct client *c = h->data;

	if (--c->open_handles == 0)
		free(c);
}

static void rows_end(struct client *c)
{
	if (c->rows.done)
		c->rows.done(c->rows.ctx);
	if (c->rows.has_fd)
		close(c->rows.fd);
	c->rows = (struct rows){0};
	secret_free(c->unsent);
	c->unsent = NULL;
	c->answering = false;
}

static void listen_for_clients(struct control *ctl);

static void client_close(struct client *c)
{
	struct control *ctl = c->control;

	rows_end(c);
	list_del(&c->node);
	uv_poll_stop(&c->poll);
	close(c->fd);
	c->fd = -1;
	c->open_handles = 2;
	uv_close((uv_handle_t *)&c->poll, client_freed);
	uv_close((uv_handle_t *)&c->patience, client_freed);
	if (ctl->nclients-- == CONTROL_CLIENTS)
		listen_for_clients(ctl); /* who waited in the backlog */
}

static void on_patience(uv_timer_t *timer)
{
	client_close(timer->data);
}

static void on_client(uv_poll_t *poll, int status, int events);

static void client_wait(struct client *c, int events)
{
	uv_poll_start(&c->poll, events, on_client);
	uv_timer_start(&c->patience, on_patience, CONTROL_PATIENCE_MS, 0);
}

/* The last row. */
static json_t *final_row(const struct err *e)
{
	json_t *row = json_pack("{s:b, s:i}", "done", 1, "errno", e->code);
	json_t *text = row && e->code && e->text[0] ? json_string(e->text) : NULL;

	if (text)
		json_object_set_new(row, "text", text);
	return row;
}

/* The next row as text; NULL: no memory, or resting. */
static char *next_text(struct client *c)
{
	json_t *row = c->rows.next ? c->rows.next(c->rows.ctx) : NULL;
	char *text;

	c->resting = !row && c->rows.waits;
	if (c->resting)
		return NULL;
	c->final = !row;
	if (!row)
		row = final_row(&c->result);
	text = row ? json_dumps(row, JSON_COMPACT) : NULL;
	json_decref(row);
	return text;
}

static void after_answer(struct client *c)
{
	struct daemon *d = c->control->daemon;

	rows_end(c);
	if (!c->stop && !c->restart)
		return;
	d->restart = c->restart;
	uv_stop(&d->loop);
}

/* -EAGAIN: it does not take it now; other errors: it is gone. */
static int send_row(struct client *c)
{
	struct iovec iov = {c->unsent, strlen(c->unsent)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	union {
		struct cmsghdr c;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl = {0};

	if (c->rows.has_fd) {
		msg.msg_control = ctl.buf;
		msg.msg_controllen = sizeof(ctl.buf);
		ctl.c.cmsg_level = SOL_SOCKET;
		ctl.c.cmsg_type = SCM_RIGHTS;
		ctl.c.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&ctl.c), &c->rows.fd, sizeof(int));
	}
	if (sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	if (c->rows.has_fd)
		close(c->rows.fd);
	c->rows.has_fd = false;
	secret_free(c->unsent);
	c->unsent = NULL;
	return 0;
}

/* With an answer that does not end: its queue has an end, and so the client may be slow. */
static void client_rest(struct client *c, int events)
{
	uv_timer_stop(&c->patience);
	uv_poll_start(&c->poll, events | UV_DISCONNECT, on_client);
}

/* Send rows until there are no more or the client takes none. */
static void answer(struct client *c)
{
	int err;

	do {
		if (!c->unsent)
			c->unsent = next_text(c);
		err = c->unsent ? send_row(c) : c->resting ? -EAGAIN : -ENOMEM;
	} while (!err && !c->final);
	if (err == -EAGAIN && c->rows.waits) {
		client_rest(c, c->resting ? UV_READABLE : UV_WRITABLE);
	} else if (err == -EAGAIN) {
		client_wait(c, UV_WRITABLE);
	} else if (err) {
		client_close(c);
	} else {
		after_answer(c);
		client_wait(c, UV_READABLE);
	}
}

/* Whether process pid has CAP_NET_ADMIN in effect; one that cannot be asked has not. */
static bool has_net_admin(pid_t pid)
{
	unsigned long long caps = 0;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	fclose(f);
	return caps & 1ULL << CAP_NET_ADMIN;
}

/* A capability of another user namespace says nothing here (user_namespaces(7)). */
static bool in_our_user_namespace(pid_t pid)
{
	struct stat theirs, ours;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	return stat(path, &theirs) == 0 && stat("/proc/self/ns/user", &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* Root with the capability that the driver asks for (spec cli 4.1), or the socket's group. */
static bool may_change(const struct client *c)
{
	bool root = c->who.uid == 0 || c->who.uid == geteuid();

	return c->in_group ||
	       (root && has_net_admin(c->who.pid) && in_our_user_namespace(c->who.pid));
}

/* Split at single blanks: verb, target, rest. */
static bool split(char *line, struct request *rq)
{
	rq->verb = line;
	rq->target = strchr(line, ' ');
	if (!rq->target)
		return false;
	*rq->target++ = '\0';
	rq->config = strchr(rq->target, ' ');
	if (rq->config)
		*rq->config++ = '\0';
	else
		rq->config = rq->target + strlen(rq->target);
	return true;
}

static void perform(struct client *c, char *line, int ns_fd)
{
	struct request rq = {.daemon = c->control->daemon, .client = c, .ns_fd = ns_fd};

	c->result = (struct err){0};
	c->answering = true;
	c->final = false;
	rq.may_change = may_change(c);
	if (!split(line, &rq))
		err_set(&c->result, EPROTO, "a request is VERB TARGET CONFIG...");
	else if (request_run(&rq, &c->rows, &c->result) == 0)
		c->result.code = 0;
	c->stop = rq.stop;
	c->restart = rq.restart;
	answer(c);
}

/* The one descriptor that a request may bring; others are closed. */
static int take_fd(struct msghdr *msg)
{
	int first = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (first < 0)
				first = fd;
			else
				close(fd);
		}
	}
	return first;
}

static void hear(struct client *c)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * 4)];
	} ctl;
	char line[CONTROL_REQUEST + 1];
	struct iovec iov = {line, CONTROL_REQUEST};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = ctl.buf,
			     .msg_controllen = sizeof(ctl.buf)};
	ssize_t n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int ns_fd;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	ns_fd = n < 0 ? -1 : take_fd(&msg);
	if (n <= 0 || msg.msg_flags & MSG_TRUNC || memchr(line, '\0', (size_t)n)) {
		client_close(c);
	} else {
		line[n] = '\0';
		perform(c, line, ns_fd);
	}
	secret_wipe(line, sizeof(line)); /* it may have been keys */
	if (ns_fd >= 0)
		close(ns_fd);
}

static void on_client(uv_poll_t *poll, int status, int events)
{
	struct client *c = poll->data;

	if (status < 0 || (c->rows.waits && events & (UV_READABLE | UV_DISCONNECT)))
		client_close(c);
	else if (c->answering)
		answer(c);
	else if (events & UV_READABLE)
		hear(c);
}

void control_wake(struct client *c)
{
	if (c->resting)
		client_rest(c, UV_WRITABLE);
}

/* Whether the peer is in the group: by its effective group or a further one. */
static bool is_in_group(const struct client *c)
{
	const struct control *ctl = c->control;
	gid_t groups[256];
	socklen_t len = sizeof(groups);

	if (!ctl->has_group)
		return false;
	if (c->who.gid == ctl->group)
		return true;
	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return false;
	for (size_t i = 0; i < len / sizeof(gid_t); i++)
		if (groups[i] == ctl->group)
			return true;
	return false;
}

static void client_new(struct control *ctl, int fd)
{
	struct client *c = calloc(1, sizeof(*c));
	socklen_t len = sizeof(c->who);

	if (!c || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->who, &len) ||
	    uv_poll_init(&ctl->daemon->loop, &c->poll, fd)) {
		free(c);
		close(fd);
		return;
	}
	c->control = ctl;
	c->fd = fd;
	c->in_group = is_in_group(c);
	uv_timer_init(&ctl->daemon->loop, &c->patience);
	c->poll.data = c->patience.data = c;
	list_add(&ctl->clients, &c->node);
	ctl->nclients++;
	client_wait(c, UV_READABLE);
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
	struct control *ctl = poll->data;
	int fd;

	(void)status;
	(void)events;
	while (ctl->nclients < CONTROL_CLIENTS) {
		fd = accept4(ctl->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		client_new(ctl, fd);
	}
	uv_poll_stop(&ctl->poll);
}

static void listen_for_clients(struct control *ctl)
{
	uv_poll_start(&ctl->poll, UV_READABLE, on_listener);
}

int control_start(struct daemon *d, int fd)
{
	struct control *ctl = calloc(1, sizeof(*ctl));
	int err = ctl ? uv_poll_init(&d->loop, &ctl->poll, fd) : -ENOMEM;
	const struct group *g;

	if (err) {
		free(ctl);
		return err;
	}
	g = getgrnam("tunl");
	ctl->has_group = g != NULL;
	ctl->group = g ? g->gr_gid : 0;
	ctl->daemon = d;
	ctl->fd = fd;
	ctl->poll.data = ctl;
	list_init(&ctl->clients);
	d->control = ctl;
	listen_for_clients(ctl);
	return 0;
}

static void control_freed(uv_handle_t *h)
{
	free(h->data);
}

void control_end(struct daemon *d)
{
	struct control *ctl = d->control;

	if (!ctl)
		return;
	list_for_each_safe (n, &ctl->clients)
		client_close(list_entry(n, struct client, node));
	uv_poll_stop(&ctl->poll);
	uv_close((uv_handle_t *)&ctl->poll, control_freed);
	d->control = NULL;
}
