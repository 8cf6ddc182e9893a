/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who traces a namespace (`tunl trace`). A reader is a socket pair: one end goes to
 * the caller, the other to the engine, which writes to it; the parent keeps a copy of
 * the latter, to see the caller go and for the next engine. While there are readers
 * the BPF programs of the namespace are those that tell of packets, in a ring buffer
 * that the engine reads.
 */
#ifndef TUNL_DAEMON_TRACE_H
#define TUNL_DAEMON_TRACE_H

#include "daemon/daemon.h"
#include "model/trace.h"

enum { TRACE_READERS = 8 }; /* of a namespace, at once */

/* A new reader: *fd is the caller's end, to be closed. -errno with e filled. */
int trace_start(struct ns *ns, int *fd, struct err *e);

/* The engine was told of ns anew. */
void trace_tell(struct ns *ns);

/* The programs of ns were loaded anew, or are to go (ns->bpf is still there); ns is entered. */
void trace_loaded(struct ns *ns);

/* The namespace goes, or the daemon: every reader hears the end. */
void trace_end_all(struct ns *ns);

#endif
