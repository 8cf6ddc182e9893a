/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/maps.h"

extern const char bpf_blob[], bpf_blob_end[];
extern const char bpf_traced[], bpf_traced_end[];

/* What is loaded. */
struct image {
	const char *start, *end;
	int ring_fd; /* for tunl_ring; -1: it has none */
};

enum { VERIFIER_LOG = 256 * 1024, UPDATE_TRIES = 100, UPDATE_WAIT_US = 1000 };

#define STR_(x) #x
#define STR(x)	STR_(x)

static const char *const map_names[BPF_MAP__MAX] = {
#define BPF_MAP(name, sized) [BPF_MAP_##name] = "tunl_" #name "_" STR(BPF_MAPS_ABI),
#include "bpf/maps.def"
#undef BPF_MAP
};

static const char *const prog_names[BPF_PROG__MAX] = {
	[BPF_PROG_egress] = "tunl_egress",
	[BPF_PROG_egress_seq] = "tunl_egress_seq",
	[BPF_PROG_ingress] = "tunl_ingress",
	[BPF_PROG_ingress_l3] = "tunl_ingress_l3",
};

static u32 map_size(enum bpf_map_id id, u32 n)
{
	switch (id) {
#define BPF_MAP(name, sized)                                                                       \
	case BPF_MAP_##name:                                                                       \
		return sized;
#include "bpf/maps.def"
#undef BPF_MAP
	case BPF_MAP__MAX:
		break;
	}
	return 1;
}

/* The verifier's last word, which is the line before its statistics. */
static void last_words(char *log, const char **line)
{
	char *stats = strstr(log, "\nprocessed ");
	char *start;

	if (stats)
		*stats = 0;
	start = strrchr(log, '\n');
	*line = start ? start + 1 : log;
}

static int explain(struct err *e, int code, char *log)
{
	const char *line = "";

	if (code == EPERM || code == EACCES) {
		last_words(log, &line);
		if (!*line)
			return err_set(
				e, code,
				"the kernel does not permit BPF programs: tunld needs CAP_BPF "
				"and CAP_NET_ADMIN (root), and a container must allow bpf()");
	}
	if (code == ENOSYS)
		return err_set(e, code, "this kernel has no BPF (CONFIG_BPF_SYSCALL)");
	if (code == ENOMEM)
		return err_set(e, code,
			       "no memory for BPF maps: raise the limit on locked memory "
			       "(LimitMEMLOCK=infinity) or free some");
	last_words(log, &line);
	return err_set(
		e, code,
		"this kernel does not take tunl's BPF programs (5.10 or later is needed): %s%s%s",
		strerror(code), *line ? ": " : "", line);
}

/* Bind what a sending program itself does not use, so that adoption finds it. */
static int bind_maps(int prog_fd, const int *maps)
{
	for (int i = 0; prog_fd >= 0 && i < BPF_MAP__MAX; i++) {
		int r = bpf_prog_bind_map(prog_fd, maps[i], 0);

		if (r)
			return r;
	}
	return 0;
}

