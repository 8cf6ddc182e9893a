/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop. A batch of inner packets is read first and the ICMP socket second,
 * before any of the batch is worked on: what came in before a packet was sent is
 * known to it (a smaller path MTU is honoured by the very next packet).
 */
#include "engine/live.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "engine/esp.h"
#include "engine/live_trace.h"

enum { LIVE_READY = 32, ICMP_BYTES = 2048, ICMP_TURN = 64 };

/* What stands before a packet in a TUN queue. */
struct tun_head {
	struct tun_pi pi;
	struct virtio_net_hdr vnet;
} __attribute__((packed));

_Static_assert(sizeof(struct tun_head) <= LIVE_HEADROOM, "a packet's head has room");

static struct live_ns *live_ns(struct engine_ns *ns)
{
	return container_of(ns, struct live_ns, ns);
}

static int live_route(struct engine_ns *ns, const struct route_key *key, struct route *rt)
{
	return rtnl_route_get(&live_ns(ns)->rtnl, key, rt);
}

static int live_next_hop6(struct engine_tunnel *t, const struct ip6_addr *dst, struct ip6_addr *hop)
{
	struct route6 rt;
	int err = rtnl_route6_get(&live_ns(t->ns)->rtnl, (const u8 *)dst, t->link.ifindex, &rt);

	if (err || rt.error)
		return err ? err : -rt.error;
	memcpy(hop, rt.next, sizeof(*hop));
	return 0;
}

static bool live_is_ours6(struct engine_ns *ns, const struct ip6_addr *addr)
{
	struct route6 rt;

	return !rtnl_route6_get(&live_ns(ns)->rtnl, (const u8 *)addr, 0, &rt) && !rt.error &&
	       rt.type == RTN_LOCAL;
}

struct listing6 {
	struct inner6_addr *addr;
	u32 n, max;
};

static void list6(const struct rtnl_addr *a, void *arg)
{
	struct listing6 *l = arg;

	if (l->n == l->max)
		return;
	memcpy(&l->addr[l->n].addr, a->addr, sizeof(a->addr));
	l->addr[l->n++].prefix_len = a->prefix_len;
}

static u32 live_addresses6(struct engine_tunnel *t, struct inner6_addr *a, u32 max)
{
	struct listing6 l = {.addr = a, .max = max};

	/* what could not be had is not there: the packet in question is refused */
	rtnl_addr_dump(&live_ns(t->ns)->rtnl, AF_INET6, t->link.ifindex, list6, &l);
	return l.n;
}

static int live_neighbour(struct engine_tunnel *t, u8 family, const void *addr, be32 *lladdr)
{
	return rtnl_neighbour_get(&live_ns(t->ns)->rtnl, t->link.ifindex, family, addr, lladdr);
}

static u32 live_vrf(struct engine_ns *ns, u32 ifindex)
{
	struct rtnl *rtnl = &live_ns(ns)->rtnl;
	struct rtnl_link l, master;

	if (rtnl_link_get(rtnl, ifindex, NULL, &l) || !l.master ||
	    rtnl_link_get(rtnl, l.master, NULL, &master))
		return 0;
	return strcmp(master.kind, "vrf") ? 0 : l.master;
}

static int live_deliver(struct engine_tunnel *t, const struct packet *p)
{
	struct tun_head head = {
		.pi = {.proto = be16_of(p->ethertype).raw},
		.vnet = p->vnet,
	};
	struct iovec iov[] = {{&head, sizeof(head)}, {p->data, p->len}};

	return writev(container_of(t, struct live_tunnel, t)->tun.fd, iov, 2) < 0 ? -errno : 0;
}

static void live_event(struct engine_ns *ns, const struct engine_event *ev)
{
	struct engine_event full = *ev;

	full.nsid = ns->nsid;
	full.gen = ns->parent_gen;
	control_event(live_ns(ns)->live, &full);
}

const struct engine_io live_io = {
	.route = live_route,
	.next_hop6 = live_next_hop6,
	.addresses6 = live_addresses6,
	.is_ours6 = live_is_ours6,
	.neighbour = live_neighbour,
	.vrf = live_vrf,
	.out = send_out,
	.send = send_piece,
	.flush = send_flush,
	.deliver = live_deliver,
	.icmp = send_icmp,
	.event = live_event,
	.risen = live_risen,
	.trace = live_trace,
};

int live_watch(struct live *l, struct live_fd *f)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = f};

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, f->fd, &ev) ? -errno : 0;
}

void live_close(struct live_fd *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

static void read_clock(struct live *l)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	l->engine.now_ms = (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
	clock_gettime(CLOCK_REALTIME, &ts);
	l->engine.now_s = (u64)ts.tv_sec;
}

/* The device that the message at m came in by; 0: it does not say. */
static u32 arrival(struct msghdr *m)
{
	struct in_pktinfo info;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return (u32)info.ipi_ifindex;
		}
	return 0;
}

static void read_icmp(struct live_ns *n)
{
	u8 buf[ICMP_BYTES];

	for (u32 i = 0; i < ICMP_TURN; i++) {
		_Alignas(struct cmsghdr) u8 control[128];
		struct iovec iov = {buf, sizeof(buf)};
		struct msghdr m = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t got = recvmsg(n->icmp.fd, &m, MSG_DONTWAIT);

		if (got < 0 && errno != EINTR)
			return;
		if (got > 0 && !(m.msg_flags & MSG_TRUNC))
			engine_icmp(&n->ns, arrival(&m), buf, (u32)got);
	}
}

