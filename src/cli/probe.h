/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP echo requests of chosen size, way and address, and what comes of each. Needs
 * CAP_NET_RAW. What arrives is strangers': read with a cursor.
 */
#ifndef TUNL_CLI_PROBE_H
#define TUNL_CLI_PROBE_H

#include "lib/types.h"

struct probe {
	int in;	 /* hears all ICMP of the namespace */
	int in6; /* ICMPv6; -1: the kernel has no IPv6 */
	u16 id, seq;
};

enum echo_fate {
	ECHO_SILENT, /* nothing came in time */
	ECHO_ANSWERED,
	ECHO_UNREACHABLE, /* somebody says that it cannot be reached: `code` */
	ECHO_TOO_BIG,	  /* of the size: `mtu` */
	ECHO_UNSENT,	  /* our own kernel refused: `error` */
};

struct echo {
	enum echo_fate fate;
	be32 from; /* who answered */
	u8 code;   /* ICMP */
	u16 mtu;   /* 0: not told */
	int error;
};

/* What to send. */
struct echo_ask {
	be32 dst;
	be32 src;	 /* 0: as routed */
	const char *dev; /* leaves by it; NULL: as routed */
	u32 len;	 /* bytes of the IPv4 packet; 0: a small one */
	bool df;	 /* never to be fragmented, whatever the kernel has learned */
	/* not 0: ICMP errors count that are about a packet of that protocol to outer */
	u8 proto;
	be32 outer;
	u32 wait_ms;
};

/* 0 or -errno. */
int probe_open(struct probe *p);
void probe_close(struct probe *p);

/* Ask once, and wait. */
struct echo probe_echo(struct probe *p, const struct echo_ask *a);

/* Ask all nodes behind device dev by IPv6 (ff02::1); whether anybody answers in time. */
bool probe_nodes6(struct probe *p, const char *dev, u32 wait_ms);

#endif
