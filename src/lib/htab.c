/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/htab.h"

#include <errno.h>
#include <stdlib.h>

enum { HTAB_MIN = 16 };

static size_t slot_of(size_t nbucket, u64 key)
{
	/* every bit has a say in the low ones: addresses differ in their last bytes, which are high
	 */
	key ^= key >> 33;
	key *= 0xff51afd7ed558ccdULL;
	key ^= key >> 33;
	return key & (nbucket - 1);
}

void htab_fini(struct htab *h)
{
	free(h->bucket);
	*h = (struct htab){0};
}

static void link_node(struct hnode **bucket, size_t nbucket, struct hnode *n)
{
	struct hnode **b = &bucket[slot_of(nbucket, n->key)];

	n->next = *b;
	*b = n;
}

static int grow(struct htab *h)
{
	size_t nbucket = h->nbucket ? h->nbucket * 2 : HTAB_MIN;
	struct hnode **bucket = calloc(nbucket, sizeof(struct hnode *));

	if (!bucket)
		return -ENOMEM;
	for (size_t i = 0; i < h->nbucket; i++) {
		while (h->bucket[i]) {
			struct hnode *n = h->bucket[i];

			h->bucket[i] = n->next;
			link_node(bucket, nbucket, n);
		}
	}
	free(h->bucket);
	h->bucket = bucket;
	h->nbucket = nbucket;
	return 0;
}

int htab_add(struct htab *h, struct hnode *n, u64 key)
{
	/* a table that cannot grow goes on, slower */
	if (h->count >= h->nbucket && grow(h) && !h->nbucket)
		return -ENOMEM;
	n->key = key;
	link_node(h->bucket, h->nbucket, n);
	h->count++;
	return 0;
}

struct hnode *htab_find(const struct htab *h, u64 key)
{
	struct hnode *n = h->nbucket ? h->bucket[slot_of(h->nbucket, key)] : NULL;

	while (n && n->key != key)
		n = n->next;
	return n;
}

struct hnode *htab_find_next(const struct hnode *n)
{
	struct hnode *next = n->next;

	while (next && next->key != n->key)
		next = next->next;
	return next;
}

void htab_del(struct htab *h, struct hnode *n)
{
	struct hnode **p = &h->bucket[slot_of(h->nbucket, n->key)];

	while (*p != n)
		p = &(*p)->next;
	*p = n->next;
	h->count--;
}

struct hnode *htab_next(const struct htab *h, const struct hnode *n)
{
	size_t i = 0;

	if (n && n->next)
		return n->next;
	if (n)
		i = slot_of(h->nbucket, n->key) + 1;
	for (; i < h->nbucket; i++)
		if (h->bucket[i])
			return h->bucket[i];
	return NULL;
}
