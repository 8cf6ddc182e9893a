/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One page about tunnels: a function of a JSON document (`tunl lab run -j` and
 * `tunl explain -j` print its parts) and nothing else. The page is whole in itself:
 * no network, no script needed to read it.
 *
 * Members, all of them optional: title, about, lab, id, ok, error, ends; topology,
 * path, pings, packets (with data: their bytes in hex), steps, routes, source, more
 * (packets that are left out).
 */
#ifndef TUNL_REPORT_REPORT_H
#define TUNL_REPORT_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "lib/err.h"

/*
 * Write the page of doc to path, "-" being stdout. A file comes to be whole or not
 * at all: it is written beside its place and then moved there. -errno with e filled.
 */
int report_write(const char *path, const json_t *doc, struct err *e);

/* The same to a stream; its error flag tells of failure. */
void report_print(FILE *out, const json_t *doc);

#endif
