/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bpf datapath of one namespace. A struct bpf_ns holds the current load of
 * programs and maps (bpf/object.h). Growing means a new load: new maps, filled
 * from the old; new programs wherever the old are; then what the old ones counted
 * is put aside in the map `base`, so that no packet goes uncounted.
 */
#include "bpf/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/membarrier.h>
#include <net/if.h>
#include <sys/syscall.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/counts.h"
#include "bpf/object.h"
#include "bpf/tc.h"
#include "bpf/underlay.h"
#include "model/trace.h"
#include "model/tunnel.h"

/* Room at first, and by what it grows: few namespaces have more than some tunnels. */
enum { SIZE_FIRST = 64, SIZE_FACTOR = 8 };

struct bpf_ns {
	struct bpf_set set;
	struct bpf_set traced;	   /* while somebody traces: these are on the devices */
	int ring;		   /* with traced.loaded */
	u32 gen;		   /* as last set */
	bool neigh[BPF_NEIGH_MAX]; /* the entries of tunl_neigh that are taken */
};

/* The programs for devices. */
static const struct bpf_set *programs(const struct bpf_ns *b)
{
	return b->traced.loaded ? &b->traced : &b->set;
}

static int map_set(struct bpf_ns *b, enum bpf_map_id map, const void *key, const void *value)
{
	return bpf_set_update(b->set.map[map], key, value, BPF_ANY);
}

static int map_del(struct bpf_ns *b, enum bpf_map_id map, const void *key)
{
	if (bpf_map_delete_elem(b->set.map[map], key) && errno != ENOENT)
		return -errno;
	return 0;
}

int bpf_ns_load(struct bpf_ns **b, int seq_fd, struct err *e)
{
	struct bpf_ns *n = calloc(1, sizeof(*n));
	int r;

	*b = 0;
	if (!n)
		return err_set(e, ENOMEM, "no memory");
	libbpf_set_print(0); /* what it has to say is in e */
	r = bpf_set_load(&n->set, SIZE_FIRST, seq_fd, e);
	if (!r) {
		r = stats_make(&n->set, 0);
		if (r)
			err_set(e, -r, "a BPF map cannot be filled: %s", strerror(-r));
	}
	if (r)
		bpf_ns_close(n);
	else
		*b = n;
	return r;
}

int bpf_seq_new(void)
{
	return bpf_set_seq_new();
}

int bpf_seq_of(u32 ifindex)
{
	u32 prog_id = tc_query(ifindex, TC_EGRESS);

	return prog_id ? bpf_set_seq_of(prog_id) : -ENOENT;
}

/* Mark the entries of tunl_neigh that tunnels have. */
static void find_taken(struct bpf_ns *b)
{
	struct bpf_tx tx;
	const void *at = 0;
	u32 key, next;

	while (!bpf_map_get_next_key(b->set.map[BPF_MAP_tx], at, &next)) {
		key = next;
		at = &key;
		if (!bpf_map_lookup_elem(b->set.map[BPF_MAP_tx], &key, &tx) &&
		    tx.neigh < BPF_NEIGH_MAX)
			b->neigh[tx.neigh] = true;
	}
}

int bpf_ns_adopt(struct bpf_ns **b, u32 ifindex, int seq_fd, struct err *e)
{
	struct bpf_ns *n = calloc(1, sizeof(*n));
	struct bpf_ns_state st;
	u32 prog_id, zero = 0;
	int r;

	*b = 0;
	if (!n)
		return err_set(e, ENOMEM, "no memory");
	libbpf_set_print(0);
	prog_id = tc_query(ifindex, TC_EGRESS);
	if (prog_id)
		r = bpf_set_adopt(&n->set, prog_id, seq_fd, e);
	else
		r = err_set(e, ENOENT, "there is no program of tunl on device %u", ifindex);
	if (r) {
		bpf_ns_close(n);
		return r;
	}
	if (!bpf_map_lookup_elem(n->set.map[BPF_MAP_state], &zero, &st))
		n->gen = st.gen;
	find_taken(n);
	*b = n;
	return 0;
}

