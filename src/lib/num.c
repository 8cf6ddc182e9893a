/* SPDX-License-Identifier: BSD-2-Clause */
/* strtoul() with everything it forgives refused again. */
#include "lib/num.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

static bool num_read(const char *word, int base, u32 max, u32 *out)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(word, &end, base);
	if (end == word || *end || errno || v > max)
		return false;
	*out = (u32)v;
	return true;
}

bool num_u32(const char *word, u32 max, u32 *out)
{
	return num_read(word, 0, max, out);
}

bool num_hex(const char *word, u32 max, u32 *out)
{
	return num_read(word, 16, max, out);
}

bool num_dec(const char *word, u32 max, u32 *out)
{
	return isdigit((unsigned char)*word) && num_read(word, 10, max, out);
}
