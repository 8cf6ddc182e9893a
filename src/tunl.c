/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunl: the command. Its own commands by their full word, then the verbs of
 * `ip tunnel` by any beginning. (The `ip` personality is src/ip.c.)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/conf_cmd.h"
#include "cli/daemon_cmd.h"
#include "cli/doctor.h"
#include "cli/metrics.h"
#include "cli/monitor.h"
#include "cli/opts.h"
#include "cli/trace.h"
#include "cli/xfrm.h"
#include "lab/explain.h"
#include "lab/lab.h"
#include "lib/types.h"

/* -j before the command is its own -j: `tunl -j explain x` is `tunl explain x -j`. */
static int with_json(const struct cli *cli, int (*run)(int, char **), int argc, char **argv)
{
	char **words = calloc((size_t)argc + 2, sizeof(*words));
	int status;

	if (!words)
		return EXIT_REFUSED;
	memcpy(words, argv, (size_t)argc * sizeof(*words));
	if (cli->json)
		words[argc++] = "-j";
	status = run(argc, words);
	free(words);
	return status;
}

static int cmd_lab(const struct cli *cli, int argc, char **argv)
{
	return with_json(cli, lab_main, argc, argv);
}

static int cmd_explain(const struct cli *cli, int argc, char **argv)
{
	return with_json(cli, explain_main, argc, argv);
}

/* Options stand behind the words, too, as with the verbs of tunnels. */
static int cmd_xfrm(const struct cli *cli, int argc, char **argv)
{
	return xfrm_main(cli, argc - 1, argv + 1);
}

static const struct {
	const char *word;
	int (*main)(const struct cli *cli, int argc, char **argv);
} commands[] = {
	/* clang-format off */
	{"daemon", daemon_main},
	{"check", check_main},
	{"reload", reload_main},
	{"import", import_main},
	{"trace", trace_main},
	{"doctor", doctor_main},
	{"lab", cmd_lab},
	{"explain", cmd_explain},
	{"monitor", monitor_main},
	{"metrics", metrics_main},
	{"xfrm", cmd_xfrm},
	/* clang-format on */
};

static int command(void *ctx, int argc, char **argv)
{
	struct cli cli = *(const struct cli *)ctx;

	for (u32 i = 0; argc > 0 && i < countof(commands); i++)
		if (!strcmp(argv[0], commands[i].word))
			return commands[i].main(&cli, argc, argv);
	if (argc > 0)
		argc = opts_after_verb(argc, argv, &cli);
	return tunnel_main(&cli, argc, argv);
}

int main(int argc, char **argv)
{
	struct cli cli = {.dialect = DIALECT_TUNL, .me = "tunl"};
	int status = EXIT_FAILURE, n;

	if (argc < 1)
		return EXIT_SYNTAX;
	n = opts_read(argc - 1, argv + 1, &cli, &status);
	if (n < 0)
		return status;
	if (cli.batch)
		return batch_run(cli.batch, cli.force, command, &cli);
	return command(&cli, argc - 1 - n, argv + 1 + n);
}
