/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cipher of one security association: libcrypto's EVP with its keys set, so
 * that a packet costs no key schedule. Belongs to its struct sa; works on ESP
 * packets that lie in one piece, from their ESP header on:
 *
 *	header, IV, ciphertext, ICV	(RFC 4303 2, 4106, 7634)
 */
#ifndef TUNL_IPSEC_CRYPT_H
#define TUNL_IPSEC_CRYPT_H

#include "ipsec/xfrm.h"

struct crypt;

/*
 * Once a process, before anything of libcrypto: it takes its memory from
 * ipsec/secret.h, reads no file and loads all that will be used. 0 or -errno.
 */
int crypt_init(void);

/* NULL: algo_check() refuses cfg, or there is no memory. Takes nothing of cfg. */
struct crypt *crypt_new(const struct sa_cfg *cfg);
void crypt_free(struct crypt *c);

/*
 * Where the IVs of a counter mode begin: taken from *begin, or where that is 0 put
 * there, so that who goes on with the association's numbers makes no IV twice.
 */
void crypt_iv_begin(struct crypt *c, u64 *begin);

/* Bytes of IV and ICV, and what is padded to. */
struct crypt_sizes {
	u32 iv, icv, align;
};

struct crypt_sizes crypt_sizes(const struct crypt *c);

/* A piece of what is to be enciphered. */
struct crypt_piece {
	const u8 *data;
	u32 len;
};

/* What one packet is enciphered with. */
struct crypt_job {
	const struct crypt_piece *in; /* n of them */
	u32 n;
	u32 seq_hi;   /* the number's high half, with extended numbers */
	const u8 *iv; /* of sizes.iv bytes; NULL: one that was never used */
};

/*
 * Encipher the pieces, together a multiple of align, behind the ESP header at
 * esp, with IV and ICV. 0 or -EIO.
 */
int crypt_seal(struct crypt *c, u8 *esp, const struct crypt_job *job);

/*
 * Decipher, in place, the len bytes from the ESP header on. What was in it stands
 * behind header and IV, without the ICV. False: the ICV is wrong, or the length
 * is none; the bytes are then as they were, or nothing.
 */
bool crypt_open(struct crypt *c, u8 *esp, u32 len, u32 seq_hi);

#endif
