/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every packet case with a live datapath: cli_cases driver|live-user|live-bpf [CASE...].
 * For a machine of its own (tests/interop/vm): the drivers have to be there for
 * the first, and better not for the others.
 */
#include <stdio.h>
#include <string.h>

#include "../cases/runner.h"

int main(int argc, char **argv)
{
	const struct case_backend *all[] = {&case_driver, &case_live_user, &case_live_bpf};

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc > 1 && i < countof(all); i++)
		if (!strcmp(all[i]->name, argv[1]))
			return cases_main(all[i], argc - 1, argv + 1);
	fprintf(stderr, "usage: cli_cases driver|live-user|live-bpf [CASE...]\n");
	return 2;
}
