/* SPDX-License-Identifier: BSD-2-Clause */
#include "ipsec/algo.h"

#include <errno.h>
#include <string.h>

static const struct algo algos[] = {
	{ALGO_AEAD, "rfc4106(gcm(aes))", NULL, "AES-%u-GCM", 20, 36, 8, 4, 8, 4, 128, 0},
	{ALGO_AEAD, "rfc7539esp(chacha20,poly1305)", NULL, "ChaCha20-Poly1305", 36, 36, 8, 4, 8, 4,
	 128, 0},
	{ALGO_ENC, "cbc(aes)", "aes", "AES-%u-CBC", 16, 32, 8, 0, 16, 16, 0, 0},
	{ALGO_ENC, "ecb(cipher_null)", "cipher_null", NULL, 0, 0, 1, 0, 0, 4, 0, 0},
	{ALGO_AUTH, "hmac(sha1)", "sha1", "SHA1", 0, XFRM_KEY_MAX, 1, 0, 0, 0, 96, 160},
	{ALGO_AUTH, "hmac(sha256)", "sha256", "SHA256", 0, XFRM_KEY_MAX, 1, 0, 0, 0, 96, 256},
	{ALGO_AUTH, "hmac(sha384)", NULL, "SHA384", 0, XFRM_KEY_MAX, 1, 0, 0, 0, 192, 384},
	{ALGO_AUTH, "hmac(sha512)", NULL, "SHA512", 0, XFRM_KEY_MAX, 1, 0, 0, 0, 256, 512},
};

const struct algo *algo_find(enum algo_kind kind, const char *name)
{
	for (u32 i = 0; i < countof(algos); i++)
		if (algos[i].kind == kind && (!strcmp(algos[i].name, name) ||
					      (algos[i].alias && !strcmp(algos[i].alias, name))))
			return &algos[i];
	return NULL;
}

static bool key_fits(const struct algo *a, u32 len)
{
	return len >= a->key_min && len <= a->key_max && (len - a->key_min) % a->key_step == 0;
}

static bool icv_fits(const struct algo *a, const struct xfrm_algo_cfg *c)
{
	if (!strcmp(a->name, "rfc4106(gcm(aes))"))
		return c->icv_bits == 64 || c->icv_bits == 96 || c->icv_bits == 128;
	return c->icv_bits == a->icv_bits;
}

static int check_aead(const struct sa_cfg *cfg)
{
	const struct algo *a = algo_find(ALGO_AEAD, cfg->aead.name);

	if (!a)
		return -ENOSYS;
	return key_fits(a, cfg->aead.key_len) && icv_fits(a, &cfg->aead) ? 0 : -EINVAL;
}

static int check_auth(const struct sa_cfg *cfg)
{
	const struct algo *a = algo_find(ALGO_AUTH, cfg->auth.name);
	u32 bits = cfg->auth.icv_bits;

	if (!a)
		return -ENOSYS;
	/* 0: the digest's default */
	return !cfg->auth_trunc || (bits <= a->digest_bits && bits % 8 == 0) ? 0 : -EINVAL;
}

static void name_one(enum algo_kind kind, struct xfrm_algo_cfg *c)
{
	const struct algo *a = algo_find(kind, c->name);

	if (a)
		strcpy(c->name, a->name);
}

void algo_name(struct sa_cfg *cfg)
{
	name_one(ALGO_AEAD, &cfg->aead);
	name_one(ALGO_ENC, &cfg->enc);
	name_one(ALGO_AUTH, &cfg->auth);
}

int algo_check(const struct sa_cfg *cfg)
{
	const struct algo *enc = algo_find(ALGO_ENC, cfg->enc.name);
	int err = cfg->auth.name[0] ? check_auth(cfg) : 0;

	if (cfg->aead.name[0])
		return cfg->enc.name[0] || cfg->auth.name[0] ? -EINVAL : check_aead(cfg);
	if (!cfg->enc.name[0])
		return -EINVAL;
	if (!enc)
		return -ENOSYS;
	return err ? err : key_fits(enc, cfg->enc.key_len) ? 0 : -EINVAL;
}
