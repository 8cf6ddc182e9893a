/* SPDX-License-Identifier: BSD-2-Clause */
/* What isatap has of its driver, sit. */
#ifndef TUNL_MODE_SIT_H
#define TUNL_MODE_SIT_H

#include "mode/mode.h"

u8 sit_carries(const struct tunnel_cfg *cfg, u16 ethertype);
bool sit_takes(const struct tunnel_cfg *cfg, u8 proto);
u8 sit_tos(const struct tunnel_cfg *cfg, const struct mode_inner *in);
enum reason sit_fit(const struct tunnel_cfg *cfg, const struct mode_inner *in, struct mode_fit *f);
enum reason sit_dest(const struct tunnel_cfg *cfg, const struct mode_env *env,
		     const struct mode_inner *in, be32 *dst);

/* What both tell the bpf datapath. */
void sit_fast(const struct tunnel_cfg *cfg, struct mode_fast *how);

#endif
