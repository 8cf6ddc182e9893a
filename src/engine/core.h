/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The datapath itself, without a socket: inner packets in, outer packets out
 * (tx.c) and the other way (rx.c), and the ICMP about both (icmp_out.c,
 * icmp_in.c). What it needs of the world it asks of struct engine_io: the live
 * engine answers with sockets (live.c), a test with a table.
 *
 * Nothing is allocated per packet. A struct engine holds any number of struct
 * engine_ns, each with its tunnels; all belong to whoever made them. Times are
 * CLOCK_BOOTTIME milliseconds, read once a turn into engine.now_ms.
 */
#ifndef TUNL_ENGINE_CORE_H
#define TUNL_ENGINE_CORE_H

#include <linux/virtio_net.h>

#include "engine/inner6.h"
#include "engine/limit.h"
#include "engine/proto.h"
#include "engine/route.h"
#include "engine/vrf.h"
#include "ipsec/esp.h"
#include "lib/types.h"
#include "mode/mode.h"
#include "model/lookup.h"
#include "model/prl.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum {
	ENGINE_HEAD = 224,	    /* most bytes of headers before a piece of payload */
	ENGINE_PACKET = 65536 + 64, /* largest packet, with room for what is before it */
	ENGINE_ICMP_MAX = 576,	    /* an ICMP error, its IP header included (spec datapath 5.1) */
	ENGINE_ICMP6_MAX = 1280,
	ENGINE_ESP = 1 << 20, /* bytes of what is enciphered and not yet sent */
};

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* younger than Debian 12's headers */
#endif

struct demux_ask;
struct engine_ns;
struct engine_tunnel;
struct trace_event;

/*
 * A packet in a buffer of the caller's. The core may change its bytes, and those
 * of an outgoing piece may lie in it until engine_io.flush().
 */
struct packet {
	u8 *data; /* from the IP header on */
	u32 len;
	u16 ethertype;		    /* host order */
	struct virtio_net_hdr vnet; /* what is merged in it or left out; offsets from data */
};

/* One packet for the wire: head, then body. */
struct outgoing {
	struct engine_ns *ns;
	struct engine_tunnel *tunnel; /* NULL: nobody counts it */
	be32 src;		      /* for the route; 0: as routed */
	be32 dst;
	u32 mark;
	u32 oif;     /* `dev`; 0: as routed */
	u8 tos;	     /* for the route */
	u32 account; /* inner bytes to count as one packet when it is out; 0: counted elsewhere */
	u32 head_len, body_len;
	const u8 *body;
	u8 head[ENGINE_HEAD];
};

/* An ICMP or ICMPv6 message to send; the kernel adds the IP header. */
struct icmp_message {
	bool v6;
	be32 dst;
	be32 src;	      /* zero: as routed */
	struct ip6_addr dst6; /* v6; from as routed */
	u8 tos;
	u32 len;
	/* from the ICMP header on, checksummed (ICMPv6: the kernel does) */
	u8 data[ENGINE_ICMP6_MAX - IP6_HLEN];
};

/* What the core asks for. Each call is about the namespace given. */
struct engine_io {
	/* As rtnl_route_get(). */
	int (*route)(struct engine_ns *ns, const struct route_key *key, struct route *rt);
	/* The next hop of an IPv6 packet over t's device: a gateway, or dst. 0 or -errno. */
	int (*next_hop6)(struct engine_tunnel *t, const struct ip6_addr *dst, struct ip6_addr *hop);
	/* Up to max IPv6 addresses of t's device into a; how many. */
	u32 (*addresses6)(struct engine_tunnel *t, struct inner6_addr *a, u32 max);
	/* Whether an address is this host's own. NULL: none is. */
	bool (*is_ours6)(struct engine_ns *ns, const struct ip6_addr *addr);
	/* As rtnl_neighbour_get(), on t's device. */
	int (*neighbour)(struct engine_tunnel *t, u8 family, const void *addr, be32 *lladdr);
	/* The VRF that a device is in; 0: none. NULL: there are no VRFs. */
	u32 (*vrf)(struct engine_ns *ns, u32 ifindex);
	/* The next free piece, to be filled and sent; never NULL. */
	struct outgoing *(*out)(struct engine_ns *ns);
	/* Take the piece that out() gave. engine_sent() tells the core what came of it. */
	void (*send)(struct engine_ns *ns, struct outgoing *o);
	/* Everything sent has to be out, or copied, on return. */
	void (*flush)(struct engine_ns *ns);
	/* Give an inner packet to the tunnel's device. 0 or -errno. */
	int (*deliver)(struct engine_tunnel *t, const struct packet *p);
	void (*icmp)(struct engine_ns *ns, const struct icmp_message *m);
	/* Whether a tunnel that the packet may be for has come up; it is in the lookup then. NULL:
	 * no. */
	bool (*risen)(struct engine_ns *ns, const struct demux_ask *ask);
	/* Tell the parent; nsid is filled in. */
	void (*event)(struct engine_ns *ns, const struct engine_event *ev);
	/* Tell whoever traces; called only where ns->traced. */
	void (*trace)(struct engine_ns *ns, const struct trace_event *ev);
};

