/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The generic words of `ip link`, in the order in which iproute2 tries them:
 * several are matched by prefix, and so eat one-letter device names
 * (`ip link add b type ipip` is `broadcast type`).
 */
#include "cli/ip_frame.h"

#include <string.h>

#include "lib/addr.h"
#include "lib/num.h"
#include "lib/text.h"

enum word_kind {
	WORD_PASS,    /* `ip link set` does it, on add and set */
	WORD_IGNORED, /* on add: taken, and without effect on tunnels (spec cli 4.5) */
	WORD_REFUSED, /* on add: cannot be had with a device of ours */
	WORD_NAME,
	WORD_LINK,
	WORD_NETNS,
	WORD_MTU,
	WORD_TYPE,
	WORD_REAL, /* more arguments than we know of: the real ip's */
};

struct word {
	const char *word;
	bool prefix;
	bool arg;
	enum word_kind kind;
};

enum { PREFIX = true, FULL = false, ARG = true, BARE = false };

static const struct word table[] = {
	{"up", FULL, BARE, WORD_PASS},
	{"down", FULL, BARE, WORD_PASS},
	{"name", FULL, ARG, WORD_NAME},
	{"index", FULL, ARG, WORD_REFUSED},
	{"link", PREFIX, ARG, WORD_LINK},
	{"address", PREFIX, ARG, WORD_IGNORED},
	{"broadcast", PREFIX, ARG, WORD_PASS},
	{"brd", FULL, ARG, WORD_PASS},
	{"txqueuelen", PREFIX, ARG, WORD_PASS},
	{"qlen", FULL, ARG, WORD_PASS},
	{"txqlen", PREFIX, ARG, WORD_PASS},
	{"mtu", FULL, ARG, WORD_MTU},
	{"xdpgeneric", FULL, ARG, WORD_REAL},
	{"xdpdrv", FULL, ARG, WORD_REAL},
	{"xdpoffload", FULL, ARG, WORD_REAL},
	{"xdp", FULL, ARG, WORD_REAL},
	{"netns", FULL, ARG, WORD_NETNS},
	{"multicast", FULL, ARG, WORD_PASS},
	{"allmulticast", FULL, ARG, WORD_PASS},
	{"promisc", FULL, ARG, WORD_PASS},
	{"trailers", FULL, ARG, WORD_PASS},
	{"arp", FULL, ARG, WORD_PASS},
	{"carrier", FULL, ARG, WORD_PASS},
	{"vf", FULL, ARG, WORD_REAL},
	{"master", PREFIX, ARG, WORD_PASS},
	{"vrf", FULL, ARG, WORD_PASS},
	{"nomaster", PREFIX, BARE, WORD_PASS},
	{"dynamic", PREFIX, ARG, WORD_PASS},
	{"type", PREFIX, ARG, WORD_TYPE},
	{"alias", PREFIX, ARG, WORD_PASS},
	{"group", FULL, ARG, WORD_PASS},
	{"mode", FULL, ARG, WORD_PASS},
	{"state", FULL, ARG, WORD_PASS},
	{"numtxqueues", PREFIX, ARG, WORD_REFUSED},
	{"numrxqueues", PREFIX, ARG, WORD_REFUSED},
	{"addrgenmode", PREFIX, ARG, WORD_PASS},
	{"link-netnsid", PREFIX, ARG, WORD_REFUSED},
	{"protodown", FULL, ARG, WORD_PASS},
	{"protodown_reason", FULL, ARG, WORD_REAL},
	{"gso_max_size", FULL, ARG, WORD_PASS},
	{"gso_max_segs", FULL, ARG, WORD_PASS},
	{"gro_max_size", FULL, ARG, WORD_PASS},
	{"gso_ipv4_max_size", FULL, ARG, WORD_PASS},
	{"gro_ipv4_max_size", FULL, ARG, WORD_PASS},
	{"help", PREFIX, BARE, WORD_REAL},
};

static const struct word *word_find(const char *text)
{
	size_t i;

	for (i = 0; i < countof(table); i++) {
		const struct word *w = &table[i];

		if (w->prefix ? text_is_prefix(text, w->word) : !strcmp(text, w->word))
			return w;
	}
	return NULL;
}

static bool frame_pass(struct ip_frame *f, const char *word, const char *arg)
{
	if (f->n_pass + 2 >= FRAME_PASS)
		return false;
	f->pass[f->n_pass++] = word;
	if (arg)
		f->pass[f->n_pass++] = arg;
	return true;
}

/* Given once; a second time is an error that the real ip reports. */
static bool frame_once(const char **field, const char *arg)
{
	if (*field)
		return false;
	*field = arg;
	return true;
}

static bool frame_mtu(struct ip_frame *f, const char *arg)
{
	u32 mtu;

	return num_u32(arg, 0x7fffffff, &mtu) && frame_once(&f->mtu, arg);
}

static bool frame_add(struct ip_frame *f, const struct word *w, const char *arg)
{
	switch (w->kind) {
	case WORD_PASS:
		return frame_pass(f, w->word, w->arg ? arg : NULL);
	case WORD_IGNORED:
		return true;
	case WORD_REFUSED:
		f->refused = w->word;
		return true;
	case WORD_NAME:
		return ifname_ok(arg) && frame_once(&f->name, arg);
	case WORD_LINK:
		f->link = arg;
		return true;
	case WORD_NETNS:
		return frame_once(&f->netns, arg);
	case WORD_MTU:
		return frame_mtu(f, arg);
	case WORD_TYPE:
		f->kind = arg;
		return true;
	case WORD_REAL:
		return false;
	}
	return false;
}

/*
 * A device's name: up to 127 bytes go through, as alternative names may be so
 * long (then the kernel refuses).
 */
static bool frame_dev(struct ip_frame *f, const char *name)
{
	enum { ALTNAME_MAX = 127 };
	size_t len = strlen(name);

	return len > 0 && len <= ALTNAME_MAX && len == strcspn(name, "/ \t\n\v\f\r") &&
	       frame_once(&f->dev, name);
}

/* One word and its argument. Number of words taken, or 0: the real ip's. */
static int frame_word(bool create, int argc, char **words, struct ip_frame *f)
{
	const struct word *w = word_find(words[0]);
	const char *arg = argc > 1 ? words[1] : "";
	bool is_dev = !strcmp(words[0], "dev");

	if (!w && is_dev)
		return argc > 1 && frame_dev(f, arg) ? 2 : 0;
	if (!w)
		return frame_dev(f, words[0]) ? 1 : 0;
	if (w->arg && argc < 2)
		return 0;
	if (create || w->kind == WORD_TYPE || w->kind == WORD_REAL) {
		if (!frame_add(f, w, arg))
			return 0;
	} else if (!frame_pass(f, w->word, w->arg ? arg : NULL)) {
		return 0;
	}
	return w->arg ? 2 : 1;
}

bool ip_frame_read(bool create, int argc, char **words, struct ip_frame *f)
{
	int i = 0;

	*f = (struct ip_frame){0};
	while (i < argc && words[i] && !f->kind) {
		int n = frame_word(create, argc - i, words + i, f);

		if (!n)
			return false;
		i += n;
	}
	f->options = i;
	if (create && f->dev && f->name && strcmp(f->dev, f->name))
		return false;
	return f->kind && (create || f->dev);
}
