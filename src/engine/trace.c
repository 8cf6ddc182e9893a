/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/trace.h"

#include <string.h>

#include "wire/ip4.h"

static void add_bytes(struct trace_event *ev, const void *data, u32 len)
{
	u32 n = min_of(len, (u32)TRACE_BYTES - ev->caplen);

	memcpy(ev->data + ev->caplen, data, n);
	ev->caplen = (u16)(ev->caplen + n);
}

void trace_take(struct trace_event *ev, const struct packet *p, u32 iif)
{
	*ev = (struct trace_event){.len = p->len, .link = iif};
	add_bytes(ev, p->data, p->len);
}

static void emit(struct engine_ns *ns, struct trace_event *ev, const struct engine_tunnel *t,
		 enum reason r)
{
	ev->ifindex = t ? t->link.ifindex : 0;
	ev->reason = (u16)r;
	ns->engine->io->trace(ns, ev);
}

/* The outer header with the inner packet right behind it: ESP says nothing of that. */
static void open_it(struct trace_event *ev, const struct packet *p)
{
	ev->form = TRACE_OPENED;
	ev->ethertype = p->ethertype;
	ev->caplen = min_of(ev->caplen, (u16)IP4_HLEN);
	add_bytes(ev, p->data, p->len);
}

void trace_received(struct engine_ns *ns, struct trace_event *ev, const struct packet *p,
		    struct engine_tunnel *t, enum reason r)
{
	ev->dir = TRACE_RX;
	ev->form = TRACE_OUTER;
	if (t && t->mode->esp && r == R_NONE)
		open_it(ev, p);
	emit(ns, ev, t, r);
}

void trace_inner(struct engine_tunnel *t, struct trace_event *ev, u16 ethertype, enum reason r)
{
	ev->dir = TRACE_TX;
	ev->form = TRACE_INNER;
	ev->ethertype = ethertype;
	emit(t->ns, ev, t, r);
}

void trace_piece(struct engine_ns *ns, const struct outgoing *o, enum reason r)
{
	struct trace_event ev = {
		.dir = TRACE_TX,
		.form = TRACE_OUTER,
		.len = o->head_len + o->body_len,
	};

	add_bytes(&ev, o->head, o->head_len);
	add_bytes(&ev, o->body, o->body_len);
	emit(ns, &ev, o->tunnel, r);
}
