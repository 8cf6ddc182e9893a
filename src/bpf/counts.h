/* SPDX-License-Identifier: BSD-2-Clause */
/* The counters of tunnels in one load's maps: one entry a tunnel, a part of it a CPU. */
#ifndef TUNL_BPF_COUNTS_H
#define TUNL_BPF_COUNTS_H

#include "bpf/object.h"
#include "model/stats.h"

/* Make a tunnel's entry, of zeroes; what is there already stays. 0 or -errno. */
int stats_make(const struct bpf_set *s, u32 ifindex);

/* Add all CPUs' parts of a tunnel's entry to sum. 0 or -errno. */
int stats_read(const struct bpf_set *s, u32 ifindex, struct tunnel_stats *sum);

/* Entries of zero in `to` for each tunnel that `from` counts. 0 or -errno. */
int stats_prepare(const struct bpf_set *from, const struct bpf_set *to);

/* What the programs of `from`, which run no more, counted is added to the base of `to`. */
void stats_settle(const struct bpf_set *from, const struct bpf_set *to);

#endif
