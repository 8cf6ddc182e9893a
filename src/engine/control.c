/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parent's messages. It is believed: it made the engine. What it says twice
 * is done twice; what it says about something unknown is passed over.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/keepalive.h"
#include "engine/live.h"
#include "engine/live_trace.h"

enum { CONTROL_FDS = 8, CONTROL_TURN = 64 };

/* A message with the descriptors that came with it; those not taken are closed. */
struct received {
	union {
		struct engine_msg msg;
		struct engine_xfrm_msg xfrm;
	};
	int fd[CONTROL_FDS];
	u32 nfds;
};

static int take_fd(struct received *r, u32 i)
{
	int fd = i < r->nfds ? r->fd[i] : -1;

	if (i < r->nfds)
		r->fd[i] = -1;
	return fd;
}

static struct live_ns *find_ns(struct live *l, u32 nsid)
{
	struct hnode *n = htab_find(&l->namespaces, nsid);

	return n ? container_of(n, struct live_ns, node) : NULL;
}

static void free_tunnel(struct live *l, struct live_tunnel *t)
{
	engine_tunnel_unset(&t->t);
	live_close(&t->tun);
	list_del(&t->node);
	l->slot[t->t.slot] = NULL;
	free(t);
}

static void free_ns(struct live *l, struct live_ns *n)
{
	list_for_each_safe (i, &n->tunnels)
		free_tunnel(l, list_entry(i, struct live_tunnel, node));
	htab_del(&l->namespaces, &n->node);
	live_close(&n->packet);
	live_close(&n->icmp);
	close(n->raw);
	if (n->icmp6 >= 0)
		close(n->icmp6);
	rtnl_close(&n->rtnl);
	for (struct live_mark *m = n->marks, *next; m; m = next) {
		next = m->next;
		close(m->fd);
		free(m);
	}
	for (u32 i = 0; i < n->nguards; i++)
		close(n->guard[i]);
	for (struct live_encap *e = n->encaps, *next; e; e = next) {
		next = e->next;
		live_close(&e->packet);
		free(e);
	}
	live_trace_free(n);
	engine_ns_fini(&n->ns);
	free(n);
}

static int ns_add(struct live *l, struct received *r)
{
	struct live_ns *n = find_ns(l, r->msg.nsid);

	if (n)
		free_ns(l, n);
	if (r->nfds < ENGINE_NS_FDS - 1)
		return -EBADF;
	n = calloc(1, sizeof(*n));
	if (!n || htab_add(&l->namespaces, &n->node, r->msg.nsid)) {
		free(n);
		return -ENOMEM;
	}
	engine_ns_init(&n->ns, &l->engine, r->msg.nsid);
	n->ns.parent_gen = r->msg.gen;
	n->ns.icmp_limits.rates = r->msg.rates;
	n->live = l;
	list_init(&n->tunnels);
	n->packet = (struct live_fd){LIVE_PACKET, take_fd(r, 0)};
	n->raw = take_fd(r, 1);
	n->icmp = (struct live_fd){LIVE_ICMP, take_fd(r, 2)};
	n->rtnl = rtnl_of(take_fd(r, 3));
	n->icmp6 = take_fd(r, 4);
	live_watch(l, &n->packet);
	return live_watch(l, &n->icmp);
}

static int proto_add(struct live_ns *n, struct received *r)
{
	if (n->nguards == LIVE_GUARDS || !r->nfds)
		return -EBADF;
	n->guard[n->nguards++] = take_fd(r, 0);
	return 0;
}

static int mark_add(struct live_ns *n, struct received *r)
{
	struct live_mark *m = r->nfds ? malloc(sizeof(*m)) : NULL;

	if (!m)
		return -EBADF;
	*m = (struct live_mark){n->marks, r->msg.cfg.fwmark, take_fd(r, 0)};
	n->marks = m;
	return 0;
}

