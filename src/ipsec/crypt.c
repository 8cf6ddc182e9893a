/* SPDX-License-Identifier: BSD-2-Clause */
#include "ipsec/crypt.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "ipsec/algo.h"
#include "ipsec/secret.h"
#include "wire/esp.h"

enum { NONCE = 12, SALT = 4, IV_MAX = 16, DIGEST_MAX = 64 };

struct crypt {
	EVP_CIPHER_CTX *seal, *open; /* NULL: cipher_null */
	EVP_CIPHER_CTX *ivs;	     /* cbc: makes IVs that nobody can foretell */
	EVP_MAC_CTX *mac;	     /* NULL: aead, or no auth */
	bool aead, esn;
	struct crypt_sizes sizes;
	u8 salt[SALT];
	u64 iv_mask, iv_count;
};

static void *mem_alloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return secret_alloc(size);
}

static void mem_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	secret_free(p);
}

static void *mem_resize(void *old, size_t size, const char *file, int line)
{
	void *p = size ? secret_alloc(size) : NULL;

	if (old && p) {
		memcpy(p, old, min_of(size, secret_size(old)));
		mem_free(old, file, line);
	} else if (!size) {
		mem_free(old, file, line);
	}
	return p;
}

int crypt_init(void)
{
	static const char *const ciphers[] = {"AES-128-GCM", "AES-192-GCM",	 "AES-256-GCM",
					      "AES-128-CBC", "AES-192-CBC",	 "AES-256-CBC",
					      "AES-256-ECB", "ChaCha20-Poly1305"};
	EVP_MAC *mac;

	if (!CRYPTO_set_mem_functions(mem_alloc, mem_resize, mem_free) ||
	    !OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL))
		return -EIO;
	for (u32 i = 0; i < countof(ciphers); i++) {
		EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, ciphers[i], NULL);

		if (!c)
			return -ENOSYS;
		EVP_CIPHER_free(c);
	}
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (!mac)
		return -ENOSYS;
	EVP_MAC_free(mac);
	return 0;
}

/* A context with its key; NULL: no memory, or no such cipher. */
static EVP_CIPHER_CTX *cipher(const char *name, const u8 *key, bool seal)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, name, NULL);

	if (!ctx || !c || !EVP_CipherInit_ex(ctx, c, NULL, key, NULL, seal)) {
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	} else {
		EVP_CIPHER_CTX_set_padding(ctx, 0);
	}
	EVP_CIPHER_free(c);
	return ctx;
}

static bool set_cipher(struct crypt *c, const struct algo *a, const struct xfrm_algo_cfg *cfg)
{
	char name[32];

	c->sizes.iv = a->iv;
	c->sizes.align = a->align;
	if (!a->evp)
		return true;
	snprintf(name, sizeof(name), a->evp, (cfg->key_len - a->salt) * 8);
	memcpy(c->salt, cfg->key + cfg->key_len - a->salt, a->salt);
	c->seal = cipher(name, cfg->key, true);
	c->open = cipher(name, cfg->key, false);
	return c->seal && c->open;
}

static bool set_mac(struct crypt *c, const struct sa_cfg *cfg)
{
	const struct algo *a = algo_find(ALGO_AUTH, cfg->auth.name);
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	OSSL_PARAM params[2] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)a->evp, 0),
		OSSL_PARAM_construct_end(),
	};
	bool ok;

	c->sizes.icv =
		(cfg->auth_trunc && cfg->auth.icv_bits ? cfg->auth.icv_bits : a->icv_bits) / 8;
	c->mac = mac ? EVP_MAC_CTX_new(mac) : NULL;
	ok = c->mac && EVP_MAC_init(c->mac, cfg->auth.key, cfg->auth.key_len, params);
	EVP_MAC_free(mac);
	return ok;
}

