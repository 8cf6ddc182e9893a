/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses, prefixes and device names as text. */
#ifndef TUNL_LIB_ADDR_H
#define TUNL_LIB_ADDR_H

#include "lib/types.h"

enum {
	ADDR4_TEXT = 16, /* "255.255.255.255" with its NUL */
	ADDR6_TEXT = 46,
	ADDR_IFNAME = 16, /* IFNAMSIZ */
};

/*
 * ADDR of spec cli 1.3: `any`, `all`, `default`, or 1-4 numbers in C notation
 * with dots between; what is missing is zero on the right (10.8 = 10.8.0.0).
 */
bool addr4_parse(const char *word, be32 *out);

/* Dotted quad into buf; returns buf. addr4_any() writes `any` for zero. */
char *addr4_print(be32 addr, char buf[static ADDR4_TEXT]);
char *addr4_any(be32 addr, char buf[static ADDR4_TEXT]);

/* "ADDR[/LEN]" or "ADDR/MASK" (spec cli 1.8); no LEN: 32; `any`: 0.0.0.0/0. */
bool prefix4_parse(const char *word, be32 *addr, u8 *len);

/* "P6[/LEN]"; no LEN: 128; `any`: ::/0. */
bool prefix6_parse(const char *word, u8 addr[static 16], u8 *len);
char *addr6_print(const u8 addr[static 16], char buf[static ADDR6_TEXT]);

/* What iproute2 takes for a device name: 1-15 bytes, no `/`, no white space. */
bool ifname_ok(const char *word);

#endif
