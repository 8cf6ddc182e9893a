/* SPDX-License-Identifier: BSD-2-Clause */
/* Doubly linked lists whose nodes stand in the things they link. */
#ifndef TUNL_LIB_LIST_H
#define TUNL_LIB_LIST_H

#include "lib/types.h"

struct list {
	struct list *next, *prev;
};

TUNL_INLINE void list_init(struct list *l)
{
	l->next = l->prev = l;
}

TUNL_INLINE bool list_is_empty(const struct list *l)
{
	return l->next == l;
}

/* Put node at the end of l. */
TUNL_INLINE void list_add(struct list *l, struct list *node)
{
	node->prev = l->prev;
	node->next = l;
	l->prev->next = node;
	l->prev = node;
}

/* Take node off its list; a node that is on none must have been list_init()ed. */
TUNL_INLINE void list_del(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#define list_entry(node, type, member) container_of(node, type, member)

#define list_for_each(node, l) for (struct list *node = (l)->next; node != (l); node = node->next)

/* node may be taken off or freed in the body. */
#define list_for_each_safe(node, l)                                                                \
	for (struct list *node = (l)->next, *node##_next = node->next; node != (l);                \
	     node = node##_next, node##_next = node->next)

#endif
