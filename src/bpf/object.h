/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The embedded BPF object, opened and loaded by libbpf: one struct bpf_set is
 * one load of the programs with their maps. bpf/loader.h is built upon it.
 */
#ifndef TUNL_BPF_OBJECT_H
#define TUNL_BPF_OBJECT_H

#include "lib/err.h"
#include "lib/types.h"

enum bpf_map_id {
#define BPF_MAP(name, sized) BPF_MAP_##name,
#include "bpf/maps.def"
#undef BPF_MAP
	BPF_MAP__MAX,
};

enum bpf_prog_id {
	BPF_PROG_egress,
	BPF_PROG_egress_seq, /* -1 where the kernel does not take it */
	BPF_PROG_ingress,
	BPF_PROG_ingress_l3,
	BPF_PROG__MAX,
};

struct bpf_set {
	bool loaded; /* the descriptors are valid, and this set's to close */
	int map[BPF_MAP__MAX];
	int prog[BPF_PROG__MAX];
	u32 size; /* tunnels that its maps have room for */
};

/*
 * Load with fresh maps for that many tunnels, but for tunl_seq: that is seq_fd
 * (borrowed; -1: fresh, too). 0, or -errno with e filled.
 */
int bpf_set_load(struct bpf_set *s, u32 size, int seq_fd, struct err *e);

/*
 * Load upon the maps that program prog_id uses, but for tunl_seq where seq_fd is
 * not -1. -ENOENT: it is not ours, or its maps have another layout.
 */
int bpf_set_adopt(struct bpf_set *s, u32 prog_id, int seq_fd, struct err *e);

/*
 * Load the programs that tell `tunl trace` (bpf/trace.h) upon the maps of another
 * set and a ring buffer (bpf_ring_new(); borrowed). Closed as a set of its own.
 */
int bpf_set_trace(struct bpf_set *s, const struct bpf_set *on, int ring_fd, struct err *e);

/* A map to be tunl_seq: a new one, or the one that program prog_id uses. Its descriptor or -errno.
 */
int bpf_set_seq_new(void);
int bpf_set_seq_of(u32 prog_id);

/*
 * As bpf_map_update_elem(), but 0 or -errno. The kernel refills the memory that it takes
 * entries from behind our back, and has none for a moment after many of them: then it
 * is asked again.
 */
int bpf_set_update(int map_fd, const void *key, const void *value, u64 flags);

/* Close all; a set of zeroes is fine. */
void bpf_set_close(struct bpf_set *s);

#endif
