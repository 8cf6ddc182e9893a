/* SPDX-License-Identifier: BSD-2-Clause */
/* The help, from the tables: what the reader takes is what is told. */
#include <stdio.h>

#include "cli/help.h"
#include "cli/tunnel.h"
#include "model/options.h"

static void usage_option(const struct tunnel_option *o)
{
	char words[HELP_WORDS];

	help_option_words(o, words);
	fprintf(stderr, "  %-28s %s\n", words, o->help);
}

static void usage_verbs(const char *me)
{
	fprintf(stderr,
		"Usage: %s { add | change | delete | show } [ NAME ] [ OPTIONS ]\n"
		"       %s prl dev NAME { prl-default | prl-nodefault | prl-delete } ADDR\n"
		"       %s 6rd dev NAME [ 6rd-prefix P6/LEN ] [ 6rd-relay_prefix P4/LEN ]\n"
		"       %s 6rd dev NAME 6rd-reset\n",
		me, me, me, me);
}

static void usage_commands(void)
{
	fputs("       tunl show --config\n", stderr);
	help_commands(stderr, help_width(stderr));
	fputs("       tunl help VERB\n"
	      "Before the command: -s[tatistics] -d[etails] -j[son] -p[retty] -o[neline]\n"
	      "       -c[olor] -N[umeric] -r[esolve] -n[etns] NAME -b[atch] FILE -force -V\n",
	      stderr);
}

int usage_main(const struct cli *cli, int argc, char **argv)
{
	if (argc > 0 && cli->dialect == DIALECT_TUNL)
		return help_main(argc, argv);
	usage_verbs(cli->me);
	if (cli->dialect == DIALECT_TUNL)
		usage_commands();
	fputs("OPTIONS:\n", stderr);
	for (const struct tunnel_option *o = option_next(NULL); o; o = option_next(o))
		if (o->help && o->dialects & cli->dialect)
			usage_option(o);
	fputs("ADDR: any, or 1-4 numbers with dots (10.8 is 10.8.0.0)\n"
	      "KEY:  an unsigned number, or ADDR\n"
	      "TTL:  0..255 or inherit      TOS: hexadecimal 00..ff or a name (EF, CS6, ...)\n",
	      stderr);
	return EXIT_SYNTAX;
}
