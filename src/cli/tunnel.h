/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verbs of the tunnel language share. */
#ifndef TUNL_CLI_TUNNEL_H
#define TUNL_CLI_TUNNEL_H

#include "cli/cli.h"

/*
 * Ifindex of a device of the caller's namespace; "ifN" is N (spec cli 1.5), with all that
 * scanf forgives, as in iproute2. 0: none.
 */
u32 dev_ifindex(void *ctx, const char *dev);

/* cfg->dev by cfg->link: the device's name, or "ifN" where it is gone. */
void dev_name(struct tunnel_cfg *cfg);

/* The device that an ioctl about `name` is for: what stands before a colon (an alias of old). */
const char *dev_of(const char *name, char buf[static TUNL_NAME_LEN]);

/* The device that messages name: NAME, else the mode's fallback device, else "". */
const char *tunnel_base(const struct tunnel_cfg *cfg);

/* Print what grammar_read() refused; `help` gets the usage. Returns the exit status. */
int tunnel_complain(const struct cli *cli, const struct err *e);

/* The usage text, on stderr. Returns EXIT_SYNTAX. */
int usage_main(const struct cli *cli, int argc, char **argv);

enum { SIXRD_WORDS = 128 };

/* The words of a request that sets all of 6rd. */
void sixrd_words(const struct sixrd *s, char buf[static SIXRD_WORDS]);

/* `prl` and `6rd` (spec cli 1.7, 1.8). */
int prl_main(const struct cli *cli, int argc, char **argv);
int sixrd_main(const struct cli *cli, int argc, char **argv);

#endif
