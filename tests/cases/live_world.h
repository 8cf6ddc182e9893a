/* SPDX-License-Identifier: BSD-2-Clause */
/* What a line of the world (world.h) is in a live namespace. */
#ifndef TUNL_TESTS_CASES_LIVE_WORLD_H
#define TUNL_TESTS_CASES_LIVE_WORLD_H

#include "model/tunnel.h"
#include "net.h"
#include "world.h"

/* Do a line; w has it already. NULL, or what is wrong. */
const char *live_world_line(struct net *n, const struct world *w, char **words, unsigned count);

/* `type gre remote ...`: the words of `ip link` that make the driver's tunnel so. Into buf. */
const char *live_link_words(const struct tunnel_cfg *cfg, char *buf, size_t size);

/* The words of 6rd, as `ip tunnel 6rd` and tunl have them. Into buf. */
void live_6rd_words(const struct sixrd *s, char *buf, size_t size);

#endif
