/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dispatch: who serves this call? Decided from the words alone, before any file
 * or socket is touched, so that a call for the real ip costs one execv.
 */
#include "cli/ip.h"

#include <stdio.h>
#include <string.h>

#include "cli/ip_call.h"
#include "cli/xfrm.h"
#include "cli/xfrm_kernel.h"
#include "lib/text.h"
#include "mode/mode.h"
#include "model/modes.h"

/*
 * ip's objects in the order in which abbreviations are tried: only as many as
 * stand before the last of those that we look for.
 */
enum object { OBJECT_NONE, OBJECT_ADDRESS, OBJECT_LINK, OBJECT_TUNNEL, OBJECT_XFRM };

static const struct {
	const char *word;
	enum object object;
} objects[] = {
	{"address", OBJECT_ADDRESS}, {"addrlabel", OBJECT_NONE}, {"maddress", OBJECT_NONE},
	{"route", OBJECT_NONE},	     {"rule", OBJECT_NONE},	 {"neighbor", OBJECT_NONE},
	{"neighbour", OBJECT_NONE},  {"ntable", OBJECT_NONE},	 {"ntbl", OBJECT_NONE},
	{"link", OBJECT_LINK},	     {"l2tp", OBJECT_NONE},	 {"fou", OBJECT_NONE},
	{"ila", OBJECT_NONE},	     {"macsec", OBJECT_NONE},	 {"tunnel", OBJECT_TUNNEL},
	{"tunl", OBJECT_TUNNEL},     {"xfrm", OBJECT_XFRM}, /* the only one with an x */
};

static enum object object_find(const char *word)
{
	size_t i;

	for (i = 0; i < countof(objects); i++)
		if (text_is_prefix(word, objects[i].word))
			return objects[i].object;
	return OBJECT_NONE;
}

/* A mode that is named and that this build does not carry is the kernel's business. */
static bool mode_is_foreign(int argc, char **words)
{
	const struct mode_info *mode;
	int i;

	for (i = 0; i + 1 < argc; i++) {
		if (!strcmp(words[i], "mode")) {
			mode = mode_by_word(words[i + 1]);
			return mode && !mode_by_id(mode->id);
		}
	}
	return false;
}

static bool tunnel_is_ours(const struct ip_call *call, int argc, char **words)
{
	return call->ipv4 && !mode_is_ipv6(argc, words) && !mode_is_foreign(argc, words);
}

/* States and policies are tunl's where the kernel has no ESP to do with them. */
static bool xfrm_is_ours(int argc, char **words)
{
	return !(argc > 0 && text_is_prefix(words[0], "monitor")) && !xfrm_kernel_has_esp();
}

enum ip_who ip_who(const struct ip_call *call, int argc, char **words)
{
	switch (argc > 0 ? object_find(words[0]) : OBJECT_NONE) {
	case OBJECT_NONE:
		break;
	case OBJECT_TUNNEL:
		return tunnel_is_ours(call, argc - 1, words + 1) ? IP_OURS : IP_REAL;
	case OBJECT_LINK:
		if (ip_link_who(argc - 1, words + 1) == IP_OURS)
			return IP_OURS;
		return ip_detail_is(call, argc, words) ? IP_OURS : IP_REAL;
	case OBJECT_XFRM:
		return xfrm_is_ours(argc - 1, words + 1) ? IP_OURS : IP_REAL;
	case OBJECT_ADDRESS:
		return ip_detail_is(call, argc, words) ? IP_OURS : IP_REAL;
	}
	return IP_REAL;
}

int ip_serve(const struct ip_call *call, int argc, char **words)
{
	if (object_find(words[0]) == OBJECT_XFRM)
		return xfrm_main(&call->cli, argc - 1, words + 1);
	if (object_find(words[0]) == OBJECT_TUNNEL)
		return tunnel_main(&call->cli, argc - 1, words + 1);
	if (ip_detail_is(call, argc, words))
		return ip_detail_serve(call, argc, words);
	return ip_link_serve(call, argc - 1, words + 1);
}

int ip_main(int argc, char **argv)
{
	struct ip_call call;

	if (!ip_opts_read(argc, argv, &call))
		return ip_real_exec(argv);
	if (call.cli.batch)
		return ip_batch(&call);
	if (ip_who(&call, argc - call.object, argv + call.object) == IP_REAL)
		return ip_real_exec(argv);
	if (call.netns && !ip_netns_enter(call.netns))
		return EXIT_SYNTAX;
	return ip_serve(&call, argc - call.object, argv + call.object);
}
