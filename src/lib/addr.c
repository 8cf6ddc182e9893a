/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/addr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/num.h"

enum { PREFIX_TEXT = 64 }; /* longest ADDR/LEN worth looking at */

static bool addr_is_any(const char *word)
{
	return !strcmp(word, "any") || !strcmp(word, "all") || !strcmp(word, "default");
}

/* One part of a dotted address; NULL: it is none, else where it ends. */
static const char *addr4_part(const char *p, u32 *part)
{
	char *end;
	unsigned long v = strtoul(p, &end, 0);

	if (end == p || v > 255)
		return NULL;
	*part = (u32)v;
	return end;
}

bool addr4_parse(const char *word, be32 *out)
{
	const char *p = word;
	u32 part, host = 0;

	if (addr_is_any(word)) {
		*out = be32_of(0);
		return true;
	}
	for (int shift = 24; shift >= 0; shift -= 8) {
		p = addr4_part(p, &part);
		if (!p)
			return false;
		host |= part << shift;
		if (!*p) {
			*out = be32_of(host);
			return true;
		}
		if (*p++ != '.')
			return false;
	}
	return false;
}

char *addr4_print(be32 addr, char buf[static ADDR4_TEXT])
{
	u32 a = be32_host(addr);

	snprintf(buf, ADDR4_TEXT, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
	return buf;
}

char *addr4_any(be32 addr, char buf[static ADDR4_TEXT])
{
	if (be32_is_zero(addr))
		return strcpy(buf, "any");
	return addr4_print(addr, buf);
}

/* Part a copy of word at its `/`; *len is what stands behind it, or NULL. */
static bool prefix_part(const char *word, char buf[static PREFIX_TEXT], char **len)
{
	if (strlen(word) >= PREFIX_TEXT)
		return false;
	strcpy(buf, word);
	*len = strchr(buf, '/');
	if (*len)
		*(*len)++ = '\0';
	return true;
}

/* "24", or the netmask that means it. */
static bool prefix4_len(const char *word, u32 *len)
{
	be32 mask;
	u32 inverse;

	if (num_u32(word, 32, len))
		return true;
	if (!strchr(word, '.') || !addr4_parse(word, &mask))
		return false;
	inverse = ~be32_host(mask);
	if (inverse & (inverse + 1))
		return false;
	*len = inverse ? (u32)__builtin_clz(inverse) : 32;
	return true;
}

bool prefix4_parse(const char *word, be32 *addr, u8 *len)
{
	char buf[PREFIX_TEXT], *tail;
	u32 bits = 32;

	if (!prefix_part(word, buf, &tail) || !addr4_parse(buf, addr))
		return false;
	if (addr_is_any(buf))
		bits = 0;
	if (tail && !prefix4_len(tail, &bits))
		return false;
	*len = (u8)bits;
	return true;
}

bool prefix6_parse(const char *word, u8 addr[static 16], u8 *len)
{
	char buf[PREFIX_TEXT], *tail;
	u32 bits = 128;

	if (!prefix_part(word, buf, &tail))
		return false;
	if (addr_is_any(buf)) {
		memset(addr, 0, 16);
		bits = 0;
	} else if (inet_pton(AF_INET6, buf, addr) != 1) {
		return false;
	}
	if (tail && !num_u32(tail, 128, &bits))
		return false;
	*len = (u8)bits;
	return true;
}

char *addr6_print(const u8 addr[static 16], char buf[static ADDR6_TEXT])
{
	inet_ntop(AF_INET6, addr, buf, ADDR6_TEXT);
	return buf;
}

bool ifname_ok(const char *word)
{
	size_t n = strlen(word);

	if (!n || n >= ADDR_IFNAME)
		return false;
	for (; *word; word++)
		if (*word == '/' || isspace((unsigned char)*word))
			return false;
	return true;
}
