/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads the programs of the bpf datapath and keeps their maps. All calls are
 * made by a thread that stands in the network namespace concerned.
 */
#ifndef TUNL_BPF_LOADER_H
#define TUNL_BPF_LOADER_H

#include "bpf/maps.h"
#include "lib/err.h"

struct bpf_ns; /* programs and maps of one namespace; owned by the caller */

/*
 * The map that has the numbers of all namespaces, BPF_SEQ_MAX entries of struct
 * mode_state, to be mapped by mmap(): a new one, or the one that the program on
 * tunnel device ifindex uses. Its descriptor, the caller's; or -errno.
 */
int bpf_seq_new(void);
int bpf_seq_of(u32 ifindex);

/*
 * Load the programs with fresh maps, but for seq_fd, which is the numbers' (-1: a
 * fresh one, too). -errno with e filled says why the bpf datapath cannot be had
 * here (the probe by trying).
 */
int bpf_ns_load(struct bpf_ns **b, int seq_fd, struct err *e);

/*
 * Load the programs anew, but upon the maps (and so the counters) that the
 * program on tunnel device ifindex uses; the old programs go on until
 * bpf_ns_attach_*() replaces each in one step. -ENOENT: there is none, or its
 * maps have another layout. seq_fd is the numbers' map from now on (-1: as it was).
 */
int bpf_ns_adopt(struct bpf_ns **b, u32 ifindex, int seq_fd, struct err *e);

/* A ring buffer for bpf_ns_trace() and its reader, of TRACE_RING bytes: its descriptor or -errno.
 */
int bpf_ring_new(void);

/*
 * From now on the programs tell of packets in ring_fd (bpf/trace.h; borrowed), or
 * with -1 no longer: every device gets other programs, in one step each.
 */
int bpf_ns_trace(struct bpf_ns *b, int ring_fd, struct err *e);

/* Close our descriptors. What is attached goes on. NULL is fine. */
void bpf_ns_close(struct bpf_ns *b);

/*
 * Put the programs on a device: on a tunnel's the sending one, on an underlay's
 * the receiving one. A tunnel device that another tunnel's packets come in by is
 * an underlay as well. What stands there of an earlier load is replaced in one
 * step; filters of others are left alone. -ENODEV: no such device.
 */
int bpf_ns_attach_tunnel(struct bpf_ns *b, u32 ifindex, struct err *e);
int bpf_ns_attach_underlay(struct bpf_ns *b, u32 ifindex, struct err *e);

/*
 * Take them off again, both of them (and the clsact qdisc where it was ours and
 * is empty). A device that is gone is fine. b may be NULL: what an earlier load
 * left there goes as well.
 */
void bpf_ns_detach(struct bpf_ns *b, u32 ifindex);

/*
 * Set or, with NULL, delete an entry; deleting what is not there is no error.
 * Setting tx makes the tunnel's stats, which stay until bpf_ns_del_stats().
 * The maps grow as needed, which loads the programs anew and replaces them on
 * every device of the namespace that has them; -ENOSPC: beyond BPF_TUNNELS_MAX.
 */
enum { BPF_TUNNELS_MAX = 131072 };

int bpf_ns_set_tx(struct bpf_ns *b, u32 ifindex, const struct bpf_tx *tx);
int bpf_ns_set_rx(struct bpf_ns *b, const struct bpf_rx_key *key, const struct bpf_rx *rx);
int bpf_ns_set_local(struct bpf_ns *b, be32 addr, bool present);
int bpf_ns_set_nbma(struct bpf_ns *b, const struct bpf_nbma_key *key, const struct bpf_hop *hop);
int bpf_ns_set_state(struct bpf_ns *b, const struct bpf_ns_state *st);

/*
 * fn for each key that an adopted load's map has: u32 ifindex, struct bpf_rx_key,
 * be32 address. fn may delete the entry it is called for.
 */
enum bpf_keys { BPF_KEYS_TX, BPF_KEYS_RX, BPF_KEYS_LOCAL };
typedef void bpf_key_fn(const void *key, void *arg);
void bpf_ns_each_key(struct bpf_ns *b, enum bpf_keys which, bpf_key_fn *fn, void *arg);

/*
 * Make the peers of an isatap tunnel those: keys with its ifindex, of routers and
 * of prefixes. What else the map has of it goes. 0 or -errno.
 */
int bpf_ns_set_peers(struct bpf_ns *b, u32 ifindex, const struct bpf_peer_key *peer, u32 n);

/*
 * Entries of tunl_neigh, for bpf_tx.neigh: take gives a free one, of which nothing is
 * known yet (0: there is none), give takes it back; no tunnel may have it then.
 */
u32 bpf_ns_neigh_take(struct bpf_ns *b);
void bpf_ns_neigh_give(struct bpf_ns *b, u32 i);
int bpf_ns_set_neigh(struct bpf_ns *b, u32 i, const struct bpf_neigh *n);

/* The stats of a tunnel, summed over CPUs; del frees the entry. */
int bpf_ns_get_stats(struct bpf_ns *b, u32 ifindex, struct tunnel_stats *sum);
void bpf_ns_del_stats(struct bpf_ns *b, u32 ifindex);

#endif
