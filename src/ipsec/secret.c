/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One reservation, cut into pieces of powers of two; a freed piece goes to the
 * list of its size. Each piece has its size before it.
 */
#include "ipsec/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/types.h"

enum {
	PIECE_MIN = 5, /* 32 bytes, the head included */
	PIECE_MAX = 24,
	ALIGN = 16,
};

#define RESERVED (256UL << 20)
#define CHUNK	 (256UL << 10) /* is locked at once */

struct piece {
	union {
		size_t bits;	    /* of its size; in use */
		struct piece *next; /* free */
	};
	u8 pad[ALIGN - sizeof(size_t)];
};

static struct {
	u8 *begin, *next, *locked, *end;
	struct piece *free[PIECE_MAX + 1];
} arena;

/* Have the memory up to `to` locked; a limit that is reached leaves the rest as it is. */
static int lock(u8 *to)
{
	int err = 0;

	while (!err && arena.locked < to) {
		err = mlock(arena.locked, CHUNK) ? -EPERM : 0;
		arena.locked += CHUNK;
	}
	return err;
}

void secret_wipe(void *p, size_t size)
{
	explicit_bzero(p, size);
}

int secret_init(void)
{
	u8 *m = mmap(NULL, RESERVED, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (m == MAP_FAILED)
		return -errno;
	arena.begin = arena.next = arena.locked = m;
	arena.end = m + RESERVED;
	madvise(m, RESERVED, MADV_DONTDUMP);
	madvise(m, RESERVED, MADV_DONTFORK);
	madvise(m, RESERVED, MADV_NOHUGEPAGE);
	return lock(m + CHUNK);
}

static size_t bits_for(size_t size)
{
	size_t bits = PIECE_MIN;

	while (((size_t)1 << bits) < size)
		bits++;
	return bits;
}

static struct piece *take(size_t bits)
{
	struct piece *p = arena.free[bits];
	size_t size = (size_t)1 << bits;

	if (p) {
		arena.free[bits] = p->next;
	} else if (size <= (size_t)(arena.end - arena.next)) {
		p = (struct piece *)arena.next;
		arena.next += size;
		lock(arena.next);
	}
	return p;
}

void *secret_alloc(size_t size)
{
	struct piece *p;
	size_t bits;

	if (size > ((size_t)1 << PIECE_MAX) - sizeof(*p))
		return NULL;
	bits = bits_for(size + sizeof(*p));
	p = arena.begin ? take(bits) : calloc(1, (size_t)1 << bits);
	if (!p)
		return NULL;
	p->bits = bits;
	return p + 1; /* zero: new, or wiped when it was freed */
}

size_t secret_size(const void *ptr)
{
	const struct piece *p = ptr;

	return ((size_t)1 << p[-1].bits) - sizeof(*p);
}

void secret_free(void *ptr)
{
	struct piece *p = ptr;
	size_t bits;

	if (!ptr)
		return;
	p--;
	bits = p->bits;
	explicit_bzero(p, (size_t)1 << bits);
	if ((u8 *)p < arena.begin || (u8 *)p >= arena.end) {
		free(p);
		return;
	}
	p->next = arena.free[bits];
	arena.free[bits] = p;
}