void bpf_ns_close(struct bpf_ns *b)
{
	if (!b)
		return;
	if (b->traced.loaded)
		close(b->ring);
	bpf_set_close(&b->traced);
	bpf_set_close(&b->set);
	free(b);
}

/* Attaching. */

static int attach(struct bpf_ns *b, u32 ifindex, enum tc_side side, enum bpf_prog_id prog,
		  struct err *e)
{
	int r = tc_attach(ifindex, side, programs(b)->prog[prog]);

	return r ? tc_explain(e, ifindex, -r) : 0;
}

/* Which program a tunnel's device has: one that numbers packets, where it must. */
static enum bpf_prog_id egress_of(const struct bpf_set *s, u32 ifindex)
{
	struct bpf_tx tx;

	if (s->prog[BPF_PROG_egress_seq] < 0 ||
	    bpf_map_lookup_elem(s->map[BPF_MAP_tx], &ifindex, &tx) || !(tx.how.oflags & TUNL_F_SEQ))
		return BPF_PROG_egress;
	return BPF_PROG_egress_seq;
}

int bpf_ns_attach_tunnel(struct bpf_ns *b, u32 ifindex, struct err *e)
{
	return attach(b, ifindex, TC_EGRESS, egress_of(programs(b), ifindex), e);
}

int bpf_ns_attach_underlay(struct bpf_ns *b, u32 ifindex, struct err *e)
{
	int type = underlay_type(ifindex);

	if (type < 0)
		return tc_explain(e, ifindex, -type);
	if (underlay_prog(type) == BPF_PROG__MAX)
		return err_set(e, EPFNOSUPPORT,
			       "device %u is of type %d: what comes in from it is left to the user "
			       "datapath",
			       ifindex, type);
	return attach(b, ifindex, TC_INGRESS, underlay_prog(type), e);
}

void bpf_ns_detach(struct bpf_ns *b, u32 ifindex)
{
	(void)b;
	tc_detach(ifindex);
}

/* Put a load's programs wherever ours of an earlier load are. */
static int replace_all(const struct bpf_set *s)
{
	struct if_nameindex *all = if_nameindex();
	enum bpf_prog_id prog;

	if (!all)
		return -errno;
	for (struct if_nameindex *i = all; i->if_index; i++) {
		if (tc_query(i->if_index, TC_EGRESS))
			tc_attach(i->if_index, TC_EGRESS, s->prog[egress_of(s, i->if_index)]);
		prog = underlay_prog(underlay_type(i->if_index));
		if (prog != BPF_PROG__MAX && tc_query(i->if_index, TC_INGRESS))
			tc_attach(i->if_index, TC_INGRESS, s->prog[prog]);
	}
	if_freenameindex(all);
	return 0;
}

/* Growing. */

/* Copy one map's entries to another load's; true for each key that keep() takes. */
static int map_copy(const struct bpf_set *from, const struct bpf_set *to, enum bpf_map_id map)
{
	union {
		struct bpf_rx_key rx;
		struct bpf_nbma_key nbma;
		struct bpf_peer_key peer;
		u32 n;
	} key, next;
	union {
		struct bpf_tx tx;
		struct bpf_rx rx;
		struct bpf_hop hop;
		struct bpf_ns_state state;
		struct bpf_neigh neigh;
		struct tunnel_stats stats;
		u32 n;
	} value;
	const void *at = 0;
	int r;

	while (!bpf_map_get_next_key(from->map[map], at, &next)) {
		key = next;
		at = &key;
		if (bpf_map_lookup_elem(from->map[map], &key, &value))
			continue;
		r = bpf_set_update(to->map[map], &key, &value, BPF_ANY);
		if (r)
			return r;
	}
	return 0;
}

static int copy_all(const struct bpf_set *from, const struct bpf_set *to)
{
	static const enum bpf_map_id copied[] = {BPF_MAP_tx,   BPF_MAP_rx,   BPF_MAP_local,
						 BPF_MAP_nbma, BPF_MAP_peer, BPF_MAP_state,
						 BPF_MAP_base, BPF_MAP_neigh};
	int r = stats_prepare(from, to);

	for (u32 i = 0; !r && i < countof(copied); i++)
		r = map_copy(from, to, copied[i]);
	return r;
}