/* Random numbers of the association, for IVs; the kernel's never blocks here. */
static bool set_random(struct crypt *c)
{
	u8 key[32];
	bool ok = getrandom(key, sizeof(key), 0) == sizeof(key) &&
		  getrandom(&c->iv_mask, sizeof(c->iv_mask), 0) == sizeof(c->iv_mask);

	if (ok && c->sizes.iv == IV_MAX) {
		c->ivs = cipher("AES-256-ECB", key, true);
		ok = c->ivs != NULL;
	}
	secret_wipe(key, sizeof(key));
	return ok;
}

static bool set_up(struct crypt *c, const struct sa_cfg *cfg)
{
	c->esn = cfg->flags & SA_ESN;
	c->aead = cfg->aead.name[0];
	if (c->aead) {
		c->sizes.icv = cfg->aead.icv_bits / 8;
		return set_cipher(c, algo_find(ALGO_AEAD, cfg->aead.name), &cfg->aead);
	}
	return set_cipher(c, algo_find(ALGO_ENC, cfg->enc.name), &cfg->enc) &&
	       (!cfg->auth.name[0] || set_mac(c, cfg));
}

struct crypt *crypt_new(const struct sa_cfg *cfg)
{
	struct crypt *c = algo_check(cfg) ? NULL : secret_alloc(sizeof(*c));

	if (c && set_up(c, cfg) && set_random(c))
		return c;
	crypt_free(c);
	return NULL;
}

void crypt_free(struct crypt *c)
{
	if (!c)
		return;
	EVP_CIPHER_CTX_free(c->seal);
	EVP_CIPHER_CTX_free(c->open);
	EVP_CIPHER_CTX_free(c->ivs);
	EVP_MAC_CTX_free(c->mac);
	secret_free(c);
}

void crypt_iv_begin(struct crypt *c, u64 *begin)
{
	if (*begin)
		c->iv_mask = *begin;
	else
		*begin = c->iv_mask;
}

struct crypt_sizes crypt_sizes(const struct crypt *c)
{
	return c->sizes;
}

/*
 * Of a counter mode, a number that never comes again, from a beginning of its own
 * (the kernel's seqiv); of cbc, one that nobody can foretell (NIST SP 800-38A, C).
 */
static bool make_iv(struct crypt *c, const u8 *esp, u32 seq_hi, u8 *iv)
{
	u64 number = (u64)seq_hi << 32 | be32_host(((const struct esp *)esp)->seq);
	u8 block[IV_MAX] = {0};
	int n;

	if (c->sizes.iv != IV_MAX) {
		number = __builtin_bswap64(number) ^ c->iv_mask;
		memcpy(iv, &number, c->sizes.iv);
		return true;
	}
	c->iv_count++;
	memcpy(block, &c->iv_count, sizeof(c->iv_count));
	memcpy(block + sizeof(c->iv_count), &c->iv_mask, sizeof(c->iv_mask));
	return EVP_EncryptUpdate(c->ivs, iv, &n, block, IV_MAX);
}

/* Set IV, and of an aead what is authenticated besides (RFC 4106 5). */
static bool begin(const struct crypt *c, EVP_CIPHER_CTX *ctx, const u8 *esp, u32 seq_hi)
{
	const u8 *iv = esp + ESP_HLEN;
	u8 nonce[NONCE], aad[ESP_HLEN + 4];
	be32 hi = be32_of(seq_hi);
	int n, len = ESP_HLEN;

	if (!c->aead)
		return EVP_CipherInit_ex(ctx, NULL, NULL, NULL, iv, -1);
	memcpy(nonce, c->salt, SALT);
	memcpy(nonce + SALT, iv, NONCE - SALT);
	memcpy(aad, esp, ESP_HLEN);
	if (c->esn) {
		memcpy(aad + 4, &hi, 4);
		memcpy(aad + 8, esp + 4, 4);
		len += 4;
	}
	return EVP_CipherInit_ex(ctx, NULL, NULL, NULL, nonce, -1) &&
	       EVP_CipherUpdate(ctx, NULL, &n, aad, len);
}

