/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The things that tunld's parent keeps, and their life.
 *
 * struct daemon is the process: one, on the stack of daemon_main(), handed to
 * whatever needs it. It owns the namespaces, the tunnels, the state file, the
 * shared counters, the engine and the control socket.
 *
 * A struct ns is a network namespace in which a tunnel was made (its home) or
 * to which a tunnel's device was moved. It is there from the first such tunnel
 * to the last, and holds the namespace by its descriptors; netns_scan() lets go
 * of one that nobody else holds.
 *
 * A struct tunnel has a home, where its outer packets are and where its
 * addresses must be unlike others', and a place, where its device is: another
 * one after `ip link set ... netns` (spec cli 2.6).
 *
 * Everything runs in one thread on one loop. Requests, notifications and
 * start-up change these structs and then call reconcile_now() or
 * reconcile_soon(), which makes maps and engine agree with them.
 */
#ifndef TUNL_DAEMON_DAEMON_H
#define TUNL_DAEMON_DAEMON_H

#include <limits.h>
#include <sys/types.h>
#include <uv.h>

#include "bpf/loader.h"
#include "daemon/group.h"
#include "engine/proto.h"
#include "lib/err.h"
#include "lib/htab.h"
#include "lib/list.h"
#include "lib/rtnl.h"
#include "model/lookup.h"
#include "model/prl.h"
#include "model/tunnel.h"

enum { PATH_LEN = 256 };

struct confd;
struct control;
struct engine;
struct neigh;
struct numbers;
struct nsx;
struct nstrace;
struct pulse;
struct shared;
struct state;

/* How a namespace is told from others: its nsfs inode now, its cookie for ever. */
struct ns_identity {
	dev_t dev;
	ino_t ino;
	u64 cookie; /* 0: the kernel has none (before 5.14) */
};

struct daemon {
	uv_loop_t loop;
	char rundir[PATH_LEN - 32];
	struct list namespaces; /* of struct ns */
	struct list tunnels;	/* of struct tunnel, in order of creation */
	struct htab by_slot;	/* and by slot (index.h) */
	u32 next_nsid;
	u64 next_order;
	struct state *state;
	struct shared *shared;
	struct numbers *numbers; /* NULL: nothing is carried by bpf yet */
	struct engine *engine;
	struct control *control;
	struct confd *conf;
	struct monitor *monitor;  /* NULL: nobody monitors */
	uv_timer_t pulse;	  /* runs while somebody does */
	uv_timer_t keep;	  /* runs while some tunnel has `keepalive` */
	struct tunnel_stats gone; /* what tunnels had counted that are no more */
	bool ending;
	struct ns_identity started_in; /* ino 0: not known */
	bool gather;	  /* many tunnels are made at once: they are taken over together */
	bool bulk;	  /* likewise, all the while: namespaces are looked at now and then */
	uv_poll_t mounts; /* /proc/self/mountinfo: says when a name went */
	int mounts_fd;
	uv_timer_t beat;  /* what the maps have of neighbours is kept (neigh.c) */
	uv_timer_t scan;  /* runs while namespaces are held */
	bool scan_mounts; /* the names of namespaces are to be looked at again */
	uv_signal_t term, intr;
	bool kernel_esp, kernel_asked; /* the kernel's associations are vti's: xfrm_is_kernels() */
	bool restart;		       /* after the loop: start the program anew */
};

