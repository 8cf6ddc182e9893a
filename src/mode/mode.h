/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The modes that this build carries: one file and one exported constant each,
 * and the table of them (mode.c). What a mode is called, and the numbers of its
 * driver, stand in model/modes.h; here is how its packets look. A hook that is
 * NULL means the default named beside it.
 */
#ifndef TUNL_MODE_MODE_H
#define TUNL_MODE_MODE_H

#include "model/modes.h"
#include "model/tunnel.h"

struct mode {
	enum mode_id id;
	/* bytes between the outer IP header and the inner packet; NULL: 0 */
	u16 (*hlen)(const struct tunnel_cfg *cfg);
	/* whether outer protocol proto is received by it; NULL: only mode_info()->proto */
	bool (*takes)(const struct tunnel_cfg *cfg, u8 proto);
};

extern const struct mode mode_ipip;

/* The mode of that id, or NULL where this build has none. */
const struct mode *mode_by_id(enum mode_id id);

#endif
