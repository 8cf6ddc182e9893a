/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for keys: locked, so that it is never swapped; left out of core dumps;
 * wiped when it is freed. libcrypto has all of its memory there, too, in a
 * process that calls secret_init() before anything of it.
 */
#ifndef TUNL_IPSEC_SECRET_H
#define TUNL_IPSEC_SECRET_H

#include <stddef.h>

/*
 * Reserve the memory; it is had, and locked, piece by piece as it is used. 0 or
 * -errno. -EPERM: it is there, but cannot be locked (RLIMIT_MEMLOCK).
 */
int secret_init(void);

/* Zeroed memory; NULL: there is no more. Before secret_init(): plain memory, wiped all the same. */
void *secret_alloc(size_t size);
void secret_free(void *p);

/* Bytes that p, of secret_alloc(), has room for. */
size_t secret_size(const void *p);

/* Wipe what is on the stack, in a way that no compiler leaves out. */
void secret_wipe(void *p, size_t size);

#endif