static int grow(struct bpf_ns *b)
{
	struct bpf_set old = b->set, new, traced = {};
	int r;

	if (old.size >= BPF_TUNNELS_MAX)
		return -ENOSPC;
	r = bpf_set_load(&new, min_of(old.size * SIZE_FACTOR, (u32)BPF_TUNNELS_MAX),
			 old.map[BPF_MAP_seq], 0);
	if (r)
		return r;
	r = copy_all(&old, &new);
	if (!r && b->traced.loaded)
		r = bpf_set_trace(&traced, &new, b->ring, 0);
	if (!r)
		r = replace_all(traced.loaded ? &traced : &new);
	if (r) {
		bpf_set_close(&traced);
		bpf_set_close(&new);
		return r;
	}
	/* after this no CPU is inside an old program any more */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	stats_settle(&old, &new);
	b->set = new;
	bpf_set_close(&old);
	bpf_set_close(&b->traced);
	b->traced = traced;
	return 0;
}

/* Tracing. */

int bpf_ring_new(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "tunl_ring", 0, 0, TRACE_RING, NULL);

	return fd < 0 ? -errno : fd;
}

static int trace_on(struct bpf_ns *b, int ring_fd, struct err *e)
{
	int ring = fcntl(ring_fd, F_DUPFD_CLOEXEC, 0), r;

	if (ring < 0)
		return err_set(e, errno, "no descriptor is left");
	r = bpf_set_trace(&b->traced, &b->set, ring, e);
	if (r) {
		close(ring);
		return r;
	}
	b->ring = ring;
	return replace_all(&b->traced);
}

int bpf_ns_trace(struct bpf_ns *b, int ring_fd, struct err *e)
{
	if (ring_fd >= 0)
		return b->traced.loaded ? 0 : trace_on(b, ring_fd, e);
	if (!b->traced.loaded)
		return 0;
	replace_all(&b->set);
	bpf_set_close(&b->traced);
	close(b->ring);
	return 0;
}

/* Set an entry, growing the maps where there is no room. */
static int map_set_growing(struct bpf_ns *b, enum bpf_map_id map, const void *key,
			   const void *value)
{
	int r;

	while ((r = map_set(b, map, key, value)) == -E2BIG) {
		r = grow(b);
		if (r)
			return r;
	}
	return r;
}

int bpf_ns_set_tx(struct bpf_ns *b, u32 ifindex, const struct bpf_tx *tx)
{
	struct bpf_tx old = {};
	int r;

	bpf_map_lookup_elem(b->set.map[BPF_MAP_tx], &ifindex, &old);
	if (!tx)
		return map_del(b, BPF_MAP_tx, &ifindex);
	while ((r = stats_make(&b->set, ifindex)) == -E2BIG) {
		r = grow(b);
		if (r)
			return r;
	}
	if (!r)
		r = map_set_growing(b, BPF_MAP_tx, &ifindex, tx);
	if (!r && (tx->how.oflags ^ old.how.oflags) & TUNL_F_SEQ && tc_query(ifindex, TC_EGRESS))
		r = tc_attach(ifindex, TC_EGRESS,
			      programs(b)->prog[egress_of(programs(b), ifindex)]);
	return r;
}

u32 bpf_ns_neigh_take(struct bpf_ns *b)
{
	struct bpf_neigh none = {};

	for (u32 i = 1; i < BPF_NEIGH_MAX; i++)
		if (!b->neigh[i] && !map_set(b, BPF_MAP_neigh, &i, &none)) {
			b->neigh[i] = true;
			return i;
		}
	return 0;
}

void bpf_ns_neigh_give(struct bpf_ns *b, u32 i)
{
	b->neigh[i] = false;
}

int bpf_ns_set_neigh(struct bpf_ns *b, u32 i, const struct bpf_neigh *n)
{
	return map_set(b, BPF_MAP_neigh, &i, n);
}

int bpf_ns_set_rx(struct bpf_ns *b, const struct bpf_rx_key *key, const struct bpf_rx *rx)
{
	return rx ? map_set_growing(b, BPF_MAP_rx, key, rx) : map_del(b, BPF_MAP_rx, key);
}

