/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The readers of `tunl trace`, and the ring buffer of the BPF programs, of one
 * namespace. The parent brings both and takes them away again. A reader that is slow
 * loses what its socket has no room for, and is told how many packets that were.
 */
#ifndef TUNL_ENGINE_LIVE_TRACE_H
#define TUNL_ENGINE_LIVE_TRACE_H

#include "engine/live.h"
#include "model/trace.h"

/* Somebody who reads. */
struct live_reader {
	struct live_fd out; /* LIVE_READER, watched while `lost` is to be told */
	struct live_reader *next;
	struct live_ns *in;
	u32 id;	  /* the parent's number of it */
	u32 lost; /* not yet told */
};

/* Take fd as reader id, and say so with a first event. 0 or -ENOMEM, with fd the caller's still. */
int live_trace_add(struct live_ns *n, u32 id, int fd);
void live_trace_del(struct live_ns *n, u32 id);

/* Read fd, a ring buffer of TRACE_RING bytes; -1: no longer. 0 or -errno, with fd the caller's. */
int live_trace_ring(struct live_ns *n, int fd);

/* Tell all readers: the part of live_io. */
void live_trace(struct engine_ns *ns, const struct trace_event *ev);

/* What is in the ring buffer, to the readers; the rest next time. */
void live_trace_serve(struct live_fd *f);

/* A reader has room again. */
void live_trace_again(struct live_reader *r);

/* Close all of it. */
void live_trace_free(struct live_ns *n);

#endif
