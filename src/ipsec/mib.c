/* SPDX-License-Identifier: BSD-2-Clause */
#include "ipsec/mib.h"

const char *mib_name(enum mib m)
{
	static const char *const names[] = {
#define MIB(id, name) [MIB_##id] = name,
#include "ipsec/mib.def"
#undef MIB
	};

	return names[m];
}
