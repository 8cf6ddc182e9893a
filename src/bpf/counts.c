/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/counts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/maps.h"

int stats_make(const struct bpf_set *s, u32 ifindex)
{
	int cpus = libbpf_num_possible_cpus();
	struct bpf_stats *zero;
	int r;

	if (cpus < 0)
		return cpus;
	zero = calloc((size_t)cpus, sizeof(*zero));
	if (!zero)
		return -ENOMEM;
	r = bpf_set_update(s->map[BPF_MAP_stats], &ifindex, zero, BPF_NOEXIST);
	r = r == -EEXIST ? 0 : r;
	free(zero);
	return r;
}

int stats_read(const struct bpf_set *s, u32 ifindex, struct tunnel_stats *sum)
{
	int cpus = libbpf_num_possible_cpus();
	struct bpf_stats *all;
	int r;

	if (cpus < 0)
		return cpus;
	all = calloc((size_t)cpus, sizeof(*all));
	if (!all)
		return -ENOMEM;
	r = bpf_map_lookup_elem(s->map[BPF_MAP_stats], &ifindex, all) ? -errno : 0;
	for (int i = 0; !r && i < cpus; i++)
		stats_add(sum, &all[i].s);
	free(all);
	return r;
}

int stats_prepare(const struct bpf_set *from, const struct bpf_set *to)
{
	u32 key, next;
	const void *at = 0;

	while (!bpf_map_get_next_key(from->map[BPF_MAP_stats], at, &next)) {
		int r = stats_make(to, next);

		if (r)
			return r;
		key = next;
		at = &key;
	}
	return 0;
}

void stats_settle(const struct bpf_set *from, const struct bpf_set *to)
{
	struct tunnel_stats sum;
	u32 key, next;
	const void *at = 0;

	while (!bpf_map_get_next_key(from->map[BPF_MAP_stats], at, &next)) {
		if (bpf_map_lookup_elem(to->map[BPF_MAP_base], &next, &sum))
			memset(&sum, 0, sizeof(sum));
		if (!stats_read(from, next, &sum))
			bpf_set_update(to->map[BPF_MAP_base], &next, &sum, BPF_ANY);
		key = next;
		at = &key;
	}
}
