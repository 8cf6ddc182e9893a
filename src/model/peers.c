/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/peers.h"

#include <string.h>

#include "lib/addr.h"
#include "lib/text.h"

static be32 masked(be32 addr, u8 len)
{
	return len ? be32_of(be32_host(addr) & ~0U << (32 - len)) : be32_of(0);
}

static bool has(const struct peers *p, be32 addr, u8 len)
{
	for (u32 i = 0; i < p->n; i++)
		if (be32_eq(p->addr[i], addr) && p->len[i] == len)
			return true;
	return false;
}

/* One entry, once. False: it is no address or prefix, or the list is full. */
static bool add(struct peers *p, const char *word)
{
	be32 addr;
	u8 len;

	if (!prefix4_parse(word, &addr, &len) || len > 32)
		return false;
	addr = masked(addr, len);
	if (has(p, addr, len))
		return true;
	if (p->n == PEERS_MAX)
		return false;
	p->addr[p->n] = addr;
	p->len[p->n++] = len;
	return true;
}

bool peers_parse(const char *word, struct peers *p)
{
	char one[40];

	memset(p, 0, sizeof(*p));
	if (!strcmp(word, "any"))
		return true;
	for (;; word++) {
		size_t n = strcspn(word, ",");

		if (!n || n >= sizeof(one))
			return false;
		memcpy(one, word, n);
		one[n] = '\0';
		if (!add(p, one))
			return false;
		word += n;
		if (!*word)
			return true;
	}
}

char *peers_print(const struct peers *p, char buf[static PEERS_TEXT])
{
	char addr[ADDR4_TEXT];
	struct text t;

	text_init(&t, buf, PEERS_TEXT);
	for (u32 i = 0; i < p->n; i++) {
		text_add(&t, "%s%s", i ? "," : "", addr4_print(p->addr[i], addr));
		if (p->len[i] != 32)
			text_add(&t, "/%u", p->len[i]);
	}
	if (!p->n)
		text_add(&t, "any");
	return buf;
}

bool peers_admit(const struct peers *p, be32 src)
{
	for (u32 i = 0; i < p->n; i++)
		if (be32_eq(masked(src, p->len[i]), p->addr[i]))
			return true;
	return !p->n;
}

bool peers_equal(const struct peers *a, const struct peers *b)
{
	return !memcmp(a, b, sizeof(*a));
}
