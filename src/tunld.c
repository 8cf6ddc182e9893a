/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/resolver.h"
#include "engine/engine.h"

int main(int argc, char **argv)
{
	/* the parent starts itself so; nobody else does */
	if (argc == 2 && !strcmp(argv[1], "--engine"))
		return engine_main();
	if (argc == 4 && !strcmp(argv[1], "--resolve"))
		return resolver_main(argv[2], argv[3]);
	return daemon_main(argc, argv);
}
