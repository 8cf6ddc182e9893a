/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The modes that this build carries: one file and one exported constant each,
 * and the table of them (mode.c). What a mode is called, and the numbers of its
 * driver, stand in model/modes.h; here is how its packets look. A hook that is
 * NULL, a field that is 0, means the default named beside it, which is ipip's way.
 *
 * Hooks take values and give values: no socket, no memory of their own. What
 * they have to ask goes through struct mode_env; what a tunnel remembers between
 * packets is its struct mode_state, which the datapath keeps.
 *
 * A packet received takes these steps (spec datapath 3.1, 3.4):
 *	proto	which modes receive the outer protocol, in the order of the table
 *	parse	what stands behind the outer header
 *	lookup	the tunnel, by the rule of the mode
 *	takes	its protocol parameter
 *	accept	what else the mode demands
 * and one sent these (spec datapath 2):
 *	carries, dest, tos, (route), fit, build
 */
#ifndef TUNL_MODE_MODE_H
#define TUNL_MODE_MODE_H

#include "mode/fast.h"
#include "model/lookup.h"
#include "model/modes.h"
#include "model/prl.h"
#include "model/reasons.h"
#include "model/tunnel.h"
#include "wire/cur.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum {
	MODE_PROTOS = 3, /* outer protocols a mode receives at most */
	MODE_HEAD = 16,	 /* bytes that build() writes at most */
};

/* An outer protocol that a mode receives. */
struct mode_proto {
	u8 proto;	/* 0: no more */
	u8 min_payload; /* bytes behind the outer header; less is dropped silently */
	u16 ethertype;	/* of the inner packet; 0: parse says */
};

/* An inner packet. in4, in6: its header, where it is of that kind and there; else NULL. */
struct mode_inner {
	const struct ip4 *in4;
	const struct ip6 *in6;
	u32 len;
	u16 ethertype;
};

/* What stands between outer header and inner packet. */
struct mode_head {
	u16 ethertype; /* of the inner packet */
	u16 hlen;      /* bytes */
	u16 flags;     /* TUNL_F_* that it has */
	be32 key;      /* 0 without TUNL_F_KEY */
	u32 seq;
	bool summed; /* the Internet checksum of hlen bytes and the inner packet has to be right */
	bool nobody; /* a header that no tunnel can match */
};

/* A received packet whose tunnel is found. */
struct mode_received {
	be32 src, dst; /* outer */
	struct mode_head head;
	struct mode_inner in;
};

/*
 * What a mode may ask about the namespace and the tunnel's device: embedded in
 * what the answers come from. False: there is none.
 */
struct mode_env {
	const struct mode_env_ops *ops;
};

struct mode_env_ops {
	/* The next hop of the inner route to dst over the tunnel's device: a gateway, or dst. */
	bool (*next_hop4)(const struct mode_env *env, be32 dst, be32 *hop);
	bool (*next_hop6)(const struct mode_env *env, const struct ip6_addr *dst,
			  struct ip6_addr *hop);
	/* The link-layer address of a neighbour on the tunnel's device, an IPv4 address. */
	bool (*neighbour4)(const struct mode_env *env, be32 hop, be32 *lladdr);
	bool (*neighbour6)(const struct mode_env *env, const struct ip6_addr *hop, be32 *lladdr);
	/* The entry of the tunnel's potential router list for addr; NULL: it is not in. */
	const struct prl_entry *(*router)(const struct mode_env *env, be32 addr);
	/*
	 * Whether addr lies in the prefix of prefix_len bits around some IPv6 address
	 * of the tunnel's device; prefix_len 0: of the length configured with it.
	 */
	bool (*on_device)(const struct mode_env *env, const struct ip6_addr *addr, u32 prefix_len);
};

/* Whether an inner packet fits (spec datapath 2.4, 6.2). */
struct mode_fit {
	u32 len;  /* of the inner packet; of its largest segment, if merged */
	u32 room; /* for it on the path: MTU less outer header and hlen; 0 at least */
	bool df;  /* of the outer header; fit() may clear it */
	u32 mtu;  /* set by fit(): to tell the sender with R_TX_TOO_BIG */
};

/* What build() has to know of one packet. */
struct mode_push {
	u16 ethertype;
	u32 seq;
	u32 sum; /* running checksum (csum_add) of the inner packet, if sums() */
};

/* How the other end is asked whether it is there (`keepalive`). */
enum mode_probe {
	PROBE_UDP,   /* inside, a datagram to a port where nobody listens, which its IP tells */
	PROBE_GRE,   /* inside, a GRE packet to us, which it sends on */
	PROBE_ECHO6, /* inside, an ICMPv6 echo request to all nodes of the link */
};

struct mode {
	enum mode_id id;
	/* received; none: another mode of the same driver (mode_info()->driver) receives for it */
	struct mode_proto proto[MODE_PROTOS];
	bool esp; /* packets go through security associations (spec 9): of the rest only fast is
		     asked */
	enum mode_probe probe;
	bool joins; /* a multicast remote is a group that the tunnel is in while up */
	/* of the driver; LOOKUP_PLAIN: keys do not matter (spec datapath 3.2) */
	enum lookup_kind lookup;

