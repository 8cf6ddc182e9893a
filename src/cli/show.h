/* SPDX-License-Identifier: BSD-2-Clause */
/* How a tunnel is shown: text and JSON (spec cli 2). */
#ifndef TUNL_CLI_SHOW_H
#define TUNL_CLI_SHOW_H

#include <stdio.h>

#include "cli/cli.h"
#include "cli/row.h"

/*
 * `tunl show WORDS`: WORDS as any verb of the tunnel language takes them.
 * Returns the exit status.
 */
int show_main(const struct cli *cli, int argc, char **argv);

/* One tunnel as text, with all that cli asks for (-s, -d, -o, -c, -N). */
void show_text(const struct cli *cli, const struct tunnel_row *row, FILE *out);

/*
 * One tunnel as a JSON object with iproute2's members; as tunl with those of
 * its own besides. The caller's to json_decref().
 */
json_t *show_object(const struct cli *cli, const struct tunnel_row *row);

/* The objects as iproute2 lays them out (spec cli 2.4); rows may be none. */
void show_json(const struct cli *cli, const struct tunnel_row *rows, size_t n, FILE *out);

/* The same, with objects behind them that are no tunnels (yet). */
void show_json_with(const struct cli *cli, const struct tunnel_row *rows, size_t n, json_t *more,
		    FILE *out);

/* "ip", "gre", "ipv6", "any", "mpls": PROTO of `PROTO/ip`. */
const char *show_proto(u8 proto);

/* `NAME` or 0xNN of a TOS value; buf is of 8 bytes. */
const char *show_tos(const struct cli *cli, u8 value, char buf[static 8]);

/* The flags of iflags and oflags in the order in which they are shown. */
struct show_flag {
	bool input;
	u16 flag;
	const char *text, *json;
};
extern const struct show_flag show_flags[4];

/* Which keys are shown: of vti always both. */
void show_keys(const struct tunnel_cfg *cfg, bool *in, bool *out);

#endif
