/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The modes: one file and one exported constant each, and the table of them
 * (mode.c). A hook that is NULL means the default named beside it.
 */
#ifndef TUNL_MODE_MODE_H
#define TUNL_MODE_MODE_H

#include "model/tunnel.h"

struct mode {
	enum mode_id id;
	const char *word;	/* after `mode`: "ipip" */
	const char *fallback;	/* the driver's device, named in messages: "tunl0" */
	const char *template;	/* kernel's default name: "ipip%d" */
	u8 ip_proto;		/* outer protocol of its own kind */
	u16 link_type;		/* ARPHRD_* that the device shows */
	u16 mtu_min;		/* spec cli 4.5 */
	u16 first_unit;		/* lowest number of a default name (gre1: gre0 is the fallback's) */
	/* bytes between the outer IP header and the inner packet; NULL: 0 */
	u16 (*hlen)(const struct tunnel_cfg *cfg);
	/* whether outer protocol proto is received by it; NULL: only ip_proto */
	bool (*takes)(const struct tunnel_cfg *cfg, u8 proto);
};

extern const struct mode mode_ipip;

/* The mode of that id, or NULL where this build has none. */
const struct mode *mode_by_id(enum mode_id id);

#endif
