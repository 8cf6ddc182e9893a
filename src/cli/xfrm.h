/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `tunl xfrm`, in `ip xfrm`'s words, and the answers as `ip xfrm` prints them.
 * Where the kernel has ESP its own tables are the ones, and the real ip is called.
 */
#ifndef TUNL_CLI_XFRM_H
#define TUNL_CLI_XFRM_H

#include <jansson.h>

#include "cli/cli.h"
#include "ipsec/db.h"
#include "ipsec/text.h"

/* argv: the words after `xfrm`. The exit status. */
int xfrm_main(const struct cli *cli, int argc, char **argv);

/* A row of tunld's: print it. keys: as they are; else what ip has in their place. */
void xfrm_print_state(const struct cli *cli, const struct sa_cfg *cfg, const json_t *live,
		      bool keys);
void xfrm_print_policy(const struct cli *cli, const struct policy_cfg *cfg, u64 added);

/* Usage of an object ("state", "policy"; NULL: of all) to f. */
void xfrm_usage(const char *object);

#endif
