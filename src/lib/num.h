/* SPDX-License-Identifier: BSD-2-Clause */
/* Strict reading of numbers: the whole word is the number, or it is refused. */
#ifndef TUNL_LIB_NUM_H
#define TUNL_LIB_NUM_H

#include "lib/types.h"

/*
 * An unsigned number in C notation (decimal, 0x hex, leading-0 octal), at most
 * max. Leading blanks and a sign are tolerated as iproute2 does (`-0` is 0, and -1
 * larger than any max); an empty word and anything after the digits are not. False:
 * *out is untouched.
 */
bool num_u32(const char *word, u32 max, u32 *out);

/* The same in hexadecimal, with or without 0x (TOS values: spec cli 1.3). */
bool num_hex(const char *word, u32 max, u32 *out);

/* Plain decimal digits and nothing else: sizes, counters, file formats. */
bool num_dec(const char *word, u32 max, u32 *out);

#endif
