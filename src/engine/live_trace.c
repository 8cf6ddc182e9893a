/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A BPF ring buffer (kernel: kernel/bpf/ringbuf.c; libbpf's reader is not for a
 * process without bpf()): a page with the reader's position, a page with the writer's,
 * then the bytes, mapped twice in a row so that a record never wraps. A record is a
 * length with two flags, four bytes for the kernel, and the event, aligned to 8.
 */
#include "engine/live_trace.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { RING_TURN = 1024 };

struct live_ring {
	struct live_fd f;
	struct live_ns *in;
	u64 *consumer;
	const u8 *producer; /* its page, and the bytes behind it */
	long page;
};

static u64 boot_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

/* The parent has the same open files: closing ours alone leaves them watched. */
static void unwatch(struct live *l, struct live_fd *f)
{
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, f->fd, NULL);
	live_close(f);
}

void live_trace_del(struct live_ns *n, u32 id)
{
	for (struct live_reader **at = &n->readers, *r; (r = *at); at = &r->next) {
		if (r->id != id)
			continue;
		*at = r->next;
		unwatch(n->live, &r->out);
		free(r);
		break;
	}
	n->ns.traced = n->readers != NULL;
}

/* Have the loop tell when there is room for what was lost, once. */
static void want_room(struct live_reader *r)
{
	struct epoll_event ev = {.events = EPOLLOUT | EPOLLONESHOT, .data.ptr = &r->out};
	int epoll = r->in->live->epoll;

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, r->out.fd, &ev) && errno == EEXIST)
		epoll_ctl(epoll, EPOLL_CTL_MOD, r->out.fd, &ev);
}

static void tell(struct live_reader *r, const struct trace_event *ev)
{
	struct trace_event mine = *ev;
	bool unwatched = !r->lost || ev->form == TRACE_LOST;

	mine.lost += r->lost;
	if (send(r->out.fd, &mine, sizeof(mine), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		r->lost = 0;
		return;
	}
	r->lost = mine.lost + (mine.form != TRACE_LOST);
	/* one that went is the parent's to notice */
	if (unwatched && errno == EAGAIN)
		want_room(r);
}

int live_trace_add(struct live_ns *n, u32 id, int fd)
{
	const struct trace_event begun = {.time_ns = boot_ns(), .form = TRACE_LOST};
	struct live_reader *r = malloc(sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = (struct live_reader){{LIVE_READER, fd}, n->readers, n, id, 0};
	n->readers = r;
	n->ns.traced = true;
	tell(r, &begun);
	return 0;
}

void live_trace_again(struct live_reader *r)
{
	const struct trace_event ev = {.time_ns = boot_ns(), .form = TRACE_LOST};

	if (r->lost)
		tell(r, &ev);
}

static void tell_all(struct live_ns *n, const struct trace_event *ev)
{
	for (struct live_reader *r = n->readers; r; r = r->next)
		tell(r, ev);
}

void live_trace(struct engine_ns *ns, const struct trace_event *ev)
{
	struct trace_event full = *ev;

	full.time_ns = boot_ns();
	tell_all(container_of(ns, struct live_ns, ns), &full);
}

static void ring_free(struct live_ring *r)
{
	if (!r)
		return;
	unwatch(r->in->live, &r->f);
	munmap(r->consumer, (size_t)r->page);
	munmap((void *)r->producer, (size_t)r->page + 2 * (size_t)TRACE_RING);
	free(r);
}

/* Map a ring; NULL: errno tells why not. */
static struct live_ring *ring_open(int fd)
{
	struct live_ring *r = calloc(1, sizeof(*r));
	void *mine, *theirs;

	if (!r)
		return NULL;
	r->page = sysconf(_SC_PAGESIZE);
	mine = mmap(NULL, (size_t)r->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	theirs = mmap(NULL, (size_t)r->page + 2 * (size_t)TRACE_RING, PROT_READ, MAP_SHARED, fd,
		      r->page);
	if (mine != MAP_FAILED && theirs != MAP_FAILED) {
		r->consumer = mine;
		r->producer = theirs;
		return r;
	}
	if (mine != MAP_FAILED)
		munmap(mine, (size_t)r->page);
	free(r);
	return NULL;
}

int live_trace_ring(struct live_ns *n, int fd)
{
	ring_free(n->ring);
	n->ring = NULL;
	if (fd < 0)
		return 0;
	n->ring = ring_open(fd);
	if (!n->ring)
		return -errno;
	n->ring->in = n;
	n->ring->f = (struct live_fd){LIVE_RING, fd};
	return live_watch(n->live, &n->ring->f);
}

/* The record at a position: its length with flags, 0 while it is being written. */
static u32 record(const struct live_ring *r, u64 at, const u8 **data)
{
	const u8 *head = r->producer + r->page + (at & (TRACE_RING - 1));
	u32 len = __atomic_load_n((const u32 *)head, __ATOMIC_ACQUIRE);

	*data = head + BPF_RINGBUF_HDR_SZ;
	return len & BPF_RINGBUF_BUSY_BIT ? 0 : len;
}

static void serve(struct live_ring *r)
{
	u64 at = *r->consumer;
	u64 end = __atomic_load_n((const u64 *)r->producer, __ATOMIC_ACQUIRE);

	for (u32 i = 0; i < RING_TURN && at < end; i++) {
		struct trace_event ev;
		const u8 *data;
		u32 flagged = record(r, at, &data), len = flagged & ~BPF_RINGBUF_DISCARD_BIT;

		if (!flagged)
			break;
		if (len == sizeof(ev) && len == flagged) {
			memcpy(&ev, data, sizeof(ev));
			tell_all(r->in, &ev);
		}
		at += ((u64)len + BPF_RINGBUF_HDR_SZ + 7) & ~7ULL;
		__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
	}
}

void live_trace_serve(struct live_fd *f)
{
	serve(container_of(f, struct live_ring, f));
}

void live_trace_free(struct live_ns *n)
{
	while (n->readers)
		live_trace_del(n, n->readers->id);
	live_trace_ring(n, -1);
}
