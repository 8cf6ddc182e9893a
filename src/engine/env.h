/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hooks of a mode may ask (struct mode_env), answered for a tunnel of the engine. */
#ifndef TUNL_ENGINE_ENV_H
#define TUNL_ENGINE_ENV_H

#include "engine/core.h"

struct engine_env {
	struct mode_env env;
	struct engine_tunnel *t;
	bool fresh; /* for a next hop the kernel was asked */
};

struct engine_env engine_env(struct engine_tunnel *t);

#endif
