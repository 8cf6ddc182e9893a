/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The global options of ip, as iproute2 6.1 reads them: one table in the order
 * in which prefixes are tried. What ends in a message of ip's own - usage,
 * version, an unknown option, a bad value - is left to the real ip, which then
 * says it in its own words.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/ip_call.h"
#include "lib/num.h"

enum opt_kind {
	OPT_NOTHING, /* no concern of ours */
	OPT_TOGGLE,  /* sets the bool at `offset` of struct ip_call */
	OPT_IPV4,
	OPT_OTHER, /* another family than IPv4 */
	OPT_FAMILY,
	OPT_NUMBER,
	OPT_COLOR,
	OPT_BATCH,
	OPT_NETNS,
	OPT_REAL, /* the real ip answers */
};

struct opt {
	const char *word;
	enum opt_kind kind;
	bool full; /* no abbreviation */
	bool arg;
	size_t offset;
};

#define TOGGLE(w, member)                                                                          \
	{                                                                                          \
		.word = w, .kind = OPT_TOGGLE, .offset = offsetof(struct ip_call, member)          \
	}

static const struct opt opts[] = {
	{"-loops", OPT_NOTHING, .arg = true},
	{"-family", OPT_FAMILY, .arg = true},
	{"-4", OPT_IPV4, .full = true},
	{"-6", OPT_OTHER, .full = true},
	{"-0", OPT_OTHER, .full = true},
	{"-M", OPT_OTHER, .full = true},
	{"-B", OPT_OTHER, .full = true},
	{"-human-readable", OPT_NOTHING},
	{"-iec", OPT_NOTHING},
	TOGGLE("-stats", cli.stats),
	TOGGLE("-statistics", cli.stats),
	TOGGLE("-details", cli.details),
	TOGGLE("-resolve", cli.resolve),
	TOGGLE("-oneline", cli.oneline),
	{"-timestamp", OPT_NOTHING},
	{"-tshort", OPT_NOTHING},
	{"-Version", OPT_REAL},
	TOGGLE("-force", cli.force),
	{"-batch", OPT_BATCH, .arg = true},
	TOGGLE("-brief", brief),
	TOGGLE("-json", cli.json),
	TOGGLE("-pretty", cli.pretty),
	{"-rcvbuf", OPT_NUMBER, .arg = true},
	{"-color", OPT_COLOR},
	{"-help", OPT_REAL},
	{"-netns", OPT_NETNS, .arg = true},
	TOGGLE("-Numeric", cli.numeric),
	{"-all", OPT_NOTHING},
	{"-echo", OPT_NOTHING},
};

/* Only -color may carry "=WHEN". */
static bool opt_is(const struct opt *o, const char *word)
{
	size_t len = o->kind == OPT_COLOR ? strcspn(word, "=") : strlen(word);

	return o->full ? !strcmp(word, o->word) : len > 0 && !strncmp(word, o->word, len);
}

static const struct opt *opt_find(const char *word)
{
	size_t i;

	if (word[0] == '-' && word[1] == '-')
		word++;
	for (i = 0; i < countof(opts); i++)
		if (opt_is(&opts[i], word))
			return &opts[i];
	return NULL;
}

static bool opt_color(struct ip_call *call, const char *word)
{
	static const struct {
		const char *word;
		enum ip_color color;
	} when[] = {
		{"", IP_COLOR_ALWAYS},
		{"always", IP_COLOR_ALWAYS},
		{"auto", IP_COLOR_AUTO},
		{"never", IP_COLOR_NEVER},
	};
	const char *eq = strchr(word, '=');
	size_t i;

	for (i = 0; i < countof(when); i++) {
		if (!strcmp(eq ? eq + 1 : "", when[i].word)) {
			call->color = when[i].color;
			return true;
		}
	}
	return false;
}

static bool opt_apply(struct ip_call *call, const struct opt *o, const char *word, char *arg)
{
	u32 number;

	switch (o->kind) {
	case OPT_NOTHING:
		return true;
	case OPT_TOGGLE:
		*(bool *)((char *)call + o->offset) = true;
		return true;
	case OPT_IPV4:
		return call->ipv4 = true;
	case OPT_OTHER:
		call->ipv4 = false;
		return true;
	case OPT_FAMILY:
		call->ipv4 = !strcmp(arg, "inet");
		return true;
	case OPT_NUMBER:
		return num_u32(arg, ~0U, &number);
	case OPT_COLOR:
		return opt_color(call, word);
	case OPT_BATCH:
		call->cli.batch = arg;
		return true;
	case OPT_NETNS:
		call->netns = arg;
		return true;
	case OPT_REAL:
		return false;
	}
	return false;
}

bool ip_opts_read(int argc, char **argv, struct ip_call *call)
{
	int i;

	*call = (struct ip_call){
		.argc = argc,
		.argv = argv,
		.ipv4 = true,
		.cli = {.dialect = DIALECT_IP, .me = "ip tunnel"},
	};
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		const char *word = argv[i];
		const struct opt *o;

		if (!strcmp(word, "--")) {
			i++;
			break;
		}
		o = opt_find(word);
		if (!o || (o->arg && ++i >= argc) || !opt_apply(call, o, word, argv[i]))
			return false;
	}
	call->object = i;
	call->cli.color = !call->cli.json && (call->color == IP_COLOR_ALWAYS ||
					      (call->color == IP_COLOR_AUTO && isatty(1)));
	return true;
}

char **ip_opts_copy(const struct ip_call *call, int more, int *n)
{
	char **copy = calloc(call->object + more + 2, sizeof(*copy));
	int i;

	*n = 0;
	if (!copy)
		return NULL;
	copy[(*n)++] = call->argv[0];
	for (i = 1; i < call->object && strcmp(call->argv[i], "--"); i++) {
		const struct opt *o = opt_find(call->argv[i]);
		bool keep = o->kind != OPT_BATCH && o->kind != OPT_NETNS;

		if (keep)
			copy[(*n)++] = call->argv[i];
		if (o->arg && ++i < call->object && keep)
			copy[(*n)++] = call->argv[i];
	}
	return copy;
}
