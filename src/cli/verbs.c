/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/verbs.h"

#include <string.h>

#include "lib/text.h"
#include "lib/types.h"

static const struct verb verbs[] = {
	{.word = "add",
	 .synopsis = "[ NAME ] mode MODE [ OPTIONS ]",
	 .summary = "make a tunnel",
	 .text = "Its device is in this network namespace, and down: `ip link set NAME up`.\n"
		 "Without NAME the lowest free default name is taken; where NAME begins with that "
		 "of a mode (gre7), the mode need not be said.",
	 .next = "@options",
	 .any_beginning = true,
	 .has_options = true},
	{.word = "change",
	 .synopsis = "NAME [ OPTIONS ]",
	 .summary = "give a tunnel other parameters",
	 .text = "With NAME as the first word, what is not mentioned stays as it is. No packet is "
		 "lost by it.",
	 .next = "@tunnel @options",
	 .any_beginning = true,
	 .has_options = true},
	{.word = "delete",
	 .synopsis = "NAME\nmode MODE [ OPTIONS ]",
	 .summary = "delete a tunnel",
	 .text = "Without NAME, mode and addresses select it. `ip link del NAME` does it, too.",
	 .next = "@tunnel @options",
	 .any_beginning = true,
	 .has_options = true},
	{.word = "show",
	 .synopsis = "[ -s -d -j -p -o -N --config ] [ NAME ] [ OPTIONS ]",
	 .summary = "show the tunnels of this namespace",
	 .text = "-s with counters, and why packets were not carried (tunl-reasons(7)); -d with "
		 "the "
		 "datapath, and why that one; -j as JSON; --config as lines for tunl.conf(5).\n"
		 "With OPTIONS, those tunnels that have them. It is what tunl does without a verb.",
	 .next = "@tunnel -s -d -j -p -o -N --config @options",
	 .any_beginning = true,
	 .has_options = true},
	{.word = "prl",
	 .synopsis = "dev NAME { prl-default | prl-nodefault | prl-delete } ADDR",
	 .summary = "the routers that an isatap tunnel believes",
	 .next = "dev prl-default prl-nodefault prl-delete",
	 .any_beginning = true},
	{.word = "6rd",
	 .synopsis = "dev NAME [ 6rd-prefix P6/LEN ] [ 6rd-relay_prefix P4/LEN ]\n"
		     "dev NAME 6rd-reset",
	 .summary = "the prefix of a sit tunnel that holds IPv4 addresses",
	 .text = "6rd-reset is 2002::/16, that is 6to4, which a new tunnel has.",
	 .next = "dev 6rd-prefix 6rd-relay_prefix 6rd-reset",
	 .any_beginning = true},
	{.word = "check",
	 .synopsis = "[ -j ] [ FILE | - ]...",
	 .summary = "what is wrong in configurations, with line and column",
	 .text = "Without FILE that of tunl.conf(5). Exit status 1 where something is wrong. "
		 "Nothing "
		 "is changed.",
	 .next = "-j @file"},
	{.word = "reload",
	 .synopsis = "[ -j ] [ --dry-run ]",
	 .summary = "do what differs between tunl.conf(5) and what is there",
	 .text = "What is done is printed. With --dry-run it is only printed.",
	 .next = "--dry-run -j"},
	{.word = "import",
	 .synopsis = "FILE...",
	 .summary = "lines for tunl.conf(5) from other programs' files",
	 .text = "NAME.netdev and NAME.network of systemd, /etc/network/interfaces, scripts of ip "
		 "commands (which are read and never run).",
	 .next = "@file"},
	{.word = "monitor",
	 .synopsis = "[ all ] [ -j ] [ -t ]",
	 .summary = "tell what happens to tunnels",
	 .text = "Tunnels that come, change and go, path MTUs learned, peers that fall silent and "
		 "come back, packets dropped for a new reason, another datapath, another tunld. "
		 "Until ^C.\n"
		 "all: of every network namespace; -j: a line of JSON each; -t: with the time.",
	 .next = "all -j -t"},
	{.word = "metrics",
	 .synopsis = "[ FILE [ every SECONDS ] ]\nlisten { [ HOST ]:PORT | /PATH }",
	 .summary = "counters and states of all tunnels, for Prometheus",
	 .text = "In its text format: printed, written to FILE (for node_exporter's textfile "
		 "collector; readers see all of it or none), or served over HTTP, at a port or a "
		 "UNIX "
		 "socket.",
	 .next = "@file every listen"},
	{.word = "daemon",
	 .synopsis = "{ status | stop | restart }",
	 .summary = "about tunld(8)",
	 .next = "status stop restart"},
	{.word = "daemon status",
	 .synopsis = "",
	 .summary = "whether tunld runs, and what it serves",
	 .text = "Exit status 3 where it does not run."},
	{.word = "daemon stop",
	 .synopsis = "",
	 .summary = "end tunld",
	 .text = "Devices stay; those on the bpf datapath go on carrying packets."},
	{.word = "daemon restart",
	 .synopsis = "",
	 .summary = "end tunld and start it again",
	 .text = "It adopts the tunnels that it finds. On the bpf datapath no packet is lost."},
	{.word = "lab",
	 .synopsis = "{ run | up | report | exec | status | down | list | show } ...",
	 .summary = "tunnels to look at, in namespaces of their own",
	 .text = "`tunl lab run` tells the whole story; tunl-lab(7) says how to write one.",
	 .next = "run up report exec status down list show"},
	{.word = "lab run",
	 .synopsis = "[ LAB ] [ --datapath bpf | user | auto ] [ --keep ] [ --pcap FILE ] "
		     "[ --id ID ] [ -j ] [ -q ]",
	 .summary = "build a lab, ping through the tunnel, explain the packets, take it down",
	 .text = "LAB is one that `tunl lab list` names, or a file of yours (./mine.lab).",
	 .next = "@lab --datapath --keep --pcap --id -j -q"},
	{.word = "lab up",
	 .synopsis = "[ LAB ] [ --datapath bpf | user | auto ] [ --id ID ] [ -j ] [ -q ]",
	 .summary = "build a lab and leave it standing",
	 .next = "@lab --datapath --id -j -q"},
	{.word = "lab report",
	 .synopsis = "[ LAB ] [ FILE.html | - ] [ --datapath bpf | user | auto ] [ --pcap FILE ] "
		     "[ --id ID ] [ -q ]",
	 .summary = "run a lab and draw all of it on one page of HTML",
	 .next = "@lab @file --datapath --pcap --id -q"},
	{.word = "lab exec",
	 .synopsis = "[ ID ] NET COMMAND...",
	 .summary = "run a command in a namespace of a standing lab",
	 .next = ""},
	{.word = "lab status", .synopsis = "[ -j ]", .summary = "which labs stand", .next = "-j"},
	{.word = "lab down",
	 .synopsis = "[ ID | --all ] [ -q ]",
	 .summary = "take a standing lab down",
	 .next = "--all -q"},
	{.word = "lab list",
	 .synopsis = "[ -j ]",
	 .summary = "which labs there are to run",
	 .next = "-j"},
	{.word = "lab show",
	 .synopsis = "LAB",
	 .summary = "print the file of a lab, to copy and change",
	 .next = "@lab"},
	{.word = "trace",
	 .synopsis = "[ [dev] NAME ] [ peer ADDR[/LEN] ] [ drop ] [ rx | tx ] [ reason REASON ] "
		     "[ -c COUNT ] [ -j ]",
	 .summary = "every packet as it is carried, or dropped and why",
	 .text = "Of the tunnels of this network namespace, and of strangers; until ^C, or COUNT "
		 "packets. tunl-reasons(7) has the reasons.",
	 .next = "@dev dev peer drop rx tx reason -c -j"},
	{.word = "doctor",
	 .synopsis = "[ NAME ] [ -d ] [ -j ]",
	 .summary = "what keeps tunnels from carrying, found out by trying",
	 .text = "Each finding with what it was seen by and what helps. -d tells what is fine, "
		 "too.\n"
		 "Exit status 0 nothing found, 1 something found, 2 it could not be tried.",
	 .next = "@tunnel -d -j"},
	{.word = "explain",
	 .synopsis = "FILE | - [ -j | --html[=PAGE] ] [ --gue PORT ]... [ --fou PORT[:PROTO] ]...",
	 .summary = "what is wrapped in what, in a capture",
	 .text = "FILE is pcap or pcapng: every layer with its fields, its offset and its size, "
		 "what "
		 "is wrong, and the sum of the sizes.",
	 .next = "@file - -j --json --html --gue --fou"},
	{.word = "xfrm",
	 .synopsis =
		 "{ state | policy } { add | update | delete | get | list | deleteall | flush | "
		 "count } ...",
	 .summary = "security associations and policies of vti, in the words of `ip xfrm`",
	 .text = "`tunl xfrm state help` and `tunl xfrm policy help` have the words.",
	 .next = "state policy"},
	{.word = "xfrm state",
	 .synopsis = "{ add | update | delete | get | list | deleteall | flush | count } ...",
	 .summary = "security associations",
	 .text = "`tunl xfrm state help` has the words.",
	 .next = "add update delete get list deleteall flush count help"},
	{.word = "xfrm policy",
	 .synopsis = "{ add | update | delete | get | list | deleteall | flush | count } ...",
	 .summary = "policies",
	 .text = "`tunl xfrm policy help` has the words.",
	 .next = "add update delete get list deleteall flush count help"},
	{.word = "help",
	 .synopsis = "[ VERB ]",
	 .summary = "how a verb is used",
	 .next = "@verb",
	 .any_beginning = true},
};

