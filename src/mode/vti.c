/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vti: IPv4 and IPv6 through security associations, found by keys that are marks
 * (spec datapath 9). The engine does ESP (engine/esp.h); programs do none.
 */
#include "mode/mode.h"

#include "wire/esp.h"

static bool vti_fast(const struct tunnel_cfg *cfg, struct mode_fast *how)
{
	(void)cfg;
	(void)how;
	return false;
}

/* Spec datapath 9.6. */
static bool vti_soft(const struct tunnel_cfg *cfg, u8 type, u8 code)
{
	(void)cfg;
	(void)type;
	(void)code;
	return false;
}

const struct mode mode_vti = {
	.id = MODE_VTI,
	.proto = {{PROTO_ESP, ESP_HLEN, 0}},
	.esp = true,
	.fast = vti_fast,
	.soft = vti_soft,
};
