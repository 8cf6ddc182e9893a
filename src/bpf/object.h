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
 * Load with fresh maps for that many tunnels, but for what does not grow: that is
 * taken from old (NULL: none). 0, or -errno with e filled.
 */
int bpf_set_load(struct bpf_set *s, u32 size, const struct bpf_set *old, struct err *e);

/*
 * Load upon the maps that program prog_id uses. -ENOENT: it is not ours, or its
 * maps have another layout.
 */
int bpf_set_adopt(struct bpf_set *s, u32 prog_id, struct err *e);

/* Close all; a set of zeroes is fine. */
void bpf_set_close(struct bpf_set *s);

#endif
