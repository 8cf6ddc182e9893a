/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TUNL_DAEMON_ENGINE_EVENT_H
#define TUNL_DAEMON_ENGINE_EVENT_H

#include "daemon/daemon.h"

/*
 * Act on what the engine says. It reads what strangers send: every number in ev
 * is checked against what is known here, and whatever it says causes a bounded
 * amount of work.
 */
void engine_event(struct daemon *d, const struct engine_event *ev);

#endif
