/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine with its descriptors: the core (core.h) fed from sockets and TUN
 * queues. One struct live a process, made by engine_main().
 *
 *	control.c	messages of the parent: namespaces and tunnels come and go
 *	live.c		packets in
 *	live_risen.c	tunnels that came up before the parent said so
 *	send.c		packets out, in batches
 *
 * A struct live_ns owns its descriptors and its tunnels; a struct live_tunnel
 * its TUN queue. Both are made and freed by messages only, after the packets of
 * a turn of the loop are done, so nothing in a batch ever points to what is gone.
 */
#ifndef TUNL_ENGINE_LIVE_H
#define TUNL_ENGINE_LIVE_H

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "engine/core.h"
#include "lib/htab.h"
#include "lib/list.h"
#include "lib/rtnl.h"

enum {
	LIVE_BATCH = 32,    /* packets read before they are worked on */
	LIVE_SEND = 512,    /* pieces collected before they are sent */
	LIVE_EVENTS = 256,  /* for the parent, while it does not read */
	LIVE_HEADROOM = 16, /* before a packet in its buffer: virtio header, kind */
	LIVE_LINK = 2,	    /* a link-layer header begins here: an Ethernet one ends at 16 */
	LIVE_GUARDS = 8,    /* protocols a namespace may have guards for */
	LIVE_TICK_MS = 1000,
};

/* What a ready descriptor is. The first member of what epoll hands back. */
enum live_kind {
	LIVE_CONTROL,
	LIVE_PACKET,
	LIVE_ICMP,
	LIVE_TUN,
	LIVE_ENCAP,
	LIVE_RING,
	LIVE_READER
};

struct live_fd {
	enum live_kind kind;
	int fd; /* -1: none */
};

/* A raw socket for one fwmark. */
struct live_mark {
	struct live_mark *next;
	u32 mark;
	int fd;
};

/* ESP in UDP to a port: its packet socket. */
struct live_encap {
	struct live_fd packet;
	struct live_encap *next;
	struct live_ns *in;
};

struct live_ns {
	struct engine_ns ns;
	struct hnode node; /* live.namespaces, by nsid */
	struct live *live;
	struct live_fd packet, icmp;
	int raw, icmp6; /* icmp6 -1: none */
	struct rtnl rtnl;
	struct live_mark *marks;
	int guard[LIVE_GUARDS];
	u32 nguards;
	bool behind; /* the last turn left packets in the queue */
	struct list tunnels;
	struct live_encap *encaps;
	struct live_reader *readers; /* of `tunl trace` (live_trace.h) */
	struct live_ring *ring;
};

struct live_tunnel {
	struct engine_tunnel t;
	u64 asked_ms;	  /* whether its device is up */
	struct list node; /* live_ns.tunnels */
	struct live_fd tun;
};

/* Ancillary data of a piece: the device and source it is routed with, its TOS. */
struct send_control {
	_Alignas(struct cmsghdr)
		u8 bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

/* Pieces collected for the wire. */
struct send_queue {
	u32 n;
	struct outgoing piece[LIVE_SEND];
	struct mmsghdr msg[LIVE_SEND];
	struct iovec iov[LIVE_SEND][2];
	struct sockaddr_in to[LIVE_SEND];
	struct send_control control[LIVE_SEND];
};

/* What the kernel says beside a received packet. */
struct packet_control {
	_Alignas(struct cmsghdr) u8 bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
};

/* Buffers of a batch; the IP header of each is 16-byte aligned. */
struct batch {
	_Alignas(16) u8 buf[LIVE_BATCH][LIVE_HEADROOM + ENGINE_PACKET];
	struct packet packet[LIVE_BATCH];
	struct mmsghdr msg[LIVE_BATCH];
	struct iovec iov[LIVE_BATCH][2];
	struct sockaddr_ll from[LIVE_BATCH];
	struct packet_control control[LIVE_BATCH];
};

struct live {
	struct engine engine;
	int epoll;
	struct live_fd control;
	struct engine_shared *shared;
	struct htab namespaces;
	struct live_tunnel **slot; /* ENGINE_SLOTS of them */
	struct send_queue send;
	struct batch batch;
	struct engine_event event[LIVE_EVENTS]; /* a ring of what the parent could not take yet */
	u32 event_first, event_count;
	bool ticking; /* some namespace needs esp_tick() */
	u64 tick_ms;  /* the next */
};

extern const struct engine_io live_io;

/* Wait for descriptors and serve them until the parent is gone. 0 or -errno. */
int live_loop(struct live *l);

/* Read one message of the parent's and do it. -EPIPE: it is gone. */
int control_read(struct live *l);

/* Messages about associations and policies; part of control_read(). */
int control_xfrm(struct live *l, struct live_ns *n, struct engine_xfrm_msg *m);

/* Send, or keep for when the parent reads again. */
void control_event(struct live *l, const struct engine_event *ev);
void control_flush(struct live *l);

/* Have descriptor f in the loop. 0 or -errno. */
int live_watch(struct live *l, struct live_fd *f);

/* As engine_io.risen (live_risen.c). */
bool live_risen(struct engine_ns *ns, const struct demux_ask *ask);

/* Close a descriptor that may be watched. */
void live_close(struct live_fd *f);

/* The parts of live_io that send. */
struct outgoing *send_out(struct engine_ns *ns);
void send_piece(struct engine_ns *ns, struct outgoing *o);
void send_flush(struct engine_ns *ns);
void send_icmp(struct engine_ns *ns, const struct icmp_message *m);

#endif
