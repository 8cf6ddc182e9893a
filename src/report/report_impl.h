/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the report: one function a section of the page. */
#ifndef TUNL_REPORT_REPORT_IMPL_H
#define TUNL_REPORT_REPORT_IMPL_H

#include <jansson.h>

#include "lib/types.h"
#include "report/html.h"

/* Members of an object: "" and 0 where there is no such. */
const char *doc_text(const json_t *o, const char *key);
s64 doc_int(const json_t *o, const char *key);
bool doc_bool(const json_t *o, const char *key);

/* "IPv4 / GRE / IPv4 / ICMP" of a packet, without what only carries it on the wire. */
void doc_layers(const json_t *packet, char *buf, size_t len);

/*
 * The colour class of the i-th layer of a packet ("link", "ip0" the outermost IP header,
 * "ip1", "ip2", "wrap", "upper", "data"); static text.
 */
const char *layer_class(const json_t *layers, size_t i);

void report_topology(struct html *h, const json_t *doc);
void report_path(struct html *h, const json_t *doc);
void report_rtt(struct html *h, const json_t *doc);
void report_packets(struct html *h, const json_t *doc);
void report_commands(struct html *h, const json_t *doc);

/* One packet's layers as nested boxes to scale (report_boxes.c), and its bytes (report_hex.c). */
void report_boxes(struct html *h, const json_t *packet);
void report_hex(struct html *h, const json_t *packet);

/* Open a section of the page, with its heading. Closed by html_end(h, "section"). */
void report_section(struct html *h, const char *id, const char *heading);

#endif
