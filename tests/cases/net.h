/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network namespace for a live datapath, in which this process then stands:
 * its underlay devices are TAPs that we hold the other end of, what its tunnels
 * deliver is seen by a packet socket on each, and what it sends to itself by one
 * on lo. Nothing in it resolves addresses or speaks by itself.
 */
#ifndef TUNL_TESTS_CASES_NET_H
#define TUNL_TESTS_CASES_NET_H

#include <linux/virtio_net.h>
#include <stddef.h>

#include "lib/types.h"

enum { NET_TAPS = 24, NET_TUNNELS = 16, NET_LINE = 512 };

struct net_tap {
	char name[16];
	u32 ifindex;
	int fd;
	u8 mac[6]; /* frames that arrive are for it */
};

struct net_tunnel {
	u32 ifindex; /* 0: not there */
	int fd;	     /* the packet socket */
};

struct net {
	struct net_tap tap[NET_TAPS];
	unsigned ntaps;
	struct net_tunnel tunnel[NET_TUNNELS];
	int lo, raw4, raw6, link; /* sockets: what comes by lo; what goes in */
	struct net_batch {
		char *text;
		size_t len;
	} batch[2]; /* lines for `ip -batch` that are still to be done; for `ip -6 -batch` */
};

/* What came out: as case_output(). */
typedef void net_output_fn(int way, unsigned i, const void *data, u32 len);

/* A fresh namespace with lo. 0 or -errno. */
int net_open(struct net *n);
void net_close(struct net *n);

/* Words for the real `ip`, or `ip -6`, to be done by net_do(), which says 0 or -EINVAL. */
void net_ip(struct net *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void net_ip6(struct net *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int net_do(struct net *n);

/* Run a program to its end: its exit status, or -errno. */
int net_run(const char *const *argv);

/* Write a value of /proc/sys/net there; what is not there stays so. */
void net_sysctl(const char *name, const char *value);
void net_sysctl6(const char *dev, const char *name, const char *value);

/* A TAP that is up, with the index given (0: any). 0 or -errno. */
int net_tap(struct net *n, const char *name, u32 ifindex, u32 mtu);
struct net_tap *net_tap_named(struct net *n, const char *name);

/* Watch what tunnel i, a device by now, delivers. 0 or -errno. */
int net_watch(struct net *n, unsigned i, u32 ifindex);
void net_unwatch(struct net *n, unsigned i);

/* A packet arrives by a TAP. 0 or -errno. */
int net_arrive(struct net_tap *t, u16 ethertype, const void *data, u32 len);

/*
 * The stack gives a packet to a device: routed where it can be (source and
 * contents as they are), else as it is. 0 or -errno.
 */
struct net_packet {
	const u8 *data;
	u32 len;
	u16 ethertype;
	const struct virtio_net_hdr *vnet; /* NULL: whole and complete */
};

/* Whether it can be routed. */
bool net_is_routed(const struct net_packet *p);
int net_send(struct net *n, u32 ifindex, const struct net_packet *p);

/* Whether nothing waits in a packet or raw socket of this namespace, ours or the engine's. */
bool net_is_read(void);

/* Hand all that is there to output; how many packets that were. */
unsigned net_drain(struct net *n, net_output_fn *output);

#endif