void bpf_ns_each_key(struct bpf_ns *b, enum bpf_keys which, bpf_key_fn *fn, void *arg)
{
	static const enum bpf_map_id map[] = {
		[BPF_KEYS_TX] = BPF_MAP_tx,
		[BPF_KEYS_RX] = BPF_MAP_rx,
		[BPF_KEYS_LOCAL] = BPF_MAP_local,
	};
	struct bpf_rx_key key, next; /* the largest of them */
	int fd = b->set.map[map[which]];
	bool more = bpf_map_get_next_key(fd, NULL, &next) == 0;

	while (more) {
		key = next;
		more = bpf_map_get_next_key(fd, &key, &next) == 0; /* before fn deletes it */
		fn(&key, arg);
	}
}

int bpf_ns_set_local(struct bpf_ns *b, be32 addr, bool present)
{
	u32 one = 1;

	return present ? map_set_growing(b, BPF_MAP_local, &addr, &one)
		       : map_del(b, BPF_MAP_local, &addr);
}

/* Forget next hops of before the last change of routes, or all; how many went. */
static u32 nbma_purge(struct bpf_ns *b, bool all)
{
	struct bpf_nbma_key key, next;
	struct bpf_hop hop;
	const void *at = 0;
	u32 gone = 0;

	while (!bpf_map_get_next_key(b->set.map[BPF_MAP_nbma], at, &next)) {
		bool stale = bpf_map_lookup_elem(b->set.map[BPF_MAP_nbma], &next, &hop) ||
			     hop.gen != b->gen;

		key = next;
		if ((all || stale) && !map_del(b, BPF_MAP_nbma, &key))
			gone++;
		else
			at = &key;
	}
	return gone;
}

int bpf_ns_set_nbma(struct bpf_ns *b, const struct bpf_nbma_key *key, const struct bpf_hop *hop)
{
	int r;

	if (!hop)
		return map_del(b, BPF_MAP_nbma, key);
	while ((r = map_set(b, BPF_MAP_nbma, key, hop)) == -E2BIG)
		if (!nbma_purge(b, false) && grow(b) && !nbma_purge(b, true))
			return -ENOSPC;
	return r;
}

static bool is_peer(const struct bpf_peer_key *key, const struct bpf_peer_key *peer, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (!memcmp(key, &peer[i], sizeof(*key)))
			return true;
	return false;
}

/* Forget the peers of a tunnel that are not among those. */
static void peers_purge(struct bpf_ns *b, u32 ifindex, const struct bpf_peer_key *peer, u32 n)
{
	struct bpf_peer_key key, next;
	const void *at = 0;

	while (!bpf_map_get_next_key(b->set.map[BPF_MAP_peer], at, &next)) {
		key = next;
		if (key.ifindex != ifindex || is_peer(&key, peer, n) ||
		    map_del(b, BPF_MAP_peer, &key))
			at = &key;
	}
}

int bpf_ns_set_peers(struct bpf_ns *b, u32 ifindex, const struct bpf_peer_key *peer, u32 n)
{
	u32 one = 1;
	int r = 0;

	peers_purge(b, ifindex, peer, n);
	for (u32 i = 0; !r && i < n; i++)
		r = map_set_growing(b, BPF_MAP_peer, &peer[i], &one);
	return r;
}

int bpf_ns_set_state(struct bpf_ns *b, const struct bpf_ns_state *st)
{
	u32 zero = 0;

	b->gen = st->gen;
	return map_set(b, BPF_MAP_state, &zero, st);
}

int bpf_ns_get_stats(struct bpf_ns *b, u32 ifindex, struct tunnel_stats *sum)
{
	if (bpf_map_lookup_elem(b->set.map[BPF_MAP_base], &ifindex, sum))
		memset(sum, 0, sizeof(*sum));
	return stats_read(&b->set, ifindex, sum);
}

void bpf_ns_del_stats(struct bpf_ns *b, u32 ifindex)
{
	map_del(b, BPF_MAP_stats, &ifindex);
	map_del(b, BPF_MAP_base, &ifindex);
}
