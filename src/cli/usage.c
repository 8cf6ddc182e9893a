/* SPDX-License-Identifier: BSD-2-Clause */
/* The help, from the tables: what the reader takes is what is told. */
#include <stdio.h>

#include "cli/tunnel.h"
#include "lib/text.h"
#include "model/options.h"

/* "ttl|hoplimit|hlim TTL": a row with its other spellings. */
static void usage_option(const struct tunnel_option *o)
{
	char buf[64];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_add(&t, "%s", o->word);
	for (const struct tunnel_option *s = option_next(o); s && !s->help; s = option_next(s))
		text_add(&t, "|%s", s->word);
	if (o->metavar)
		text_add(&t, " %s", o->metavar);
	fprintf(stderr, "  %-28s %s\n", buf, o->help);
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
	fputs("       tunl show --config\n"
	      "       tunl daemon { status | stop | restart }\n"
	      "       tunl lab { run | up | exec | status | down } ...\n"
	      "       tunl explain FILE.pcap|-\n"
	      "Before the command: -s[tatistics] -d[etails] -j[son] -p[retty] -o[neline]\n"
	      "       -c[olor] -N[umeric] -r[esolve] -n[etns] NAME -b[atch] FILE -force -V\n",
	      stderr);
}

int usage_main(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	(void)argv;
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