/* The MAC over len bytes from the ESP header on (RFC 4303 2.2.1). */
static bool mac(struct crypt *c, const u8 *esp, u32 len, u32 seq_hi, u8 out[static DIGEST_MAX])
{
	be32 hi = be32_of(seq_hi);
	size_t n;

	return EVP_MAC_init(c->mac, NULL, 0, NULL) && EVP_MAC_update(c->mac, esp, len) &&
	       (!c->esn || EVP_MAC_update(c->mac, (const u8 *)&hi, sizeof(hi))) &&
	       EVP_MAC_final(c->mac, out, &n, DIGEST_MAX);
}

static bool encipher(EVP_CIPHER_CTX *ctx, u8 **out, const struct crypt_piece *p)
{
	int n = (int)p->len;

	if (!ctx)
		memcpy(*out, p->data, p->len);
	else if (!EVP_EncryptUpdate(ctx, *out, &n, p->data, (int)p->len))
		return false;
	*out += n;
	return true;
}

static bool put_icv(struct crypt *c, const u8 *esp, u32 seq_hi, u8 *at)
{
	u8 digest[DIGEST_MAX];
	int n;

	if (c->aead)
		return EVP_EncryptFinal_ex(c->seal, at, &n) &&
		       EVP_CIPHER_CTX_ctrl(c->seal, EVP_CTRL_AEAD_GET_TAG, (int)c->sizes.icv, at);
	if (!c->mac)
		return true;
	if (!mac(c, esp, (u32)(at - esp), seq_hi, digest))
		return false;
	memcpy(at, digest, c->sizes.icv);
	return true;
}

int crypt_seal(struct crypt *c, u8 *esp, const struct crypt_job *job)
{
	u8 *out = esp + ESP_HLEN + c->sizes.iv;

	if (job->iv)
		memcpy(esp + ESP_HLEN, job->iv, c->sizes.iv);
	else if (!make_iv(c, esp, job->seq_hi, esp + ESP_HLEN))
		return -EIO;
	if (c->seal && !begin(c, c->seal, esp, job->seq_hi))
		return -EIO;
	for (u32 i = 0; i < job->n; i++)
		if (!encipher(c->seal, &out, &job->in[i]))
			return -EIO;
	return put_icv(c, esp, job->seq_hi, out) ? 0 : -EIO;
}

/* Before anything is deciphered, where it can be. */
static bool icv_is_right(struct crypt *c, const u8 *esp, u32 len, u32 seq_hi)
{
	u8 digest[DIGEST_MAX];

	if (c->aead)
		return EVP_CIPHER_CTX_ctrl(c->open, EVP_CTRL_AEAD_SET_TAG, (int)c->sizes.icv,
					   (void *)(esp + len));
	return !c->mac || (mac(c, esp, len, seq_hi, digest) &&
			   !CRYPTO_memcmp(digest, esp + len, c->sizes.icv));
}

bool crypt_open(struct crypt *c, u8 *esp, u32 len, u32 seq_hi)
{
	u32 head = ESP_HLEN + c->sizes.iv;
	u8 *data = esp + head;
	int n;

	if (len < head + c->sizes.icv + c->sizes.align ||
	    (len - head - c->sizes.icv) % c->sizes.align)
		return false;
	len -= c->sizes.icv;
	if (c->aead && !begin(c, c->open, esp, seq_hi))
		return false;
	if (!icv_is_right(c, esp, len, seq_hi))
		return false;
	if (!c->open)
		return true;
	if (!c->aead && !begin(c, c->open, esp, seq_hi))
		return false;
	if (!EVP_DecryptUpdate(c->open, data, &n, data, (int)(len - head)))
		return false;
	return !c->aead || EVP_DecryptFinal_ex(c->open, data + n, &n) > 0;
}
