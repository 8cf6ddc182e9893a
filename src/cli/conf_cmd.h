/* SPDX-License-Identifier: BSD-2-Clause */
/* About the configuration: `tunl check`, `reload`, `import`; and what `show` tells of it. */
#ifndef TUNL_CLI_CONF_CMD_H
#define TUNL_CLI_CONF_CMD_H

#include <jansson.h>

#include "cli/cli.h"

int check_main(const struct cli *cli, int argc, char **argv);
int reload_main(const struct cli *cli, int argc, char **argv);
int import_main(const struct cli *cli, int argc, char **argv);

/*
 * Rows of what the configuration asks for and cannot have: a new array, NULL where
 * nobody can be asked. all: of every namespace. head: of the summary, or NULL.
 */
json_t *conf_ask(bool all, json_t **head);

/* The same for `show`: of this namespace, of that name ("": any); never NULL. */
json_t *conf_missing(const char *name);
void conf_print_missing(const json_t *rows);

#endif
