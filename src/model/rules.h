/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel's drivers decide about configurations (spec cli 4): pure
 * functions over values; devices and routes are the caller's.
 */
#ifndef TUNL_MODEL_RULES_H
#define TUNL_MODEL_RULES_H

#include "lib/err.h"
#include "model/modes.h"

/*
 * Make cfg what the driver would store (spec cli 4.1): keys and flags that the
 * mode has no use for are dropped. -EINVAL with e filled where the driver refuses.
 */
int rules_accept(struct tunnel_cfg *cfg, struct err *e);

/*
 * A device name as the kernel takes it, templates included: 0, -EINVAL for a
 * bad template, -E2BIG for a `:` (spec cli 4.2; sit says ENOBUFS of all: rules_add_errno).
 */
int rules_name(const char *name);

/*
 * A change that names its device is for that device's driver: want becomes its mode, where
 * the driver takes the protocol (sit's takes ipip's), else -EINVAL.
 */
int rules_adopt(const struct tunnel_cfg *old, struct tunnel_cfg *want, struct err *e);

/*
 * Print the name for unit n of cfg's name, of its template or, without a name,
 * of the mode's default template. False: the name is no template (copied as it is).
 */
bool rules_unit_name(const struct tunnel_cfg *cfg, u32 n, char out[static TUNL_NAME_LEN]);

/*
 * Lowest unit to try with rules_unit_name(): the name of a fallback device is
 * never given away by number, so the first gre is gre1 (spec cli 1.3).
 */
u32 rules_first_unit(const struct tunnel_cfg *cfg);

/* Whether two tunnels may not be there at once (spec cli 4.2). */
bool rules_same(const struct tunnel_cfg *a, const struct tunnel_cfg *b);

/* A hash that is equal for what rules_same() calls the same. */
u64 rules_hash(const struct tunnel_cfg *cfg);

/* No address, no device, no key: what the driver's fallback device is. */
bool rules_is_fallback(const struct tunnel_cfg *cfg);

/* What the driver answers to `ip tunnel add` for a failure err (positive): sit has ENOBUFS. */
int rules_add_errno(enum mode_id mode, int err);

/*
 * The outcome of changing old to want (spec cli 4.3; that no other tunnel has
 * the addresses is the caller's to check, with rules_same(), first). *out may be
 * old. -EINVAL: the class of device would change.
 */
int rules_change(const struct tunnel_cfg *old, const struct tunnel_cfg *want,
		 struct tunnel_cfg *out, struct err *e);

/*
 * Default MTU (spec cli 4.5). hlen: bytes between outer IP header and inner
 * packet, as the mode's hook says.
 * base: MTU of the underlay, 0: unknown.
 */
u32 rules_mtu(const struct tunnel_cfg *cfg, u32 hlen, u32 base);

/* As rules_mtu(), after a change of device or mark; mtu: until now. Without a device sit's driver
 * keeps it. */
u32 rules_mtu_rebound(const struct tunnel_cfg *cfg, u32 hlen, u32 base, u32 mtu);

/* Largest and smallest MTU that may be set. */
u32 rules_mtu_max(const struct tunnel_cfg *cfg, u32 hlen);
u32 rules_mtu_min(const struct tunnel_cfg *cfg);

#endif
