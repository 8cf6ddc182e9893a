/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine's core under packets that anybody may send: inner packets, outer
 * packets and ICMP, with the virtio header's claims. Whatever comes in, what goes
 * out lies within its buffers and is a whole packet of no more than 65535 bytes.
 *
 * Input: a byte of configuration, then records of operation, virtio flags, GSO
 * type, header length, checksum start and length (2 bytes), each with its packet.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/core.h"
#include "lib/err.h"
#include "model/grammar.h"

enum { OURS = 0xc0000201 }; /* 192.0.2.1 */

static const char *const configs[] = {
	"t mode ipip remote 192.0.2.2 local 192.0.2.1",
	"t mode ipip remote 192.0.2.2 local 192.0.2.1 ttl 9 tos 1",
	"t mode ipip remote 192.0.2.2 nopmtudisc",
	"t mode ipip local 192.0.2.1 dev if2",
	"t mode gre remote 192.0.2.2 local 192.0.2.1",
	"t mode gre remote 192.0.2.2 local 192.0.2.1 csum key 5 seq",
	"t mode gre local 192.0.2.1 nopmtudisc tos inherit/0x10",
	"t mode gre remote 239.1.1.1 local 192.0.2.1 key 239.1.1.1 icsum",
};

static struct outgoing pieces[64];
static unsigned used;
static u64 unmatched[R__MAX];
static u32 path_mtu;
static u8 sum;

static void touch(const u8 *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum ^= data[i];
}

static int io_route(struct engine_ns *ns, const struct route_key *key, struct route *rt)
{
	(void)ns;
	*rt = (struct route){
		.type = be32_host(key->dst) == OURS ? RTN_LOCAL : RTN_UNICAST,
		.src = be32_of(OURS),
		.via = key->dst,
		.oif = 2,
		.mtu = path_mtu,
	};
	return 0;
}

static void io_flush(struct engine_ns *ns)
{
	(void)ns;
	for (unsigned i = 0; i < used; i++) {
		touch(pieces[i].head, pieces[i].head_len);
		touch(pieces[i].body, pieces[i].body_len);
	}
	used = 0;
}

static struct outgoing *io_out(struct engine_ns *ns)
{
	if (used == countof(pieces))
		io_flush(ns);
	return &pieces[used];
}

static void io_send(struct engine_ns *ns, struct outgoing *o)
{
	if (o != &pieces[used] || o->head_len < 20 || o->head_len > ENGINE_HEAD)
		abort();
	if (o->head_len + o->body_len > 65535)
		abort();
	used++;
	engine_sent(ns, o, 0);
}

static int io_deliver(struct engine_tunnel *t, const struct packet *p)
{
	(void)t;
	touch(p->data, p->len);
	if (p->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM &&
	    (u32)p->vnet.csum_start + p->vnet.csum_offset + 2 > p->len)
		abort();
	return 0;
}

static void io_icmp(struct engine_ns *ns, const struct icmp_message *m)
{
	(void)ns;
	if (m->len < 8 || m->len > sizeof(m->data))
		abort();
	touch(m->data, m->len);
}

static void io_event(struct engine_ns *ns, const struct engine_event *ev)
{
	(void)ns;
	touch((const u8 *)ev->text, strnlen(ev->text, sizeof(ev->text)));
}

static int io_next_hop6(struct engine_tunnel *t, const struct ip6_addr *dst, struct ip6_addr *hop)
{
	(void)t;
	*hop = *dst;
	return 0;
}

static u32 io_addresses6(struct engine_tunnel *t, struct inner6_addr *a, u32 max)
{
	(void)t;
	memset(a, 0x20, max ? sizeof(*a) : 0);
	return min_of(max, 1U);
}

static int io_neighbour(struct engine_tunnel *t, u8 family, const void *addr, be32 *lladdr)
{
	(void)t;
	touch(addr, family == AF_INET ? 4 : 16);
	*lladdr = be32_of(OURS + 1);
	return *(const u8 *)addr & 1 ? -ENOENT : 0;
}

static const struct engine_io io = {
	.route = io_route,
	.next_hop6 = io_next_hop6,
	.addresses6 = io_addresses6,
	.neighbour = io_neighbour,
	.out = io_out,
	.send = io_send,
	.flush = io_flush,
	.deliver = io_deliver,
	.icmp = io_icmp,
	.event = io_event,
};

struct record {
	u8 op, flags, gso, size_hi, hdr_len, csum_start, len_hi, len_lo;
};

static void one(struct engine_tunnel *t, const struct record *r, const u8 *bytes, u32 len)
{
	static const u16 types[] = {0x0800, 0x86dd, 0x8847, 0x1234};
	struct packet p = {.len = len, .ethertype = types[r->op / 4 % countof(types)]};
	u8 *buf = malloc(len ? len : 1);

	if (!buf)
		abort();
	memcpy(buf, bytes, len);
	p.data = buf;
	p.vnet = (struct virtio_net_hdr){.flags = r->flags,
					 .gso_type = r->gso,
					 .hdr_len = r->hdr_len,
					 .gso_size = (u16)(r->size_hi * 16),
					 .csum_start = r->csum_start,
					 .csum_offset = r->gso & 1 ? 16 : 6};
	t->ns->engine->now_ms += 7;
	if (r->op % 4 == 0)
		engine_tx(t, &p);
	else if (r->op % 4 == 3)
		engine_icmp(t->ns, 2, p.data, len);
	else
		engine_rx(t->ns, 2, &p);
	io_flush(t->ns);
	free(buf); /* p.data has moved on with the headers taken off */
}

static void feed(struct engine_tunnel *t, const u8 *data, size_t size)
{
	while (size > sizeof(struct record)) {
		struct record r;
		u32 len;

		memcpy(&r, data, sizeof(r));
		data += sizeof(r);
		size -= sizeof(r);
		len = min_of((u32)(r.len_hi << 8 | r.len_lo), (u32)size);
		one(t, &r, data, len);
		data += len;
		size -= len;
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct engine engine;
	static struct engine_ns ns;
	struct engine_tunnel t = {0};
	struct engine_slot slot = {0};
	struct engine_msg msg = {.op = ENGINE_TUNNEL_SET, .order = 1, .link = {5, 1480, true}};
	struct err e;

	if (size < 2)
		return 0;
	path_mtu = data[0] & 0x80 ? 1400 : 1500;
	if (grammar_line(configs[data[0] % countof(configs)], &msg.cfg, &e) < 0)
		abort();
	engine = (struct engine){.io = &io, .now_ms = 1000, .random = 42, .unmatched = unmatched};
	engine_ns_init(&ns, &engine, 1);
	if (engine_tunnel_set(&t, &ns, &msg, &slot) < 0)
		abort();
	feed(&t, data + 1, size - 1);
	engine_tunnel_unset(&t);
	engine_ns_fini(&ns);
	return 0;
}
