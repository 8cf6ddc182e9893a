/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/prl.h"

#include <errno.h>
#include <string.h>

const struct prl_entry *prl_find(const struct prl *p, be32 addr)
{
	for (u32 i = 0; i < p->n; i++)
		if (be32_eq(p->entry[i].addr, addr))
			return &p->entry[i];
	return NULL;
}

int prl_add(struct prl *p, be32 addr, bool is_default)
{
	if (be32_is_zero(addr))
		return -EINVAL;
	if (prl_find(p, addr))
		return -EEXIST;
	if (p->n == PRL_MAX)
		return -ENOBUFS;
	memmove(p->entry + 1, p->entry, p->n++ * sizeof(p->entry[0]));
	p->entry[0] = (struct prl_entry){addr, is_default};
	return 0;
}

int prl_del(struct prl *p, be32 addr)
{
	const struct prl_entry *e = prl_find(p, addr);
	size_t i;

	if (be32_is_zero(addr)) {
		p->n = 0;
		return 0;
	}
	if (!e)
		return -ENXIO;
	i = (size_t)(e - p->entry);
	memmove(p->entry + i, p->entry + i + 1, (--p->n - i) * sizeof(p->entry[0]));
	return 0;
}