/* A descriptor of our own; fd may be an error. */
static int keep(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* The descriptors of a loaded object, which itself is large and not kept. */
static int collect(struct bpf_set *s, struct bpf_object *obj)
{
	bool all = true;
	int r;

	s->loaded = true;
	for (int i = 0; i < BPF_MAP__MAX; i++) {
		s->map[i] = keep(bpf_object__find_map_fd_by_name(obj, map_names[i]));
		all = all && s->map[i] >= 0;
	}
	for (int i = 0; i < BPF_PROG__MAX; i++) {
		struct bpf_program *p = bpf_object__find_program_by_name(obj, prog_names[i]);

		s->prog[i] = p ? keep(bpf_program__fd(p)) : -1;
		all = all && (s->prog[i] >= 0 || i == BPF_PROG_egress_seq);
	}
	if (!all)
		return -EMFILE;
	r = bind_maps(s->prog[BPF_PROG_egress], s->map);
	return r ? r : bind_maps(s->prog[BPF_PROG_egress_seq], s->map);
}

/* Maps that are there already (descriptors; -1: none) are used; the others get their size. */
static int settle_maps(struct bpf_object *obj, u32 size, const int *maps)
{
	for (int i = 0; i < BPF_MAP__MAX; i++) {
		struct bpf_map *m = bpf_object__find_map_by_name(obj, map_names[i]);
		int r = -ENOENT;

		if (m)
			r = maps[i] >= 0 ? bpf_map__reuse_fd(m, maps[i])
					 : bpf_map__set_max_entries(
						   m, map_size((enum bpf_map_id)i, size));
		if (r)
			return r;
	}
	return 0;
}

static int open_and_load(struct bpf_object *obj, struct bpf_set *s, const int *maps, bool seq)
{
	struct bpf_program *p =
		bpf_object__find_program_by_name(obj, prog_names[BPF_PROG_egress_seq]);
	int r = p ? bpf_program__set_autoload(p, seq) : -ENOENT;

	if (!r)
		r = settle_maps(obj, s->size, maps);
	return r ? r : bpf_object__load(obj);
}

static int settle_ring(struct bpf_object *obj, int ring_fd)
{
	struct bpf_map *m = bpf_object__find_map_by_name(obj, "tunl_ring");

	if (ring_fd < 0)
		return 0;
	return m ? bpf_map__reuse_fd(m, ring_fd) : -ENOENT;
}

/* Load an image, with or without the program that numbers packets. */
static int load_as(struct bpf_set *s, const struct image *im, const int *maps, bool seq,
		   struct err *e)
{
	char *log = calloc(1, VERIFIER_LOG);
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "tunl", .kernel_log_buf = log,
		    .kernel_log_size = VERIFIER_LOG);
	struct bpf_object *obj;
	int r;

	if (!log)
		return err_set(e, ENOMEM, "no memory");
	obj = bpf_object__open_mem(im->start, (uintptr_t)im->end - (uintptr_t)im->start, &opts);
	r = obj ? settle_ring(obj, im->ring_fd) : -errno;
	if (!r)
		r = open_and_load(obj, s, maps, seq);
	if (!r)
		r = collect(s, obj);
	if (r) {
		explain(e, -r, log);
		bpf_set_close(s);
	}
	bpf_object__close(obj);
	free(log);
	return r;
}

static int load_image(struct bpf_set *s, const struct image *im, u32 size, const int *maps,
		      struct err *e)
{
	int r;

	*s = (struct bpf_set){.size = size};
	r = load_as(s, im, maps, true, e);
	if (!r || r == -EPERM || r == -ENOMEM)
		return r;
	*s = (struct bpf_set){.size = size};
	return load_as(s, im, maps, false, e);
}

static int load(struct bpf_set *s, u32 size, const int *maps, struct err *e)
{
	return load_image(s, &(struct image){bpf_blob, bpf_blob_end, -1}, size, maps, e);
}

int bpf_set_trace(struct bpf_set *s, const struct bpf_set *on, int ring_fd, struct err *e)
{
	return load_image(s, &(struct image){bpf_traced, bpf_traced_end, ring_fd}, on->size,
			  on->map, e);
}

int bpf_set_load(struct bpf_set *s, u32 size, int seq_fd, struct err *e)
{
	int maps[BPF_MAP__MAX];

	memset(maps, 0xff, sizeof(maps));
	maps[BPF_MAP_seq] = seq_fd;
	return load(s, size, maps, e);
}

/* Which of our maps a descriptor is; BPF_MAP__MAX: none, or of another layout. */
static enum bpf_map_id identify(int fd, u32 *size)
{
	static const struct {
		u32 key, value;
	} layout[BPF_MAP__MAX] = {
		[BPF_MAP_tx] = {sizeof(u32), sizeof(struct bpf_tx)},
		[BPF_MAP_rx] = {sizeof(struct bpf_rx_key), sizeof(struct bpf_rx)},
		[BPF_MAP_local] = {sizeof(be32), sizeof(u32)},
		[BPF_MAP_nbma] = {sizeof(struct bpf_nbma_key), sizeof(struct bpf_hop)},
		[BPF_MAP_peer] = {sizeof(struct bpf_peer_key), sizeof(u32)},
		[BPF_MAP_seq] = {sizeof(u32), sizeof(struct mode_state)},
		[BPF_MAP_stats] = {sizeof(u32), sizeof(struct bpf_stats)},
		[BPF_MAP_neigh] = {sizeof(u32), sizeof(struct bpf_neigh)},
		[BPF_MAP_state] = {sizeof(u32), sizeof(struct bpf_ns_state)},
		[BPF_MAP_base] = {sizeof(u32), sizeof(struct tunnel_stats)},
	};
	struct bpf_map_info info = {};
	u32 len = sizeof(info);
	int i;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return BPF_MAP__MAX;
	for (i = 0; i < BPF_MAP__MAX; i++)
		if (!strcmp(info.name, map_names[i]) && info.key_size == layout[i].key &&
		    info.value_size == layout[i].value)
			break;
	if (i == BPF_MAP_tx)
		*size = info.max_entries;
	return (enum bpf_map_id)i;
}

