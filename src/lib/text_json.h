/* SPDX-License-Identifier: BSD-2-Clause */
/* A text that came from outside as a JSON string. */
#ifndef TUNL_LIB_TEXT_JSON_H
#define TUNL_LIB_TEXT_JSON_H

#include <jansson.h>

/*
 * Names of devices, also within a text, are any bytes; JSON is UTF-8: of a text that is
 * not, each byte beyond ASCII is `?`, and what is behind 2047 bytes is left out.
 * A new reference; NULL: no memory.
 */
json_t *text_json(const char *s);

#endif
