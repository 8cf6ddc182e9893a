/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli/trace.h"

enum {
	ASK_MS = 1000,	 /* for the tunnels, at most this often */
	BEGIN_MS = 5000, /* until the engine must have begun */
};

static s64 now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (s64)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void ask_tunnels(struct trace_source *s)
{
	struct err e = {0};

	free(s->row);
	if (row_list(&s->row, &s->n, &e)) {
		s->row = NULL;
		s->n = 0;
	}
	s->asked_ms = (u64)(now_ns(CLOCK_MONOTONIC) / 1000000);
}

static int take_abi(void *ctx, json_t *row)
{
	*(json_int_t *)ctx = json_integer_value(json_object_get(row, "version"));
	return 0;
}

int trace_open(struct trace_source *s, struct err *e)
{
	json_int_t abi = 0;
	const struct ctl_request req = {
		.verb = "trace", .row = take_abi, .ctx = &abi, .fd = &s->fd};
	int rc;

	*s = (struct trace_source){.fd = -1};
	rc = ctl_call(&req, e);
	if (!rc && (s->fd < 0 || abi != TRACE_ABI))
		rc = err_set(
			e, EPROTO,
			"tunld tells of packets otherwise: do tunl and tunld belong together?");
	if (rc) {
		trace_close(s);
		return rc;
	}
	/* the engine's first event: from here on it tells of every packet */
	poll(&(struct pollfd){s->fd, POLLIN, 0}, 1, BEGIN_MS);
	s->offset_ns = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_BOOTTIME);
	ask_tunnels(s);
	return 0;
}

void trace_close(struct trace_source *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->row);
	*s = (struct trace_source){.fd = -1};
}

int trace_next(struct trace_source *s, struct trace_event *ev)
{
	ssize_t n = recv(s->fd, ev, sizeof(*ev), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
	if (n == 0)
		return -EPIPE;
	if (n != sizeof(*ev) || ev->caplen > TRACE_BYTES)
		return 0;
	return 1;
}

static const struct tunnel_row *find(const struct trace_source *s, u32 ifindex)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->row[i].ifindex == ifindex)
			return &s->row[i];
	return NULL;
}

const struct tunnel_row *trace_row(struct trace_source *s, const struct trace_event *ev)
{
	const struct tunnel_row *row = find(s, ev->ifindex);

	if (row || !ev->ifindex || (u64)(now_ns(CLOCK_MONOTONIC) / 1000000) < s->asked_ms + ASK_MS)
		return row;
	ask_tunnels(s);
	return find(s, ev->ifindex);
}

const char *trace_dev(struct trace_source *s, const struct trace_event *ev,
		      char buf[static TUNL_NAME_LEN])
{
	const struct tunnel_row *row = trace_row(s, ev);
	u32 ifindex = ev->ifindex ? ev->ifindex : ev->link;

	if (row)
		text_copy(buf, TUNL_NAME_LEN, row->ifname);
	else if (!if_indextoname(ifindex, buf))
		text_copy(buf, TUNL_NAME_LEN, "-");
	return buf;
}
