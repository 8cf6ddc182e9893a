/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables WHAT: prints what is made from the tables of words. Part of the build, not of
 * what is installed.
 *
 *	shell		for the scripts that complete them (packaging/completion)
 *	words		the options of a tunnel, in the manual's language
 *	options		tunl's own options, likewise
 *	verbs		what tunl can be told to do, likewise
 *	reasons		why packets are dropped, likewise
 */
#include <stdio.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/roff.h"
#include "lib/types.h"

static const struct {
	const char *word;
	void (*print)(void);
} things[] = {
	/* clang-format off */
	{"shell", complete_tables},
	{"words", roff_words},
	{"options", roff_options},
	{"verbs", roff_verbs},
	{"reasons", roff_reasons},
	/* clang-format on */
};

int main(int argc, char **argv)
{
	for (u32 i = 0; argc == 2 && i < countof(things); i++)
		if (!strcmp(argv[1], things[i].word)) {
			things[i].print();
			return ferror(stdout) || fflush(stdout) ? 1 : 0;
		}
	fputs("Usage: tables { shell | words | options | verbs | reasons }\n", stderr);
	return 2;
}
