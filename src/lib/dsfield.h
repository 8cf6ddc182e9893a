/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of TOS values: the rt_dsfield database of iproute2, read once from
 * /etc/iproute2 or /usr/share/iproute2, else the stock names (spec cli 1.3).
 */
#ifndef TUNL_LIB_DSFIELD_H
#define TUNL_LIB_DSFIELD_H

#include "lib/types.h"

/* Value of a name (exact case), or of a hexadecimal number 0..ff. */
bool dsfield_parse(const char *word, u8 *out);

/* The name of a value, or NULL where the database has none. */
const char *dsfield_name(u8 value);

#endif
