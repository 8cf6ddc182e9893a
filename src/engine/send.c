/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pieces are collected and sent by sendmmsg(), those for one socket together. A
 * socket that is full loses the piece, as a device's queue does: nothing waits.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <string.h>

#include "engine/live.h"

static struct live_ns *live_ns(struct engine_ns *ns)
{
	return container_of(ns, struct live_ns, ns);
}

struct outgoing *send_out(struct engine_ns *ns)
{
	struct send_queue *q = &live_ns(ns)->live->send;

	if (q->n == LIVE_SEND)
		send_flush(ns);
	q->piece[q->n].ns = ns;
	return &q->piece[q->n];
}

static void add_control(struct msghdr *m, int type, const void *data, size_t len)
{
	struct cmsghdr *c = (void *)((u8 *)m->msg_control + m->msg_controllen);

	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	m->msg_controllen += CMSG_SPACE(len);
}

/* What the kernel shall route it by, as the lookup did. */
static void set_control(struct msghdr *m, const struct outgoing *o, struct send_control *c)
{
	struct in_pktinfo info = {.ipi_ifindex = (int)o->oif};
	int tos = o->tos;

	info.ipi_spec_dst.s_addr = o->src.raw;
	m->msg_control = c->bytes;
	if (o->oif || info.ipi_spec_dst.s_addr)
		add_control(m, IP_PKTINFO, &info, sizeof(info));
	if (tos)
		add_control(m, IP_TOS, &tos, sizeof(tos));
}

void send_piece(struct engine_ns *ns, struct outgoing *o)
{
	struct send_queue *q = &live_ns(ns)->live->send;
	u32 i = q->n++;
	struct msghdr *m = &q->msg[i].msg_hdr;

	q->to[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {o->dst.raw}};
	q->iov[i][0] = (struct iovec){o->head, o->head_len};
	q->iov[i][1] = (struct iovec){(void *)o->body, o->body_len};
	*m = (struct msghdr){
		.msg_name = &q->to[i],
		.msg_namelen = sizeof(q->to[i]),
		.msg_iov = q->iov[i],
		.msg_iovlen = 2,
	};
	set_control(m, o, &q->control[i]);
}

static int socket_of(const struct outgoing *o)
{
	struct live_ns *n = live_ns(o->ns);

	for (struct live_mark *m = n->marks; m; m = m->next)
		if (m->mark == o->mark)
			return m->fd;
	return n->raw;
}

/* How many from i on go to the same socket. */
static u32 run_length(const struct send_queue *q, u32 i, int fd)
{
	u32 n = 1;

	while (i + n < q->n && socket_of(&q->piece[i + n]) == fd)
		n++;
	return n;
}

/* Send n from i on; each is told of. */
static void send_run(struct send_queue *q, u32 i, u32 n, int fd)
{
	for (u32 end = i + n; i < end;) {
		int sent = sendmmsg(fd, &q->msg[i], end - i, MSG_DONTWAIT);
		int err = sent < 0 ? errno : 0;

		if (err == EINTR)
			continue;
		/* the first that failed is done with; those behind it are tried */
		for (u32 last = i + (err ? 1 : (u32)sent); i < last; i++)
			engine_sent(q->piece[i].ns, &q->piece[i], err);
	}
}

void send_flush(struct engine_ns *ns)
{
	struct send_queue *q = &live_ns(ns)->live->send;

	for (u32 i = 0, n; i < q->n; i += n) {
		int fd = socket_of(&q->piece[i]);

		n = run_length(q, i, fd);
		send_run(q, i, n, fd);
	}
	q->n = 0;
}

static void send_icmp6(struct engine_ns *ns, const struct icmp_message *m)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6};

	memcpy(&to.sin6_addr, &m->dst6, sizeof(to.sin6_addr));
	sendto(live_ns(ns)->icmp6, m->data, m->len, MSG_DONTWAIT, (struct sockaddr *)&to,
	       sizeof(to));
}

void send_icmp(struct engine_ns *ns, const struct icmp_message *m)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {m->dst.raw}};
	struct iovec iov = {(void *)m->data, m->len};
	struct in_pktinfo info = {.ipi_spec_dst = {m->src.raw}};
	struct send_control control;
	int tos = m->tos;
	struct msghdr h = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
	};

	if (m->v6) {
		send_icmp6(ns, m);
		return;
	}
	add_control(&h, IP_TOS, &tos, sizeof(tos));
	if (m->src.raw)
		add_control(&h, IP_PKTINFO, &info, sizeof(info));
	/* an error that cannot be sent is an error not sent: nothing follows from it */
	sendmsg(live_ns(ns)->icmp.fd, &h, MSG_DONTWAIT);
}
