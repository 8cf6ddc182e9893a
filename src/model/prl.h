/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The potential router list of an ISATAP tunnel (RFC 5214 8.3.2, spec datapath
 * 8.2): whose packets are believed. A plain value, newest entry first.
 */
#ifndef TUNL_MODEL_PRL_H
#define TUNL_MODEL_PRL_H

#include "lib/types.h"

enum { PRL_MAX = 64, PRL_SHOWN = 15 }; /* entries; of which `show` tells (spec cli 2.2) */

struct prl_entry {
	be32 addr;
	bool is_default; /* may be a default router */
};

struct prl {
	u32 n;
	struct prl_entry entry[PRL_MAX];
};

/* NULL: it is not in. */
const struct prl_entry *prl_find(const struct prl *p, be32 addr);

/* -EINVAL: no address; -EEXIST: it is in, whatever its flag; -ENOBUFS: the list is full. */
int prl_add(struct prl *p, be32 addr, bool is_default);

/* Zero empties the list. -ENXIO: it is not in. */
int prl_del(struct prl *p, be32 addr);

#endif
