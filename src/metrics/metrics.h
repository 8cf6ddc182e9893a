/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunl-metrics: the metrics over HTTP, in two processes. The feeder has the caller's rights
 * to tunld's socket and makes pages; it reads single bytes from the server. The server has
 * the listening socket and no rights, and is the only one to read what a stranger sent.
 */
#ifndef TUNL_METRICS_METRICS_H
#define TUNL_METRICS_METRICS_H

#include "lib/err.h"

/* A listening socket at HOST:PORT, :PORT (of 127.0.0.1), [HOST6]:PORT or /PATH; or -errno. */
int listen_at(const char *addr, struct err *e);

/* Serve listener, asking feed for pages, until feed ends. The exit status. */
int server_run(int listener, int feed);

int metricsd_main(int argc, char **argv);

#endif