const struct verb *verb_next(const struct verb *prev)
{
	const struct verb *v = prev ? prev + 1 : verbs;

	return v < verbs + countof(verbs) ? v : NULL;
}

const struct verb *verb_find(const char *words)
{
	const struct verb *v;

	for (v = verb_next(NULL); v; v = verb_next(v))
		if (!strcmp(v->word, words))
			return v;
	if (text_is_prefix(words, "lst") || text_is_prefix(words, "list"))
		return verb_find("show");
	for (v = verb_next(NULL); v; v = verb_next(v))
		if (v->any_beginning && text_is_prefix(words, v->word))
			return v;
	return NULL;
}

enum { LIKE_LEN = 32, LIKE_ENOUGH = 2 };

static u32 least(u32 a, u32 b, u32 c)
{
	return min_of(a, min_of(b, c));
}

/* Letters to put in, take out or change so that one becomes the other (Levenshtein). */
static u32 distance(const char *a, const char *b)
{
	size_t m = strlen(a), n = strlen(b);
	u32 row[LIKE_LEN + 1];

	if (m > LIKE_LEN || n > LIKE_LEN)
		return LIKE_LEN;
	for (u32 j = 0; j <= n; j++)
		row[j] = j;
	for (u32 i = 1; i <= m; i++) {
		u32 corner = row[0]++;

		for (u32 j = 1; j <= n; j++) {
			u32 above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1]));
			corner = above;
		}
	}
	return row[n];
}

const struct verb *verb_like(const char *words, const struct verb *prev)
{
	size_t len = strlen(words);

	for (const struct verb *v = verb_next(prev); v; v = verb_next(v))
		if (distance(words, v->word) <= (len > 3 ? LIKE_ENOUGH : 1) ||
		    text_is_prefix(words, v->word))
			return v;
	return NULL;
}

const char *verb_values(const char *word)
{
	static const struct {
		const char *word, *values;
	} rows[] = {
		{"PHYS_DEV", "@dev"},  {"NAME", "@tunnel"}, {"ADDR", "any"},
		{"TTL", "inherit"},    {"TOS", "inherit"},  {"DATAPATH", "auto bpf user"},
		{"MSS", "auto off"},   {"PEERS", "any"},    {"NETNS", "@netns"},
		{"FILE", "@file"},     {"--pcap", "@file"}, {"--datapath", "auto bpf user"},
		{"prl-delete", "any"},
	};

	for (u32 i = 0; i < countof(rows); i++)
		if (!strcmp(rows[i].word, word))
			return rows[i].values;
	return NULL;
}
