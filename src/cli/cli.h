/* SPDX-License-Identifier: BSD-2-Clause */
/* What every command of tunl is given, and the commands of the tunnel language. */
#ifndef TUNL_CLI_CLI_H
#define TUNL_CLI_CLI_H

#include <stdbool.h>

#include "lib/err.h"
#include "model/grammar.h"

/* The global options (spec cli 1.1). */
struct cli {
	enum dialect dialect; /* DIALECT_TUNL, or DIALECT_IP as the `ip` personality */
	const char *me;	      /* in messages: "tunl" or "ip tunnel" */
	bool stats, details, json, pretty, oneline, color, numeric, resolve, force;
	bool config;	   /* show --config */
	const char *batch; /* -b FILE */
};

/* Exit statuses (spec cli 0). */
enum { EXIT_REFUSED = 1, EXIT_KERNEL = 2, EXIT_SYNTAX = 255 };

/*
 * The words after `ip tunnel` (or after `tunl`): verb and arguments. Returns the
 * exit status; messages are printed. argc 0: show.
 */
int tunnel_main(const struct cli *cli, int argc, char **argv);

/*
 * Print what the failed request's errno and text amount to: line 1 is iproute2's
 * `WHAT tunnel "BASE" failed: STRERROR`, then cli_cause().
 */
void cli_refused(const struct cli *cli, const char *what, const char *base, const struct err *e);

/*
 * Print e->text, cause and remedy, where there is one. As `ip` only where the
 * drivers have no such refusal: scripts know what iproute2 says of the others.
 */
void cli_cause(const struct cli *cli, const struct err *e);

#endif
