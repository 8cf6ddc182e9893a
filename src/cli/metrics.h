/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metrics in Prometheus' text format: printed, as a textfile for node_exporter, or served
 * by tunl-metrics (src/metrics).
 */
#ifndef TUNL_CLI_METRICS_H
#define TUNL_CLI_METRICS_H

#include "cli/cli.h"

/* All of it, to be freed; NULL: no memory. Where no tunld answers it says that, too. */
char *metrics_text(size_t *len);

/* argv[0] is the word `metrics`. The exit status. */
int metrics_main(const struct cli *cli, int argc, char **argv);

#endif