	/* bytes between the outer IP header and the inner packet; NULL: 0 */
	u16 (*hlen)(const struct tunnel_cfg *cfg);

	/*
	 * Take the header at c apart, of a packet that has the outer protocol p->proto;
	 * of a quoted one perhaps only the first bytes. h is zero before. R_NONE, or why
	 * the packet is dropped with no tunnel searched. NULL: no header, p->ethertype.
	 */
	enum reason (*parse)(struct cur *c, const struct mode_proto *p, struct mode_head *h);
	/* whether a tunnel receives outer protocol proto; NULL: only mode_info()->proto */
	bool (*takes)(const struct tunnel_cfg *cfg, u8 proto);
	/*
	 * Whether the tunnel accepts the packet, before its inner length is looked at:
	 * r->in.in4 and in6 are NULL where it is too short. NULL: yes.
	 */
	enum reason (*accept)(const struct tunnel_cfg *cfg, const struct mode_env *env,
			      const struct mode_received *r, struct mode_state *st);
	/*
	 * Whether the device may act on what the packet, an IPv6 one that was accepted,
	 * advertises as a router. NULL: yes.
	 */
	bool (*believes)(const struct tunnel_cfg *cfg, const struct mode_env *env,
			 const struct mode_received *r);

	/*
	 * The outer protocol for an inner packet of that kind; 0: not carried. NULL: the
	 * row of proto[] with that ethertype, if the tunnel takes it.
	 */
	u8 (*carries)(const struct tunnel_cfg *cfg, u16 ethertype);
	/* for an inner packet shorter than its header; 0: R_TX_INNER_SHORT */
	enum reason too_short;
	/* The outer destination. NULL: mode_dest(). */
	enum reason (*dest)(const struct tunnel_cfg *cfg, const struct mode_env *env,
			    const struct mode_inner *in, be32 *dst);
	/* Outer TOS before ECN, from that of the inner packet. NULL: mode_tos(). */
	u8 (*tos)(const struct tunnel_cfg *cfg, const struct mode_inner *in);
	/* NULL: mode_fit() */
	enum reason (*fit)(const struct tunnel_cfg *cfg, const struct mode_inner *in,
			   struct mode_fit *f);
	/*
	 * the route to the outer destination of an IPv6 packet must be to a host; its
	 * absence is told to the sender
	 */
	bool needs_host, tells_no_route;
	/* Write the hlen() bytes before the inner packet. NULL: there are none. */
	void (*build)(const struct tunnel_cfg *cfg, const struct mode_push *push, u8 *at);
	/* whether build() wants push->sum; whether each packet on the wire has a number; NULL: no
	 */
	bool (*sums)(const struct tunnel_cfg *cfg);
	bool (*numbers)(const struct tunnel_cfg *cfg);

	/*
	 * What the bpf datapath has to know to carry the tunnel; how is zero before.
	 * False: the engine alone carries this one. NULL: it does all of them.
	 */
	bool (*fast)(const struct tunnel_cfg *cfg, struct mode_fast *how);

	/* Whether an ICMP error about our packet counts against the tunnel (5.3). NULL:
	 * mode_soft(). */
	bool (*soft)(const struct tunnel_cfg *cfg, u8 type, u8 code);
};

extern const struct mode mode_ipip;
extern const struct mode mode_gre;
extern const struct mode mode_sit;
extern const struct mode mode_isatap;
extern const struct mode mode_vti;

/* The mode of that id, or NULL where this build has none. */
const struct mode *mode_by_id(enum mode_id id);

/*
 * The i-th of the modes that receive an outer protocol, in the order in which
 * the kernel's handlers stand (spec datapath 3.1), with its row in *p; NULL: no more.
 */
const struct mode *mode_receiver(u8 proto, u32 i, const struct mode_proto **p);

/* Hooks with their defaults. */
u16 mode_hlen(const struct tunnel_cfg *cfg);
bool mode_takes(const struct tunnel_cfg *cfg, u8 proto);
u8 mode_carries(const struct tunnel_cfg *cfg, u16 ethertype);

/* The remote; without one, the next hop of an IPv4 packet (spec datapath 2.1). */
enum reason mode_dest(const struct tunnel_cfg *cfg, const struct mode_env *env,
		      const struct mode_inner *in, be32 *dst);

/* Inherited from IP of both kinds (spec datapath 2.2). */
u8 mode_tos(const struct tunnel_cfg *cfg, const struct mode_inner *in);

/* The TOS or traffic class of an inner packet; 0: it has none. */
u8 mode_inner_tos(const struct mode_inner *in);

/*
 * An IPv4 packet that must not be fragmented has to fit into the path. So has an
 * IPv6 packet with pmtudisc; but 1280 bytes always go, in fragments if need be.
 */
enum reason mode_fit(const struct tunnel_cfg *cfg, const struct mode_inner *in, struct mode_fit *f);

/* Spec datapath 5.3, the column of ipip and sit. */
bool mode_soft(const struct tunnel_cfg *cfg, u8 type, u8 code);

#endif
