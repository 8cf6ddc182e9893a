/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One call is one connection: connect, send the line with our network namespace
 * beside it, take rows until the one that says "done". Every wait has an end.
 */
#include "cli/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/ctl_start.h"
#include "engine/proto.h"
#include "lib/text.h"

enum { CTL_ROW_MAX = 65536 }; /* a row is one datagram, never larger */

const char *ctl_rundir(void)
{
	const char *dir = getenv("TUNL_RUNDIR");

	return dir && *dir ? dir : "/run/tunl";
}

char *ctl_path(const char *file, char *buf, size_t size)
{
	struct text t;

	text_init(&t, buf, size);
	text_add(&t, "%s/%s", ctl_rundir(), file);
	return buf;
}

static void set_patience(int fd)
{
	const struct timeval tv = {.tv_sec = CTL_PATIENCE};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

int ctl_connect(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd, rc;

	ctl_path("control", sun.sun_path, sizeof(sun.sun_path));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	set_patience(fd);
	if (!connect(fd, (struct sockaddr *)&sun, sizeof(sun)))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

/* It is there, yet says nothing. fd: the connection, or -1. */
static int ctl_hung(int fd, struct err *e)
{
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);
	char who[32] = "";

	if (fd >= 0 && !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) && peer.pid > 0)
		snprintf(who, sizeof(who), " (process %d)", (int)peer.pid);
	return err_set(
		e, ETIMEDOUT,
		"tunld%s does not answer within %d s: look at %s/log; if it hangs, end it - the "
		"next command starts another, and no tunnel is lost",
		who, CTL_PATIENCE, ctl_rundir());
}

/* Count a line of the state file: the last one about a slot says if its tunnel is there. */
static int state_line(const char *line, u8 there[static ENGINE_SLOTS / 8])
{
	unsigned slot;
	u8 bit;
	bool set = sscanf(line, "tunnel %u", &slot) == 1;

	if ((!set && sscanf(line, "gone %u", &slot) != 1) || slot >= ENGINE_SLOTS)
		return 0;
	bit = (u8)(1 << slot % 8);
	if (set == !!(there[slot / 8] & bit))
		return 0;
	there[slot / 8] ^= bit;
	return set ? 1 : -1;
}

/* Whether a daemon would find tunnels to adopt (daemon/state.h). */
static bool state_is_kept(void)
{
	u8 there[ENGINE_SLOTS / 8] = {0};
	char path[4096], line[1024];
	int n = 0;
	FILE *f = fopen(ctl_path("state", path, sizeof(path)), "re");

	if (!f)
		return errno == EACCES;
	while (fgets(line, sizeof(line), f))
		n += state_line(line, there);
	fclose(f);
	return n > 0;
}

/* A connection, tunld started where that is to be; see ctl_call(). */
static int ctl_reach(const struct ctl_request *req, struct err *e)
{
	int fd = ctl_connect();

	switch (fd < 0 ? -fd : 0) {
	case 0:
		return fd;
	case EAGAIN:
	case ETIMEDOUT:
		return ctl_hung(-1, e);
	case EACCES:
	case EPERM:
		return err_set(e, EPERM, "%s/control admits root and its group only", ctl_rundir());
	case ENOENT:
	case ECONNREFUSED:
		break;
	default:
		return err_set(e, -fd, "cannot reach tunld at %s/control: %s", ctl_rundir(),
			       strerror(-fd));
	}
	if (!req->start && (req->running || !state_is_kept()))
		return err_set(e, ENOTCONN, "%s", "");
	if (!ctl_is_admin())
		return err_set(e, EPERM, "no tunld runs, and to start it needs CAP_NET_ADMIN");
	return ctl_start(e);
}

/* A word of the request may not be empty nor hold a blank: it would be two. */
static bool is_word(const char *s)
{
	return *s && !strpbrk(s, " \t\n");
}

