/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet differential (tests/cases/diff.h):
 *
 *	cli_packets driver|live-user|live-bpf FOLDER SEED PACKETS MODE...
 *
 * With `driver` first, where the drivers are; it leaves a trace a mode in FOLDER.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cases/diff.h"

static const struct case_backend *backend(const char *name)
{
	const struct case_backend *all[] = {&case_driver, &case_live_user, &case_live_bpf};

	for (size_t i = 0; i < countof(all); i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct case_backend *b = argc > 5 ? backend(argv[1]) : NULL;
	int bad = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!b) {
		fprintf(stderr, "usage: cli_packets driver|live-user|live-bpf FOLDER SEED PACKETS "
				"MODE...\n");
		return 2;
	}
	printf("TAP version 13\n1..%d\n", argc - 5);
	for (int i = 5; i < argc; i++) {
		char path[512];
		struct diff_run d = {.mode = argv[i],
				     .trace = path,
				     .seed = strtoull(argv[3], NULL, 0),
				     .packets = (u32)strtoul(argv[4], NULL, 0)};
		int differ;

		snprintf(path, sizeof(path), "%s/%s.trace", argv[2], argv[i]);
		differ = diff_mode(b, &d);
		bad |= differ != 0;
		printf("%sok %d - %s %s\n", differ ? "not " : "", i - 4, b->name, argv[i]);
	}
	return bad;
}
