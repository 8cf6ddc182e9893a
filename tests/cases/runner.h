/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The case runner's contract with its backends: each is a datapath that takes
 * packets and hands out what came of them. The format is in README.md; parsing,
 * the world (world.h) and comparing are the runner's.
 */
#ifndef TUNL_TESTS_CASES_RUNNER_H
#define TUNL_TESTS_CASES_RUNNER_H

#include <linux/virtio_net.h>

#include "counts.h"
#include "mode/fast.h"
#include "model/prl.h"
#include "model/tunnel.h"
#include "world.h"

enum { CASE_PACKET = 70000, CASE_TUNNELS = 16 };

/* A packet that goes into the datapath. */
struct case_packet {
	u8 *data; /* from the IP header on; the backend may change it */
	u32 len;
	u16 ethertype;
	struct virtio_net_hdr vnet;
};

enum case_way {
	CASE_WIRE, /* outer packet sent */
	CASE_TUN,  /* inner packet delivered */
	CASE_ICMP, /* ICMP error sent, its IP header as the kernel would write it */
	CASE_LOG,
	CASE_SLOW, /* handed to the slow path: for backends that have one */
};

struct case_tunnel {
	struct tunnel_cfg cfg; /* link resolved */
	u32 ifindex, mtu;
	u64 order; /* of creation */
	bool up;
};

struct case_backend {
	const char *name;
	/* A fresh datapath with no tunnel. NULL: it cannot be had here; *why says so. */
	void *(*open)(struct world *w, const char **why);
	void (*close)(void *dp);
	/* Make or change tunnel i. 0 or -errno. */
	int (*set)(void *dp, unsigned i, const struct case_tunnel *t);
	void (*del)(void *dp, unsigned i);
	/* Count numbers in those, one a tunnel, from now on; NULL: the backend has its own. */
	void (*numbers)(void *dp, struct mode_state *of);
	/* Tunnel i believes a router. 0 or -errno. */
	int (*router)(void *dp, unsigned i, const struct prl_entry *router);
	/* Routes, addresses or devices of the world changed. */
	void (*flush)(void *dp);
	void (*tx)(void *dp, unsigned i, struct case_packet *p);
	/* A packet for this host; ICMP too. */
	void (*rx)(void *dp, u32 iif, struct case_packet *p);
	/* The clock, before each packet and when it changes. */
	void (*clock)(void *dp, u64 now_ms);
	/* Counters of tunnel i; of nobody with i = CASE_TUNNELS. */
	void (*stats)(void *dp, unsigned i, struct tunnel_stats *st);
	/* The rest is for live backends, which have a kernel's namespace; NULL elsewhere. */
	/* What a line of the world's means there. NULL, or what is wrong. */
	const char *(*world)(void *dp, char **words, unsigned n);
	/* Look for ms what came out: it need not come at once, nor in order. */
	void (*more)(void *dp, unsigned ms);
	/* Link counters, of which no reasons are known. */
	void (*links)(void *dp, unsigned i, struct counts *c);
};

/* Called by a backend for what comes out. i: the tunnel, with CASE_TUN. */
void case_output(enum case_way way, unsigned i, const void *data, u32 len);

/* The same for a packet that is merged, or whose checksum is left to be done. */
void case_output_vnet(enum case_way way, unsigned i, const void *data, u32 len,
		      const struct virtio_net_hdr *vnet);

/* From tx() or rx(): this packet cannot be had here, which ends the case. why: static. */
void case_skip(const char *why);

/* Run the cases named (files; none: all of tests/cases), print TAP; the exit status. */
int cases_main(const struct case_backend *b, int argc, char **argv);

extern const struct case_backend case_engine;
extern const struct case_backend case_bpf; /* the engine behind it */
/* Live: the kernel's own drivers, and tunl's daemon with either datapath. */
extern const struct case_backend case_driver, case_live_user, case_live_bpf;

#endif
