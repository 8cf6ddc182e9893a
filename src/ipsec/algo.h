/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The algorithms that ESP is done with here, by the kernel's names for them
 * (`ip xfrm`, RFC 4106, 7634, 3602, 2404, 4868).
 */
#ifndef TUNL_IPSEC_ALGO_H
#define TUNL_IPSEC_ALGO_H

#include "ipsec/xfrm.h"

enum algo_kind { ALGO_AEAD, ALGO_ENC, ALGO_AUTH };

struct algo {
	enum algo_kind kind;
	const char *name, *alias; /* the kernel's, and an older one; alias NULL: none */
	const char *evp;	  /* what libcrypto calls it; an aead of several key lengths: %u */
	u32 key_min, key_max, key_step; /* bytes, salt included */
	u32 salt;			/* bytes of the key that are the nonce's beginning */
	u32 iv;				/* bytes on the wire */
	u32 align;			/* what inner packet and trailer are padded to */
	u32 icv_bits;			/* auth: without auth-trunc; aead: largest */
	u32 digest_bits;		/* auth: of the whole digest */
};

/* NULL: there is none of that name here. */
const struct algo *algo_find(enum algo_kind kind, const char *name);

/* Have the kernel's own names stand for older ones. */
void algo_name(struct sa_cfg *cfg);

/*
 * What the kernel would say of a security association's algorithms: 0; -ENOSYS, one
 * is not known; -EINVAL, a key or an ICV of a length that it has not.
 */
int algo_check(const struct sa_cfg *cfg);

#endif
