/* SPDX-License-Identifier: BSD-2-Clause */
/* Every packet case through the engine: engine_cases [CASE...], all without arguments. */
#include "../cases/runner.h"

int main(int argc, char **argv)
{
	return cases_main(&case_engine, argc, argv);
}
