/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tunld's parent and its engine say to each other, over a SOCK_SEQPACKET
 * pair: one struct a datagram, descriptors beside it as SCM_RIGHTS. Both ends
 * are the same executable, so a struct's layout is the protocol. The parent
 * believes nothing that the engine says without checking it: the engine reads
 * what strangers send.
 *
 * A namespace is a number of the parent's choosing (nsid), a tunnel a slot in
 * the shared counters (struct engine_shared). The parent opens every
 * descriptor; the engine opens none.
 */
#ifndef TUNL_ENGINE_PROTO_H
#define TUNL_ENGINE_PROTO_H

#include "engine/limit.h"
#include "ipsec/db.h"
#include "ipsec/mib.h"
#include "lib/rtnl.h"
#include "lib/types.h"
#include "mode/mode.h"
#include "model/prl.h"
#include "model/stats.h"
#include "model/tunnel.h"

enum { ENGINE_FD = 3 };		/* the engine's end, at its start */
enum { ENGINE_SHARED_FD = 4 };	/* the shared counters, at its start */
enum { ENGINE_SLOTS = 131072 }; /* tunnels at once, all namespaces together */
enum { ENGINE_SAS = 8192 };	/* security associations, likewise */
enum { ENGINE_MIBS = 1024 };	/* namespaces that have some */

#define ENGINE_NO_SLOT 0xffffffffU

/* Parent to engine. Descriptors in brackets, in this order. */
enum engine_op {
	ENGINE_NS_ADD,	 /* nsid, rates [packet, raw out, icmp, rtnl, icmp6 if the kernel has it] */
	ENGINE_NS_DEL,	 /* nsid: close all of it, now */
	ENGINE_NS_FLUSH, /* nsid: routes, rules or addresses changed; forget what was looked up */
	ENGINE_PROTO_ADD, /* nsid, proto [raw socket that keeps the kernel from answering] */
	ENGINE_MARK_ADD,  /* nsid, cfg.fwmark [raw out with that mark]: before the first tunnel with
			     it */
	ENGINE_TUNNEL_SET,     /* nsid, slot, link, cfg [tun queue, at the first time] */
	ENGINE_TUNNEL_DEL,     /* nsid, slot */
	ENGINE_ROUTER_ADD,     /* nsid, slot, router: before those that the tunnel has */
	ENGINE_ROUTER_DEL_ALL, /* nsid, slot */
	ENGINE_PROBE,	       /* nsid, slot: ask the other end (engine/keepalive.h) */
	ENGINE_NUMBERS,	       /* [map]: of a struct mode_state a slot, which count from now on */
	ENGINE_ENCAP_ADD,      /* nsid, port [packet socket of ESP in UDP to that port] */
	/* a struct engine_xfrm_msg each; the slot is of its own kind */
	ENGINE_MIB_SET,	   /* nsid, slot: where the namespace counts */
	ENGINE_SA_SET,	   /* nsid, slot, sa: new, or with other limits and selector */
	ENGINE_SA_DEL,	   /* nsid, slot */
	ENGINE_POLICY_ADD, /* nsid, slot, policy */
	ENGINE_POLICY_DEL, /* nsid, slot */
	/* model/trace.h; the slot is the reader's number */
	ENGINE_TRACE_ADD,  /* nsid, slot [socket to the reader] */
	ENGINE_TRACE_DEL,  /* nsid, slot */
	ENGINE_TRACE_RING, /* nsid [ring buffer of the BPF programs; none: it is gone] */
};

/* The state of the tunnel's device, as the parent's netlink tells it. */
struct engine_link {
	u32 ifindex;
	u32 mtu;
	bool up;
};

struct engine_msg {
	enum engine_op op;
	u32 nsid;
	u32 slot;
	u8 proto;
	bool fast; /* the bpf datapath carries it; the engine has what is handed over */
	u64 order; /* creation order: newest wins where the lookup says so */
	u32 gen;   /* NS_ADD, NS_FLUSH: what is looked up from now on bears it */
	struct engine_link link;
	struct tunnel_cfg cfg;
	struct prl_entry router;
	struct icmp_rates rates; /* NS_ADD */
};

/* A message about a security association or policy; begins as engine_msg does. */
struct engine_xfrm_msg {
	enum engine_op op;
	u32 nsid;
	u32 slot;
	union {
		struct sa_cfg sa; /* keys: wipe it when it was sent, or taken */
		struct policy_cfg policy;
	};
};

/* Engine to parent. */
enum engine_event_op {
	ENGINE_READY,	 /* after start: sandboxed and looping */
	ENGINE_PMTU,	 /* nsid, slot or ENGINE_NO_SLOT, dst: its route is out of date */
	ENGINE_NEXTHOP,	 /* nsid, slot, inner, dst: of an NBMA tunnel, inner goes to dst */
	ENGINE_SOFT,	 /* nsid, slot, active: errors are (no longer) to be replayed (spec 5.2) */
	ENGINE_SA_LIMIT, /* nsid, slot of an association, active: a hard limit was reached, else
			    soft */
	ENGINE_HEARD,	 /* nsid, slot, dst: a probe was answered by dst */
	ENGINE_LOG,	 /* text: one line for the log; the engine limits the rate */
};

struct engine_event {
	enum engine_event_op op;
	u32 nsid;
	u32 slot;
	u32 gen; /* NEXTHOP: of the last NS_ADD or NS_FLUSH, for nsid */
	be32 inner, dst;
	struct ip6_addr inner6;
	bool inner_is_v6;
	bool active;
	char text[200];
};

/*
 * Memory that both map, in a file that outlives both: the engine alone writes
 * the counters. One cache-line aligned entry a slot, so that the file grows
 * with the highest slot in use only (it is sparse).
 */
struct engine_slot {
	struct tunnel_stats stats;
	u32 err_count;		 /* soft errors to replay (spec 5.2) */
	u64 err_time_ms;	 /* CLOCK_BOOTTIME of the last one */
	struct mode_state state; /* with ENGINE_NUMBERS: as of the engine's last packet */
} __attribute__((aligned(64)));

struct engine_shared {
	u32 version; /* ENGINE_SHARED_VERSION, else the file is made anew */
	u32 slot_size;
	u64 unmatched[R__MAX]; /* drops that are no tunnel's */
	struct engine_slot slot[ENGINE_SLOTS] __attribute__((aligned(64)));
	struct xfrm_mib mib[ENGINE_MIBS] __attribute__((aligned(64)));
	struct sa_live sa[ENGINE_SAS] __attribute__((aligned(64)));
};

enum { ENGINE_SHARED_VERSION = 3 };

#endif