static int encap_add(struct live *l, struct live_ns *n, struct received *r)
{
	struct live_encap *e = r->nfds ? malloc(sizeof(*e)) : NULL;

	if (!e)
		return -EBADF;
	*e = (struct live_encap){{LIVE_ENCAP, take_fd(r, 0)}, n->encaps, n};
	n->encaps = e;
	return live_watch(l, &e->packet);
}

static struct live_tunnel *new_tunnel(struct live *l, struct live_ns *n, u32 slot)
{
	struct live_tunnel *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->t.slot = slot;
	t->tun = (struct live_fd){LIVE_TUN, -1};
	list_add(&n->tunnels, &t->node);
	l->slot[slot] = t;
	return t;
}

static int tunnel_set(struct live *l, struct live_ns *n, struct received *r)
{
	u32 slot = r->msg.slot;
	struct live_tunnel *t;
	int err;

	if (slot >= ENGINE_SLOTS)
		return -EINVAL;
	t = l->slot[slot];
	if (t && t->t.ns != &n->ns) {
		free_tunnel(l, t);
		t = NULL;
	}
	if (!t)
		t = new_tunnel(l, n, slot);
	if (!t)
		return -ENOMEM;
	err = engine_tunnel_set(&t->t, &n->ns, &r->msg, &l->shared->slot[slot]);
	if (err || !r->nfds)
		return err;
	live_close(&t->tun);
	t->tun.fd = take_fd(r, 0);
	return live_watch(l, &t->tun);
}

static void tunnel_del(struct live *l, u32 slot)
{
	if (slot < ENGINE_SLOTS && l->slot[slot])
		free_tunnel(l, l->slot[slot]);
}

/* All tunnels go on counting in the map. */
static int numbers(struct live *l, struct received *r)
{
	void *m;

	if (!r->nfds)
		return -EBADF;
	m = mmap(NULL, ENGINE_SLOTS * sizeof(struct mode_state), PROT_READ | PROT_WRITE, MAP_SHARED,
		 r->fd[0], 0);
	if (m == MAP_FAILED)
		return -errno;
	l->engine.numbers = m;
	for (u32 i = 0; i < ENGINE_SLOTS; i++)
		if (l->slot[i])
			engine_tunnel_numbers(&l->slot[i]->t);
	return 0;
}

static int router(struct live *l, const struct engine_msg *m)
{
	struct live_tunnel *t = m->slot < ENGINE_SLOTS ? l->slot[m->slot] : NULL;

	if (!t)
		return -ENOENT;
	return engine_tunnel_router(&t->t, m->op == ENGINE_ROUTER_ADD ? &m->router : NULL);
}

/* Who traces, and what the programs write to. */
static int trace(struct live_ns *n, struct received *r)
{
	int fd = r->nfds ? r->fd[0] : -1, err = 0;

	if (r->msg.op == ENGINE_TRACE_DEL)
		live_trace_del(n, r->msg.slot);
	else if (r->msg.op == ENGINE_TRACE_RING)
		err = live_trace_ring(n, fd);
	else
		err = fd < 0 ? -EBADF : live_trace_add(n, r->msg.slot, fd);
	if (!err && r->msg.op != ENGINE_TRACE_DEL)
		take_fd(r, 0);
	return err;
}

