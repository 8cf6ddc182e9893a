/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ESP as anybody may send it, and as a peer with the keys may: packets whose bytes
 * are any, and authentic ones around any inside. Input: records of a byte of kind,
 * one of length, and the bytes.
 *
 *	kind bit 0	authentic: the bytes are what is enciphered
 *	     bit 1	in UDP
 *	     bits 2, 3	which association
 */
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core.h"
#include "ipsec/text.h"
#include "model/grammar.h"
#include "wire/udp.h"

enum { BYTES = 600 };

static const char *const algos[] = {
	"flag af-unspec replay-window 64 aead rfc4106(gcm(aes)) "
	"0x000102030405060708090a0b0c0d0e0fa0a1a2a3 128",
	"flag af-unspec esn decap-dscp replay-window 32 enc cbc(aes) "
	"0x000102030405060708090a0b0c0d0e0f auth hmac(sha1) 0x0001",
	"flag af-unspec encap espinudp 4500 4500 0.0.0.0 enc cipher_null 0x auth sha256 0x00",
	"mode transport aead rfc7539esp(chacha20,poly1305) "
	"0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fa0a1a2a3 128",
};

static u8 sum;
static u64 unmatched[R__MAX];
static struct sa_live live[countof(algos)];

static int io_route(struct engine_ns *ns, const struct route_key *key, struct route *rt)
{
	(void)ns;
	*rt = (struct route){.type = RTN_LOCAL, .src = key->dst, .oif = 2, .mtu = 1500};
	return 0;
}

static int io_deliver(struct engine_tunnel *t, const struct packet *p)
{
	(void)t;
	for (u32 i = 0; i < p->len; i++)
		sum ^= p->data[i];
	return 0;
}

static void io_event(struct engine_ns *ns, const struct engine_event *ev)
{
	(void)ns;
	(void)ev;
}

static void io_icmp(struct engine_ns *ns, const struct icmp_message *m)
{
	(void)ns;
	(void)m;
}

static const struct engine_io io = {
	.route = io_route,
	.deliver = io_deliver,
	.event = io_event,
	.icmp = io_icmp,
};

static void add_states(struct engine_ns *ns)
{
	for (u32 i = 0; i < countof(algos); i++) {
		char line[XFRM_LINE];
		struct sa_cfg cfg;
		struct sa *sa;

		snprintf(line, sizeof(line),
			 "mode tunnel src 192.0.2.2 dst 192.0.2.1 proto esp spi %u reqid 1 %s",
			 i + 1, algos[i]);
		if (sa_line(line, &cfg, NULL))
			abort();
		memset(&live[i], 0, sizeof(live[i]));
		sa = db_sa_add(&ns->xfrm, &cfg, &live[i], i);
		sa->crypt = crypt_new(&cfg);
		if (!sa->crypt)
			abort();
	}
}

static void add_policies(struct engine_ns *ns)
{
	for (u32 i = 0; i < 2; i++) {
		char line[] = "dir in src ::/0 dst ::/0 tmpl proto esp mode tunnel", *at = line;
		struct policy_cfg cfg;

		if (i)
			at = strcpy(line, "dir in src 0.0.0.0/0 dst 0.0.0.0/0 proto 17 dport 9");
		if (policy_line(at, &cfg, NULL))
			abort();
		db_policy_add(&ns->xfrm, &cfg, i);
	}
}

/* What stands behind the outer header. */
static u32 payload(struct engine_ns *ns, u8 kind, const u8 *bytes, u32 len, u8 *at)
{
	struct sa *sa = db_sa_by_slot(&ns->xfrm, kind >> 2 & 3);
	struct crypt_piece piece = {bytes, len - len % crypt_sizes(sa->crypt).align};
	struct crypt_job job = {.in = &piece, .n = 1};
	u32 seq = (u32)live[sa->slot].replay.top + 1;

	if (!(kind & 1)) {
		memcpy(at, bytes, len);
		return len;
	}
	memcpy(at, &sa->cfg.spi, 4);
	memcpy(at + 4, &(be32){be32_of(seq).raw}, 4);
	if (crypt_seal(sa->crypt, at, &job))
		abort();
	return 8 + crypt_sizes(sa->crypt).iv + piece.len + crypt_sizes(sa->crypt).icv;
}

static void one(struct engine_ns *ns, u8 kind, const u8 *bytes, u32 len)
{
	struct ip4_fields outer = {
		.src = be32_of(0xc0000202),
		.dst = be32_of(0xc0000201),
		.tos = kind,
		.ttl = 64,
		.proto = kind & 2 ? PROTO_UDP : PROTO_ESP,
	};
	u32 udp = kind & 2 ? UDP_HLEN : 0, n;
	u8 whole[BYTES + 128] = {0}, *buf;
	struct packet p = {.ethertype = 0x0800};

	n = IP4_HLEN + udp + payload(ns, kind, bytes, len, whole + IP4_HLEN + udp);
	outer.len = (u16)n;
	ip4_build((struct ip4 *)whole, &outer);
	buf = malloc(n); /* of just that size, so that a read beyond it is seen */
	if (!buf)
		abort();
	memcpy(buf, whole, n);
	p.data = buf;
	p.len = n;
	engine_rx(ns, 2, &p);
	free(buf);
}

static void feed(struct engine_ns *ns, const u8 *data, size_t size)
{
	while (size >= 2) {
		u32 len = min_of((u32)data[1] * 2, (u32)size - 2);

		one(ns, data[0], data + 2, len);
		data += 2 + len;
		size -= 2 + len;
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct engine engine;
	static struct engine_ns ns;
	static bool ready;
	struct engine_tunnel t = {0};
	struct engine_slot slot = {0};
	struct engine_msg msg = {.op = ENGINE_TUNNEL_SET, .order = 1, .link = {5, 1480, true}};

	if (!ready && crypt_init())
		abort();
	ready = true;
	if (grammar_line("t mode vti remote 192.0.2.2 local 192.0.2.1", &msg.cfg, NULL) < 0)
		abort();
	engine.io = &io;
	engine.now_ms = 1000;
	engine.random = 42;
	engine.unmatched = unmatched;
	engine_ns_init(&ns, &engine, 1);
	add_states(&ns);
	add_policies(&ns);
	if (engine_tunnel_set(&t, &ns, &msg, &slot) < 0)
		abort();
	feed(&ns, data, size);
	engine_tunnel_unset(&t);
	engine_ns_fini(&ns);
	return 0;
}
