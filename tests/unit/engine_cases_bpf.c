/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every packet case through the BPF programs, with the engine behind them for
 * what they hand over: engine_cases_bpf [CASE...], all without arguments.
 */
#include "../cases/runner.h"

int main(int argc, char **argv)
{
	return cases_main(&case_bpf, argc, argv);
}
