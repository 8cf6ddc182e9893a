/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The detail that `ip -d link show` gives of a tunnel device, where the real ip
 * sees a TUN device: what ip_detail.c writes into ip's text, ip_json.c into its
 * JSON, and ip_info.c knows of the kinds (spec cli 3.4).
 */
#ifndef TUNL_CLI_IP_DETAIL_H
#define TUNL_CLI_IP_DETAIL_H

#include <jansson.h>
#include <stdio.h>

#include "cli/row.h"
#include "lib/text.h"

/* The tunnels of the namespace; borrowed. */
struct ip_rows {
	const struct tunnel_row *row;
	size_t n;
	const char *only; /* `type KIND`: nothing is shown but tunnels of it; NULL: all */
	bool detail;	  /* -d: what is said of them is rewritten */
};

/* The tunnel that a device is, by index or name; with `only` set, of that kind. */
const struct tunnel_row *ip_rows_find(const struct ip_rows *rows, u32 ifindex);
const struct tunnel_row *ip_rows_named(const struct ip_rows *rows, const char *name, size_t len);

/* --- ip_info.c */

/* "KIND ITEM ... ", each word followed by one blank. */
void ip_info_text(const struct tunnel_cfg *cfg, struct text *t);

/* {"info_kind":...,"info_data":{...}}; the caller's, NULL: no memory. */
json_t *ip_info_json(const struct tunnel_cfg *cfg);

/* What stands after `@`: "NONE", a device, or ifN. */
const char *ip_info_link(const struct tunnel_cfg *cfg);

/* Smallest and largest MTU. */
u32 ip_info_mtu_min(const struct tunnel_cfg *cfg);
u32 ip_info_mtu_max(const struct tunnel_cfg *cfg);

/* --- ip_json.c */

/*
 * Write ip's JSON output, rewritten for our devices, in ip's own layout
 * (-p: pretty). first (NULL: none) is another such output, whose rows go before.
 * What cannot be read goes out as it came.
 */
void ip_json_write(FILE *to, const char *first, const char *text, const struct ip_rows *rows,
		   bool pretty);

#endif
