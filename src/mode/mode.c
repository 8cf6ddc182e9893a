/* SPDX-License-Identifier: BSD-2-Clause */
#include "mode/mode.h"

static const struct mode *const modes[MODE__MAX] = {
	[MODE_IPIP] = &mode_ipip,
};

const struct mode *mode_by_id(enum mode_id id)
{
	return (unsigned)id < MODE__MAX ? modes[id] : 0;
}