/* The maps of a program by their ids; 0 when all of ours were among them. */
static int find_maps(int prog_fd, int maps[BPF_MAP__MAX], u32 *size)
{
	u32 ids[2 * BPF_MAP__MAX];
	struct bpf_prog_info info = {.nr_map_ids = countof(ids), .map_ids = (u64)(uintptr_t)ids};
	u32 len = sizeof(info), found = 0;

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &len))
		return -errno;
	for (u32 i = 0; i < info.nr_map_ids && i < countof(ids); i++) {
		int fd = bpf_map_get_fd_by_id(ids[i]);
		enum bpf_map_id id = fd < 0 ? BPF_MAP__MAX : identify(fd, size);

		if (id != BPF_MAP__MAX && maps[id] < 0) {
			maps[id] = fd;
			found++;
		} else if (fd >= 0) {
			close(fd);
		}
	}
	return found == BPF_MAP__MAX ? 0 : -ENOENT;
}

/* Close those maps that are there. */
static void close_maps(const int *maps)
{
	for (int i = 0; i < BPF_MAP__MAX; i++)
		if (maps[i] >= 0)
			close(maps[i]);
}

/* Open the maps of program prog_id; 0: all of ours, for the caller to close. */
static int open_maps(u32 prog_id, int maps[BPF_MAP__MAX], u32 *size)
{
	int prog_fd = bpf_prog_get_fd_by_id(prog_id), r;

	memset(maps, 0xff, BPF_MAP__MAX * sizeof(*maps));
	if (prog_fd < 0)
		return -errno;
	r = find_maps(prog_fd, maps, size);
	close(prog_fd);
	if (r)
		close_maps(maps);
	return r;
}

int bpf_set_adopt(struct bpf_set *s, u32 prog_id, int seq_fd, struct err *e)
{
	int maps[BPF_MAP__MAX], use[BPF_MAP__MAX], r;
	u32 size = 0;

	memset(s, 0, sizeof(*s));
	r = open_maps(prog_id, maps, &size);
	if (r == -ENOENT)
		return err_set(e, ENOENT,
			       "the BPF program on the device has other maps than this tunl");
	if (r)
		return err_set(e, -r, "the BPF program on the device cannot be opened: %s",
			       strerror(-r));
	memcpy(use, maps, sizeof(use));
	if (seq_fd >= 0)
		use[BPF_MAP_seq] = seq_fd;
	r = load(s, size, use, e);
	close_maps(maps);
	return r;
}

int bpf_set_seq_new(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, map_names[BPF_MAP_seq], sizeof(u32),
				sizeof(struct mode_state), BPF_SEQ_MAX, &opts);

	return fd < 0 ? -errno : fd;
}

int bpf_set_seq_of(u32 prog_id)
{
	int maps[BPF_MAP__MAX], fd, r;
	u32 size = 0;

	r = open_maps(prog_id, maps, &size);
	if (r)
		return r;
	fd = keep(maps[BPF_MAP_seq]);
	r = fd < 0 ? -errno : fd;
	close_maps(maps);
	return r;
}

int bpf_set_update(int map_fd, const void *key, const void *value, u64 flags)
{
	int r;

	for (int i = 0; i < UPDATE_TRIES; i++) {
		r = bpf_map_update_elem(map_fd, key, value, flags) ? -errno : 0;
		if (r != -ENOMEM)
			return r;
		usleep(UPDATE_WAIT_US);
	}
	return r;
}

void bpf_set_close(struct bpf_set *s)
{
	for (int i = 0; s->loaded && i < BPF_MAP__MAX; i++)
		if (s->map[i] >= 0)
			close(s->map[i]);
	for (int i = 0; s->loaded && i < BPF_PROG__MAX; i++)
		if (s->prog[i] >= 0)
			close(s->prog[i]);
	memset(s, 0, sizeof(*s));
}
