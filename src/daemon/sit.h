/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs that only sit's tunnels have (spec cli 1.7, 1.8). */
#ifndef TUNL_DAEMON_SIT_H
#define TUNL_DAEMON_SIT_H

#include "daemon/daemon.h"

/*
 * `prl-default ADDR`, `prl-nodefault ADDR` or `prl-delete ADDR`. -errno with e
 * filled, as the driver answers.
 */
int sit_prl(struct tunnel *t, const char *words, struct err *e);

/* `6rd-prefix P/N 6rd-relay_prefix A/M` or `6rd-reset`. Likewise. */
int sit_6rd(struct tunnel *t, const char *words, struct err *e);

#endif