static int in_ns(struct live *l, struct received *r)
{
	struct live_ns *n = find_ns(l, r->msg.nsid);

	if (!n)
		return -ENOENT;
	switch (r->msg.op) {
	case ENGINE_NS_DEL:
		free_ns(l, n);
		return 0;
	case ENGINE_NS_FLUSH:
		route_flush(&n->ns);
		n->ns.parent_gen = r->msg.gen;
		return 0;
	case ENGINE_PROTO_ADD:
		return proto_add(n, r);
	case ENGINE_MARK_ADD:
		return mark_add(n, r);
	case ENGINE_TUNNEL_SET:
		return tunnel_set(l, n, r);
	case ENGINE_TUNNEL_DEL:
		tunnel_del(l, r->msg.slot);
		return 0;
	case ENGINE_PROBE:
		if (r->msg.slot < ENGINE_SLOTS && l->slot[r->msg.slot])
			keepalive_probe(&l->slot[r->msg.slot]->t);
		return 0;
	case ENGINE_ROUTER_ADD:
	case ENGINE_ROUTER_DEL_ALL:
		return router(l, &r->msg);
	case ENGINE_ENCAP_ADD:
		return encap_add(l, n, r);
	case ENGINE_MIB_SET:
	case ENGINE_SA_SET:
	case ENGINE_SA_DEL:
	case ENGINE_POLICY_ADD:
	case ENGINE_POLICY_DEL:
		return control_xfrm(l, n, &r->xfrm);
	case ENGINE_TRACE_ADD:
	case ENGINE_TRACE_DEL:
	case ENGINE_TRACE_RING:
		return trace(n, r);
	case ENGINE_NS_ADD:
	case ENGINE_NUMBERS:
		return 0;
	}
	return -EINVAL;
}

static int obey(struct live *l, struct received *r)
{
	if (r->msg.op == ENGINE_NUMBERS)
		return numbers(l, r);
	return r->msg.op == ENGINE_NS_ADD ? ns_add(l, r) : in_ns(l, r);
}

static void take_fds(struct received *r, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		r->nfds = (u32)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(r->fd, CMSG_DATA(c), r->nfds * sizeof(int));
	}
}

/* One message. 1: done; 0: there is none; -EPIPE: the parent is gone. */
static int read_one(struct live *l, struct received *r)
{
	_Alignas(struct cmsghdr) u8 control[CMSG_SPACE(sizeof(r->fd))];
	struct iovec iov = {&r->msg, max_of(sizeof(r->msg), sizeof(r->xfrm))};
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got = recvmsg(l->control.fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	r->nfds = 0;
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
	if (got == 0)
		return -EPIPE;
	take_fds(r, &m);
	return 1;
}

int control_read(struct live *l)
{
	struct received r;
	int got;

	for (u32 i = 0; i < CONTROL_TURN; i++) {
		int err;

		got = read_one(l, &r);
		if (got <= 0)
			return got;
		err = obey(l, &r);
		if (err) {
			struct engine_event ev = {.op = ENGINE_LOG, .nsid = r.msg.nsid};

			snprintf(ev.text, sizeof(ev.text),
				 "the engine could not do message %d about slot %u: %s", r.msg.op,
				 r.msg.slot, strerror(-err));
			control_event(l, &ev);
		}
		for (u32 k = 0; k < r.nfds; k++)
			if (r.fd[k] >= 0)
				close(r.fd[k]);
	}
	return 0;
}

static bool send_event(struct live *l, const struct engine_event *ev)
{
	return send(l->control.fd, ev, sizeof(*ev), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
	       errno != EAGAIN;
}

/* Have the loop tell when the parent reads again, or no longer. */
static void want_out(struct live *l, bool want)
{
	struct epoll_event ev = {
		.events = EPOLLIN | (want ? EPOLLOUT : 0U),
		.data.ptr = &l->control,
	};

	epoll_ctl(l->epoll, EPOLL_CTL_MOD, l->control.fd, &ev);
}

void control_event(struct live *l, const struct engine_event *ev)
{
	if (!l->event_count && send_event(l, ev))
		return;
	if (l->event_count == LIVE_EVENTS)
		return; /* it has plenty to look at already */
	l->event[(l->event_first + l->event_count++) % LIVE_EVENTS] = *ev;
	want_out(l, true);
}

void control_flush(struct live *l)
{
	if (!l->event_count)
		return;
	while (l->event_count && send_event(l, &l->event[l->event_first])) {
		l->event_first = (l->event_first + 1) % LIVE_EVENTS;
		l->event_count--;
	}
	if (!l->event_count)
		want_out(l, false);
}
