/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/engproc.h"
#include "daemon/netns.h"
#include "daemon/priv.h"
#include "lib/log.h"

struct reader {
	struct list node;
	struct ns *ns;
	u32 id;
	int fd; /* the engine's end */
	uv_poll_t poll;
};

/* There as long as there are readers. */
struct nstrace {
	struct list readers;
	u32 n, next_id;
	int ring; /* -1: no program tells */
};

static int tell(struct ns *ns, enum engine_op op, u32 id, int fd)
{
	struct engine_msg m = {.op = op, .nsid = ns->nsid, .slot = id};

	return ns->engine_has ? engproc_send(ns->daemon, &m, &fd, fd < 0 ? 0 : 1) : 0;
}

void trace_tell(struct ns *ns)
{
	if (!ns->trace)
		return;
	if (ns->trace->ring >= 0)
		tell(ns, ENGINE_TRACE_RING, 0, ns->trace->ring);
	list_for_each (n, &ns->trace->readers) {
		struct reader *r = list_entry(n, struct reader, node);

		tell(ns, ENGINE_TRACE_ADD, r->id, r->fd);
	}
}

static int programs_on(struct ns *ns, struct err *e)
{
	struct nstrace *tr = ns->trace;

	if (tr->ring < 0) {
		tr->ring = bpf_ring_new();
		if (tr->ring < 0)
			return err_set(e, -tr->ring, "a BPF ring buffer cannot be had: %s",
				       strerror(-tr->ring));
		tell(ns, ENGINE_TRACE_RING, 0, tr->ring);
	}
	return bpf_ns_trace(ns->bpf, tr->ring, e);
}

void trace_loaded(struct ns *ns)
{
	struct err e = {0};

	if (ns->trace && programs_on(ns, &e))
		log_error("namespace %u: packets of the bpf datapath are not traced: %s", ns->nsid,
			  e.text);
}

/* The programs go back to what they were. */
static void programs_off(struct ns *ns)
{
	if (ns->bpf && netns_enter(ns) == 0) {
		bpf_ns_trace(ns->bpf, -1, NULL);
		priv_leave();
	}
	tell(ns, ENGINE_TRACE_RING, 0, -1);
	if (ns->trace->ring >= 0)
		close(ns->trace->ring);
	free(ns->trace);
	ns->trace = NULL;
}

static void reader_freed(uv_handle_t *h)
{
	free(h->data);
}

static void reader_end(struct reader *r)
{
	struct ns *ns = r->ns;

	tell(ns, ENGINE_TRACE_DEL, r->id, -1);
	list_del(&r->node);
	uv_poll_stop(&r->poll);
	close(r->fd);
	uv_close((uv_handle_t *)&r->poll, reader_freed);
	if (!--ns->trace->n)
		programs_off(ns);
}

/* Nothing comes from the reader but its end. */
static void on_reader(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	reader_end(poll->data);
}

void trace_end_all(struct ns *ns)
{
	while (ns->trace)
		reader_end(list_entry(ns->trace->readers.next, struct reader, node));
}

static int prepare(struct ns *ns, struct err *e)
{
	if (list_is_empty(&ns->home))
		return err_set(e, ENOENT,
			       "tunl has no tunnel in this network namespace, hence looks at no "
			       "packet");
	if (!ns->trace) {
		ns->trace = calloc(1, sizeof(*ns->trace));
		if (!ns->trace)
			return err_set(e, ENOMEM, "out of memory");
		list_init(&ns->trace->readers);
		ns->trace->ring = -1;
	}
	if (ns->trace->n >= TRACE_READERS)
		return err_set(e, EBUSY, "%d others trace this network namespace already",
			       TRACE_READERS);
	return 0;
}

static void queue_size(int fd)
{
	int size = TRACE_QUEUE;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* A reader with its socket; *theirs is the other end. */
static struct reader *reader_new(struct ns *ns, int *theirs)
{
	struct reader *r = calloc(1, sizeof(*r));
	int sv[2];

	if (!r || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv)) {
		free(r);
		return NULL;
	}
	queue_size(sv[0]);
	r->ns = ns;
	r->fd = sv[0];
	r->id = ++ns->trace->next_id;
	*theirs = sv[1];
	if (uv_poll_init(&ns->daemon->loop, &r->poll, r->fd)) {
		close(sv[0]);
		close(sv[1]);
		free(r);
		return NULL;
	}
	r->poll.data = r;
	uv_poll_start(&r->poll, UV_READABLE | UV_DISCONNECT, on_reader);
	list_add(&ns->trace->readers, &r->node);
	ns->trace->n++;
	return r;
}

static int programs_begin(struct ns *ns, struct err *e)
{
	int err;

	if (!ns->bpf)
		return 0;
	err = netns_enter(ns);
	if (err)
		return err_set(e, -err, "the network namespace: %s", strerror(-err));
	err = programs_on(ns, e);
	priv_leave();
	return err;
}

int trace_start(struct ns *ns, int *fd, struct err *e)
{
	struct reader *r;
	int err = prepare(ns, e);

	if (err)
		return err;
	r = reader_new(ns, fd);
	if (!r) {
		if (!ns->trace->n)
			programs_off(ns);
		return err_set(e, EMFILE, "no socket can be had for the reader");
	}
	err = programs_begin(ns, e);
	if (!err && tell(ns, ENGINE_TRACE_ADD, r->id, r->fd))
		err = err_set(e, EAGAIN, "the engine does not take orders: the log tells more");
	if (err) {
		close(*fd);
		reader_end(r);
	}
	return err;
}
