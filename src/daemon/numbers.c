/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/numbers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/engproc.h"
#include "daemon/netns.h"
#include "daemon/priv.h"
#include "daemon/shared.h"
#include "lib/log.h"

_Static_assert((int)BPF_SEQ_MAX == (int)ENGINE_SLOTS, "every slot has its numbers");

struct numbers {
	int fd;
	struct mode_state *slot; /* ENGINE_SLOTS of them */
};

bool numbers_has(const struct tunnel *t)
{
	return (t->cfg.iflags | t->cfg.oflags) & TUNL_F_SEQ;
}

/* Map fd, which is d's from now on. */
static bool take(struct daemon *d, int fd)
{
	struct numbers *n = malloc(sizeof(*n));
	void *m = mmap(NULL, ENGINE_SLOTS * sizeof(*n->slot), PROT_READ | PROT_WRITE, MAP_SHARED,
		       fd, 0);

	if (!n || m == MAP_FAILED) {
		if (m != MAP_FAILED)
			munmap(m, ENGINE_SLOTS * sizeof(*n->slot));
		free(n);
		close(fd);
		log_error("the map of sequence numbers cannot be mapped: out of memory");
		return false;
	}
	*n = (struct numbers){fd, m};
	d->numbers = n;
	return true;
}

void numbers_close(struct daemon *d)
{
	if (!d->numbers)
		return;
	munmap(d->numbers->slot, ENGINE_SLOTS * sizeof(*d->numbers->slot));
	close(d->numbers->fd);
	free(d->numbers);
	d->numbers = NULL;
}

void numbers_find(struct tunnel *t)
{
	struct daemon *d = t->home->daemon;
	int fd;

	if (d->numbers || !numbers_has(t) || t->place != t->home || netns_enter(t->home))
		return;
	fd = bpf_seq_of(t->link.ifindex);
	priv_leave();
	if (fd >= 0)
		take(d, fd);
}

static void raise_to(u32 *n, u32 least)
{
	if ((s32)(least - *n) > 0)
		*n = least;
}

void numbers_settle(struct daemon *d)
{
	if (!d->numbers)
		return;
	list_for_each (i, &d->tunnels) {
		u32 slot = list_entry(i, struct tunnel, node)->slot;
		const struct mode_state *file = shared_state(d->shared, slot);

		raise_to(&d->numbers->slot[slot].next_seq, file->next_seq);
		raise_to(&d->numbers->slot[slot].expected_seq, file->expected_seq);
	}
}

void numbers_need(struct daemon *d)
{
	int fd;

	if (d->numbers)
		return;
	fd = bpf_seq_new();
	if (fd < 0 || !take(d, fd))
		return; /* the load that follows tells why, if it fails as well */
	list_for_each (i, &d->tunnels) {
		u32 slot = list_entry(i, struct tunnel, node)->slot;

		d->numbers->slot[slot] = *shared_state(d->shared, slot);
	}
	numbers_tell(d);
}

int numbers_fd(const struct daemon *d)
{
	return d->numbers ? d->numbers->fd : -1;
}

void numbers_tell(struct daemon *d)
{
	struct engine_msg m = {.op = ENGINE_NUMBERS};

	if (d->numbers && engproc_is_ready(d))
		engproc_send(d, &m, &d->numbers->fd, 1);
}

void numbers_begin(struct daemon *d, u32 slot)
{
	if (d->numbers)
		d->numbers->slot[slot] = (struct mode_state){0};
}

void numbers_keep(const struct tunnel *t)
{
	struct daemon *d = t->home->daemon;

	if (d->numbers && numbers_has(t))
		*shared_state(d->shared, t->slot) = d->numbers->slot[t->slot];
}
