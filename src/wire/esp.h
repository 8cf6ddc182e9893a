/* SPDX-License-Identifier: BSD-2-Clause */
/* ESP (RFC 4303): what of it can be read without keys. */
#ifndef TUNL_WIRE_ESP_H
#define TUNL_WIRE_ESP_H

#include "lib/types.h"

enum { ESP_HLEN = 8 };

struct esp {
	be32 spi; /* which security association */
	be32 seq; /* low half where extended numbers are used */
} __attribute__((packed));

#endif
