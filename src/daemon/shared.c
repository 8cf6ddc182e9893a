/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct shared {
	int fd;
	struct engine_shared *map;
	u32 lowest; /* no free slot below */
	u8 used[ENGINE_SLOTS / 8];
	bool sa_used[ENGINE_SAS], mib_used[ENGINE_MIBS];
};

static bool is_used(const struct shared *sh, u32 slot)
{
	return sh->used[slot / 8] & (1U << (slot % 8));
}

static bool layout_is_ours(const struct engine_shared *m)
{
	return m->version == ENGINE_SHARED_VERSION && m->slot_size == sizeof(struct engine_slot);
}

/* Make the memory of part of the file real: -ENOSPC now, not SIGBUS later. */
static int back_with_memory(struct shared *sh, size_t from, size_t len)
{
	return -posix_fallocate(sh->fd, (off_t)from, (off_t)len);
}

static int map_file(struct shared *sh)
{
	struct stat st;
	void *map;
	int err;

	if (fstat(sh->fd, &st))
		return -errno;
	if (st.st_size != sizeof(struct engine_shared) &&
	    (ftruncate(sh->fd, 0) || ftruncate(sh->fd, sizeof(struct engine_shared))))
		return -errno;
	err = back_with_memory(sh, 0, offsetof(struct engine_shared, slot));
	if (err)
		return err;
	map = mmap(NULL, sizeof(struct engine_shared), PROT_READ | PROT_WRITE, MAP_SHARED, sh->fd,
		   0);
	if (map == MAP_FAILED)
		return -errno;
	sh->map = map;
	if (layout_is_ours(sh->map))
		return 0;
	if (ftruncate(sh->fd, 0) || ftruncate(sh->fd, sizeof(struct engine_shared)))
		return -errno;
	err = back_with_memory(sh, 0, offsetof(struct engine_shared, slot));
	if (err)
		return err;
	sh->map->version = ENGINE_SHARED_VERSION;
	sh->map->slot_size = sizeof(struct engine_slot);
	return 0;
}

int shared_open(struct shared **out, const char *path, struct err *e)
{
	struct shared *sh = calloc(1, sizeof(*sh));
	int err;

	if (!sh)
		return err_set(e, ENOMEM, "out of memory");
	sh->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	err = sh->fd < 0 ? -errno : map_file(sh);
	if (err) {
		shared_close(sh);
		return err_set(e, -err, "%s cannot be used: %s", path, strerror(-err));
	}
	*out = sh;
	return 0;
}

void shared_close(struct shared *sh)
{
	if (!sh)
		return;
	if (sh->map)
		munmap(sh->map, sizeof(struct engine_shared));
	if (sh->fd >= 0)
		close(sh->fd);
	free(sh);
}

int shared_fd(const struct shared *sh)
{
	return sh->fd;
}

int shared_take_again(struct shared *sh, u32 slot)
{
	int err;

	if (is_used(sh, slot))
		return -EBUSY;
	err = back_with_memory(sh, offsetof(struct engine_shared, slot[slot]),
			       sizeof(struct engine_slot));
	if (!err)
		sh->used[slot / 8] |= (u8)(1U << (slot % 8));
	return err;
}

int shared_take(struct shared *sh, u32 *slot)
{
	int err;

	while (sh->lowest < ENGINE_SLOTS && is_used(sh, sh->lowest))
		sh->lowest++;
	if (sh->lowest == ENGINE_SLOTS)
		return -ENFILE;
	err = shared_take_again(sh, sh->lowest);
	if (err)
		return err;
	*slot = sh->lowest;
	memset(&sh->map->slot[*slot], 0, sizeof(struct engine_slot));
	return 0;
}

void shared_give(struct shared *sh, u32 slot)
{
	sh->used[slot / 8] &= (u8) ~(1U << (slot % 8));
	sh->lowest = min_of(sh->lowest, slot);
}

struct mode_state *shared_state(struct shared *sh, u32 slot)
{
	return &sh->map->slot[slot].state;
}

const struct tunnel_stats *shared_stats(const struct shared *sh, u32 slot)
{
	return &sh->map->slot[slot].stats;
}

const u64 *shared_unmatched(const struct shared *sh)
{
	return sh->map->unmatched;
}

int shared_sa_take_again(struct shared *sh, u32 slot, struct sa_live **live)
{
	int err;

	if (sh->sa_used[slot])
		return -EBUSY;
	err = back_with_memory(sh, offsetof(struct engine_shared, sa[slot]),
			       sizeof(struct sa_live));
	if (err)
		return err;
	sh->sa_used[slot] = true;
	*live = &sh->map->sa[slot];
	return 0;
}

int shared_sa_take(struct shared *sh, u32 *slot, struct sa_live **live)
{
	for (*slot = 0; *slot < ENGINE_SAS; ++*slot) {
		int err = shared_sa_take_again(sh, *slot, live);

		if (!err)
			memset(*live, 0, sizeof(**live));
		if (err != -EBUSY)
			return err;
	}
	return -ENOBUFS;
}

/* What it remembers goes, so that nobody takes it over. */
void shared_sa_give(struct shared *sh, u32 slot)
{
	sh->map->sa[slot].add_time = 0;
	sh->sa_used[slot] = false;
}

int shared_mib_take(struct shared *sh, u32 *slot)
{
	for (*slot = 0; *slot < ENGINE_MIBS; ++*slot) {
		int err;

		if (sh->mib_used[*slot])
			continue;
		err = back_with_memory(sh, offsetof(struct engine_shared, mib[*slot]),
				       sizeof(struct xfrm_mib));
		if (err)
			return err;
		sh->mib_used[*slot] = true;
		memset(&sh->map->mib[*slot], 0, sizeof(struct xfrm_mib));
		return 0;
	}
	return -ENFILE;
}

void shared_mib_give(struct shared *sh, u32 slot)
{
	sh->mib_used[slot] = false;
}

const struct xfrm_mib *shared_mib(const struct shared *sh, u32 slot)
{
	return &sh->map->mib[slot];
}
