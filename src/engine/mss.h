/* SPDX-License-Identifier: BSD-2-Clause */
/* The largest segment that TCP inside a tunnel may announce (RFC 9293 3.7.1). */
#ifndef TUNL_ENGINE_MSS_H
#define TUNL_ENGINE_MSS_H

#include "engine/core.h"

/*
 * Lower the MSS that a SYN or SYN-ACK at p announces to what t's `mss` says. path: MTU
 * of the path for outer packets, 0: not known. Anything else, and a SYN without the
 * option, stays as it is.
 */
void mss_bound(const struct engine_tunnel *t, struct packet *p, u32 path);

#endif