struct engine {
	const struct engine_io *io;
	u64 now_ms;
	u64 random;		    /* state of engine_random(); the maker seeds it, not with 0 */
	u64 *unmatched;		    /* engine_shared.unmatched */
	struct mode_state *numbers; /* by slot, shared with the bpf programs; NULL: with nobody */
	struct limit log;
	/* what has to be put together to be fragmented; the inner packet begins at MODE_HEAD */
	u8 scratch[MODE_HEAD + ENGINE_PACKET];
	struct xfrm_mib uncounted; /* of namespaces that the parent counts nowhere */
	u64 now_s;		   /* the wall clock's, for the lifetimes of associations */
	u32 esp_used;
	u8 esp[ENGINE_ESP]; /* pieces that wait for flush() point into it */
};

enum { ENGINE_IDS = 2048 };

struct engine_ns {
	struct engine *engine;
	u32 nsid;
	struct lookup lookup[MODE__MAX]; /* by driver */
	struct route_cache routes;
	struct vrf_cache vrfs;
	struct inner6_cache inner6;
	struct icmp_limits icmp_limits;
	bool traced;	     /* somebody wants to know of every packet (engine/trace.h) */
	u32 parent_gen;	     /* of what is looked up (engine_msg.gen) */
	u16 ids[ENGINE_IDS]; /* next outer id, by destination, source and protocol */
	struct xfrm_db xfrm;
	struct xfrm_mib *mib; /* never NULL */
};

struct engine_tunnel {
	struct lookup_node node; /* in its namespace's lookup while up */
	struct engine_ns *ns;
	const struct mode *mode;
	struct tunnel_cfg cfg;
	struct engine_link link;
	struct engine_slot *shared; /* counters, soft errors */
	struct mode_state *state;   /* of engine.numbers, else of shared */
	u32 slot;
	struct prl *routers; /* of isatap; NULL: none were named */
	u16 hlen;	     /* bytes between outer IP header and inner packet */
	bool fast;	     /* the bpf datapath carries it, too */
	u64 told_ms;	     /* when the parent was last told of a next hop */
	bool in;	     /* node is in the lookup */
};

/* An empty namespace; engine_ns_fini() frees what it holds (its tunnels are out by then). */
void engine_ns_init(struct engine_ns *ns, struct engine *e, u32 nsid);
void engine_ns_fini(struct engine_ns *ns);

/*
 * Make t, which is zero or was set before, what msg (ENGINE_TUNNEL_SET) says.
 * 0; -EOPNOTSUPP: a mode this build has not; -ENOMEM.
 */
int engine_tunnel_set(struct engine_tunnel *t, struct engine_ns *ns, const struct engine_msg *msg,
		      struct engine_slot *shared);
void engine_tunnel_unset(struct engine_tunnel *t);

/* The device is up, as the parent will say in a moment. 0 or -ENOMEM. */
int engine_tunnel_risen(struct engine_tunnel *t);

/* engine.numbers is new: t goes on in it where it was, or further where that is further. */
void engine_tunnel_numbers(struct engine_tunnel *t);

/* The next sequence number of t's, taken. */
u32 engine_number(struct engine_tunnel *t);

/* Keep what t's state is now where it outlives the map: the file has it if no program does. */
void engine_keep_state(struct engine_tunnel *t);

/* Add a router that t believes, before those it has; NULL: it has none. 0 or -errno. */
int engine_tunnel_router(struct engine_tunnel *t, const struct prl_entry *router);

/* An inner packet that was routed to t's device. */
void engine_tx(struct engine_tunnel *t, struct packet *p);

/* What came of a piece: err 0, or the positive errno of its sending. */
void engine_sent(struct engine_ns *ns, const struct outgoing *o, int err);

/* An IPv4 packet for this host, unmerged or merged, that arrived by device iif. */
void engine_rx(struct engine_ns *ns, u32 iif, struct packet *p);

/* An ICMP packet for this host, from its IPv4 header on. */
void engine_icmp(struct engine_ns *ns, u32 iif, const u8 *data, u32 len);

/* Parts of the core, for each other. */

/* Take n bytes (at most p->len) off the front; the virtio header follows. */
void packet_strip(struct packet *p, u32 n);

/* The next n outer ids of this flow; never 0, which the kernel would replace (spec 2.3, 14.5). */
u16 engine_ids(struct engine_ns *ns, const struct ip4_fields *outer, u32 n);

/* Count a drop; a NULL tunnel: nobody's. */
void engine_drop(struct engine_ns *ns, struct engine_tunnel *t, enum reason r);

/* xorshift64*. */
u32 engine_random(struct engine *e);

/* A log line, at a limited rate. */
void engine_log(struct engine_ns *ns, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