/* One packet of a TUN queue into buffer i. 0, or -errno: -EAGAIN there is none. */
static int read_tun(struct live_tunnel *t, struct batch *b, u32 i)
{
	u8 *data = b->buf[i] + LIVE_HEADROOM;
	struct packet *p = &b->packet[i];
	struct tun_head head;
	ssize_t got;

	got = read(t->tun.fd, data - sizeof(head), sizeof(b->buf[i]) - LIVE_HEADROOM);
	if (got < 0)
		return -errno;
	if ((size_t)got < sizeof(head))
		return -EAGAIN;
	memcpy(&head, data - sizeof(head), sizeof(head));
	p->data = data;
	p->len = (u32)got - (u32)sizeof(head);
	p->ethertype = be16_host((be16){head.pi.proto});
	p->vnet = head.vnet;
	return 0;
}

static void serve_tun(struct live *l, struct live_tunnel *t)
{
	struct live_ns *n = live_ns(t->t.ns);
	struct batch *b = &l->batch;
	int err = 0;
	u32 count;

	for (count = 0; count < LIVE_BATCH; count++) {
		err = read_tun(t, b, count);
		if (err)
			break;
	}
	read_icmp(n);
	for (u32 i = 0; i < count; i++)
		engine_tx(&t->t, &b->packet[i]);
	send_flush(&n->ns);
	/* a queue whose device is gone stays ready for ever */
	if (err && err != -EAGAIN && err != -EINTR)
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, t->tun.fd, NULL);
}

static void prepare_packets(struct batch *b)
{
	for (u32 i = 0; i < LIVE_BATCH; i++) {
		struct packet *p = &b->packet[i];

		p->data = b->buf[i] + LIVE_LINK;
		b->iov[i][0] = (struct iovec){&p->vnet, sizeof(p->vnet)};
		b->iov[i][1] = (struct iovec){p->data, sizeof(b->buf[i]) - LIVE_LINK};
		b->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &b->from[i],
			.msg_namelen = sizeof(b->from[i]),
			.msg_iov = b->iov[i],
			.msg_iovlen = 2,
			.msg_control = b->control[i].bytes,
			.msg_controllen = sizeof(b->control[i]),
		};
	}
}

/* Bytes before the IP header, as the kernel tells; more than there are: it does not. */
static u32 link_header(struct msghdr *m)
{
	struct tpacket_auxdata aux;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
			return aux.tp_net;
		}
	return ~0U;
}

/* Make packet i of the batch what the core takes. False: it is not whole. */
static bool received(struct batch *b, u32 i)
{
	struct packet *p = &b->packet[i];
	u32 len = b->msg[i].msg_len, skip = link_header(&b->msg[i].msg_hdr);

	if (b->msg[i].msg_hdr.msg_flags & MSG_TRUNC || len < sizeof(p->vnet) ||
	    skip > len - sizeof(p->vnet))
		return false;
	p->len = len - (u32)sizeof(p->vnet);
	p->ethertype = ETH_P_IP;
	packet_strip(p, skip);
	return true;
}

/*
 * What the kernel had no room for in the queue. It may have been so only if a turn
 * left something there; reading sets the kernel's count to 0.
 */
static void count_overruns(struct live_ns *n, bool full)
{
	struct tpacket_stats st = {0};
	socklen_t len = sizeof(st);

	if ((full || n->behind) &&
	    !getsockopt(n->packet.fd, SOL_PACKET, PACKET_STATISTICS, &st, &len))
		n->ns.engine->unmatched[R_RX_QUEUE] += st.tp_drops;
	n->behind = full;
}

static void serve_packets(struct live *l, struct live_ns *n, int fd)
{
	struct batch *b = &l->batch;
	int got;

	prepare_packets(b);
	got = recvmmsg(fd, b->msg, LIVE_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < got; i++)
		if (received(b, (u32)i))
			engine_rx(&n->ns, (u32)b->from[i].sll_ifindex, &b->packet[i]);
	if (fd == n->packet.fd)
		count_overruns(n, got == LIVE_BATCH);
}

static void serve_encap(struct live *l, struct live_encap *e)
{
	serve_packets(l, e->in, e->packet.fd);
}

static void tick(struct live *l)
{
	if (!l->ticking || l->engine.now_ms < l->tick_ms)
		return;
	l->tick_ms = l->engine.now_ms + LIVE_TICK_MS;
	htab_for_each (n, &l->namespaces)
		esp_tick(&container_of(n, struct live_ns, node)->ns);
}

/* True: the parent has something to say. */
static bool serve(struct live *l, struct live_fd *f)
{
	switch (f->kind) {
	case LIVE_CONTROL:
		return true;
	case LIVE_PACKET:
		serve_packets(l, container_of(f, struct live_ns, packet), f->fd);
		return false;
	case LIVE_ICMP:
		read_icmp(container_of(f, struct live_ns, icmp));
		return false;
	case LIVE_ENCAP:
		serve_encap(l, container_of(f, struct live_encap, packet));
		return false;
	case LIVE_TUN:
		serve_tun(l, container_of(f, struct live_tunnel, tun));
		return false;
	case LIVE_RING:
		live_trace_serve(f);
		return false;
	case LIVE_READER:
		live_trace_again(container_of(f, struct live_reader, out));
		return false;
	}
	return false;
}

int live_loop(struct live *l)
{
	struct epoll_event ev[LIVE_READY];

	for (;;) {
		int n = epoll_wait(l->epoll, ev, LIVE_READY, l->ticking ? LIVE_TICK_MS : -1);
		int err = 0;
		bool control = false;

		if (n < 0 && errno != EINTR)
			return -errno;
		read_clock(l);
		for (int i = 0; i < n; i++)
			control |= serve(l, ev[i].data.ptr);
		tick(l);
		if (control) {
			control_flush(l);
			err = control_read(l);
		}
		if (err)
			return err == -EPIPE ? 0 : err;
	}
}