static int ctl_line(const struct ctl_request *req, char *buf, size_t size, struct err *e)
{
	const char *target = req->target ? req->target : "-";
	struct text t;

	if (req->target && !strcmp(req->target, "-"))
		target = "-:";
	if (!is_word(target))
		return err_set(e, ENODEV, "%s", "");
	text_init(&t, buf, size);
	text_add(&t, "%s %s", req->verb, target);
	if (req->config)
		text_add(&t, " %s", req->config);
	return t.cut ? err_set(e, E2BIG, "the request is too long") : 0;
}

/* The line, and our network namespace as a descriptor. 0 or -errno. */
static int ctl_send(int fd, const char *line)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl = {0};
	struct iovec iov = {.iov_base = (char *)line, .iov_len = strlen(line)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = ctl.buf,
			     .msg_controllen = sizeof(ctl.buf)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), rc = 0;

	if (ns < 0)
		return -errno;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &ns, sizeof(ns));
	if (sendmsg(fd, &msg, MSG_NOSIGNAL) < 0)
		rc = -errno;
	close(ns);
	return rc;
}

/* The last row: what became of it. */
static int ctl_done(json_t *row, struct err *e)
{
	int code = (int)json_integer_value(json_object_get(row, "errno"));
	const char *text = json_string_value(json_object_get(row, "text"));

	if (!code)
		return 0;
	return err_set(e, code < 0 ? EPROTO : code, "%s", text ? text : "");
}

/* As recv(), with a descriptor that comes beside it: *got, where there is one. */
static ssize_t ctl_recv(int fd, char *buf, int *got)
{
	union {
		struct cmsghdr c;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl;
	struct iovec iov = {buf, CTL_ROW_MAX};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = got ? ctl.buf : NULL,
			     .msg_controllen = got ? sizeof(ctl.buf) : 0};
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(got, CMSG_DATA(c), sizeof(int));
	return n;
}

/* One datagram as JSON; NULL with e filled. */
static json_t *ctl_receive(int fd, char *buf, int *got, struct err *e)
{
	ssize_t n = ctl_recv(fd, buf, got);
	json_t *row;

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		ctl_hung(fd, e);
		return NULL;
	}
	if (n <= 0) {
		err_set(e, ECONNRESET, "tunld ended before it had answered: look at %s/log",
			ctl_rundir());
		return NULL;
	}
	row = json_loadb(buf, (size_t)n, 0, NULL);
	if (!json_is_object(row)) {
		json_decref(row);
		err_set(e, EPROTO,
			"tunld's answer makes no sense: do tunl and tunld belong "
			"together?");
		return NULL;
	}
	return row;
}

static int ctl_rows(const struct ctl_request *req, int fd, struct err *e)
{
	char *buf = malloc(CTL_ROW_MAX);
	bool done = false;
	int rc = 0;

	if (!buf)
		return err_set(e, ENOMEM, "%s", "");
	while (!done && !rc) {
		json_t *row = ctl_receive(fd, buf, req->fd, e);

		if (!row) {
			rc = -e->code;
			break;
		}
		done = json_is_true(json_object_get(row, "done"));
		if (done)
			rc = ctl_done(row, e);
		else if (req->row)
			rc = req->row(req->ctx, row);
		json_decref(row);
	}
	free(buf);
	return rc;
}

int ctl_open(const struct ctl_request *req, struct err *e)
{
	char line[2048];
	int fd, rc = ctl_line(req, line, sizeof(line), e);

	if (rc)
		return rc;
	fd = ctl_reach(req, e);
	if (fd < 0)
		return fd;
	rc = ctl_send(fd, line);
	if (!rc || rc == -EPIPE) /* what it said before it hung up is there to be read */
		return fd;
	if (rc == -EAGAIN)
		rc = ctl_hung(fd, e);
	else
		rc = err_set(e, -rc, "cannot ask tunld: %s", strerror(-rc));
	close(fd);
	return rc;
}

int ctl_call(const struct ctl_request *req, struct err *e)
{
	struct err mine;
	int fd, rc;

	if (!e)
		e = &mine;
	fd = ctl_open(req, e);
	if (fd < 0)
		return fd;
	rc = ctl_rows(req, fd, e);
	close(fd);
	return rc;
}