struct ns {
	struct list node;
	struct daemon *daemon;
	u32 nsid; /* our number of it, for the engine */
	struct ns_identity id;
	int fd;
	struct rtnl rtnl; /* requests in it */
	int events_fd;	  /* notifications of it */
	uv_poll_t events;
	uv_timer_t timer;	     /* reconcile_soon(), and the expiry of learned path MTUs */
	struct list home;	     /* struct tunnel.in_home */
	struct list here;	     /* struct tunnel.in_place */
	struct htab by_device;	     /* the same by ifindex (index.h) */
	struct htab by_config;	     /* those of home by addresses */
	struct htab links;	     /* struct link by ifindex (link.h) */
	struct htab addrs;	     /* struct addr by address (link.h) */
	struct htab neighs;	     /* struct neigh by device and address (neigh.c) */
	struct lookup rx[MODE__MAX]; /* the tunnels that are up, by driver */
	struct htab rx_dirty;	     /* keys of tunl_rx to be compiled again (rxmap.c) */
	struct bpf_ns *bpf;
	struct bpf_ns_state bpf_state;
	struct err bpf_err;    /* why bpf is NULL, once it was tried */
	u64 rest_until_ms;     /* no reconcile_soon() before: as long as the last one took */
	bool named;	       /* a mount holds it */
	pid_t witness;	       /* a process seen in it; 0: none */
	bool engine_has;       /* the engine was told of it, of these protocols and marks: */
	u8 engine_protos[32];  /* a bit each */
	u32 marks[16], nmarks; /* the newest */
	bool links_lost;       /* notifications were lost: look at all devices again */
	bool follow;	       /* of some tunnel made here the device is to be looked at */
	bool whole;	       /* all tunnels are to be looked at, not only `touched` */
	struct list touched;   /* struct tunnel.in_touched, of those made here */
	bool swept;	       /* what an earlier daemon left on devices is gone */
	bool addrs_changed, routes_changed;
	bool inner6_changed;   /* addresses, routes or rules of IPv6, neighbours of a tunnel */
	bool neighbours;       /* events_fd tells of neighbours */
	u32 hops_gen;	       /* of next hops as the engine knows them: those of another are old */
	bool nbma_stale;       /* what tunl_nbma has is out of date */
	struct nstrace *trace; /* NULL: nobody traces it (trace.h) */
	struct nsx *xfrm;      /* associations and policies; NULL: there never were any */
	u32 busy;	       /* reconcile is at it: it may not go now */
	u8 open_handles;       /* being closed, on its way out */
};

/* Where a tunnel stands in the tables (index.c). */
struct tunnel_index {
	struct hnode slot, device, config;
	struct ns *place; /* whose table of devices it is in */
	bool in;
};

/* Where a tunnel's keepalive stands (keepalive.h). */
struct keep {
	u64 due_ms; /* of the next probe, uv_now() */
	u64 rx;	    /* packets received by the last one */
	u32 missed; /* probes in a row that brought nothing */
	bool asked; /* one was sent */
	bool heard; /* an answer that no counter counts came since */
	bool down;  /* no carrier */
};

struct tunnel {
	struct list node;	/* daemon.tunnels */
	struct list in_home;	/* home->home */
	struct list in_place;	/* place->here */
	struct list in_touched; /* home->touched, or on no list */
	struct ns *home, *place;
	struct tunnel_index index;
	struct tunnel_cfg cfg; /* as desired; cfg.name: as created */
	struct prl *prl;       /* routers of an ISATAP tunnel; NULL: none were named */
	u32 slot;
	u64 order;
	int queue;		    /* the TUN queue; -1: not attached */
	struct engine_link link;    /* the device, as netlink tells */
	char ifname[TUNL_NAME_LEN]; /* its name now */
	char why[160];		    /* why that datapath */
	bool fast;		    /* the bpf datapath carries it */
	bool soft;		    /* errors are to be replayed: the engine has every packet */
	bool resolve;		    /* the hop is to be looked up again */
	bool follow;		    /* the device is to be looked at again */
	u64 expires_ms;		  /* uv_now() at which the hop's path MTU is forgotten; 0: never */
	struct bpf_hop hop;	  /* remote set: what the route says */
	struct neigh *neigh;	  /* hop's next hop, if its addresses are in the maps */
	struct bpf_tx sent_tx;	  /* what the map has; valid with has_tx */
	struct engine_msg sent;	  /* what the engine was told; valid with engine_has */
	struct membership group;  /* that a multicast remote has it in */
	struct tunnel_stats base; /* what the maps had counted when the device was moved */
	struct lookup_node rx;	  /* in home->rx; valid with in_rx */
	struct keep keep;
	struct pulse *pulse; /* NULL: nobody looked yet */
	u32 pmtu;	     /* of the path to the remote, as it was last told; 0: never */
	bool announced;	     /* its being made is told, so its end is, too */
	bool told_up;	     /* as who monitors knows it */
	bool has_tx, in_rx, engine_has, attached;
	bool prl_told;	/* the engine has prl; valid with engine_has */
	bool has_peers; /* tunl_peer is as routers and addresses are */
	bool unmerged;	/* the device gives single packets only */
};

/* The whole program: returns the exit status. */
int daemon_main(int argc, char **argv);

#endif
