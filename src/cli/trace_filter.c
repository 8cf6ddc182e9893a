/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "cli/trace.h"
#include "lib/addr.h"

static int bad(const char *what, const char *word)
{
	fprintf(stderr, "trace: %s \"%s\"\n", what, word);
	return -EINVAL;
}

static int take_dev(struct trace_filter *f, const char *word)
{
	if (!ifname_ok(word))
		return bad("that is no name of a device:", word);
	if (!if_nametoindex(word)) {
		fprintf(stderr, "Cannot find device \"%s\"\n", word);
		return -ENODEV;
	}
	text_copy(f->dev, sizeof(f->dev), word);
	return 0;
}

static int take_peer(struct trace_filter *f, const char *word)
{
	if (!prefix4_parse(word, &f->peer, &f->peer_len))
		return bad("a peer is an IPv4 address or prefix, which is not", word);
	f->by_peer = true;
	return 0;
}

static int take_reason(struct trace_filter *f, const char *word)
{
	f->reason = reason_by_word(word);
	if (f->reason != R_NONE)
		return 0;
	bad("there is no reason", word);
	fputs("Reasons:", stderr);
	for (u32 r = R_NONE + 1; r < R__MAX; r++)
		fprintf(stderr, " %s", reason_info((enum reason)r)->word);
	fputc('\n', stderr);
	return -EINVAL;
}

static int take_drop(struct trace_filter *f, const char *word)
{
	(void)word;
	f->drops = true;
	return 0;
}

static int take_rx(struct trace_filter *f, const char *word)
{
	(void)word;
	f->rx = true;
	return 0;
}

static int take_tx(struct trace_filter *f, const char *word)
{
	(void)word;
	f->tx = true;
	return 0;
}

static const struct {
	const char *word;
	int (*take)(struct trace_filter *f, const char *word);
	bool has_value;
} words[] = {
	{"dev", take_dev, true}, {"peer", take_peer, true}, {"reason", take_reason, true},
	{"drop", take_drop},	 {"rx", take_rx},	    {"tx", take_tx},
};

int trace_filter_word(struct trace_filter *f, int argc, char **argv, int i)
{
	int rc;

	for (size_t k = 0; k < countof(words); k++) {
		if (strcmp(argv[i], words[k].word))
			continue;
		if (words[k].has_value && i + 1 >= argc)
			return bad("something has to follow", words[k].word);
		rc = words[k].take(f, words[k].has_value ? argv[i + 1] : NULL);
		return rc ? rc : 1 + words[k].has_value;
	}
	rc = take_dev(f, argv[i]);
	return rc ? rc : 1;
}

static bool dev_fits(const char *dev, struct trace_source *s, const struct trace_event *ev)
{
	char name[IF_NAMESIZE];

	if (!strcmp(trace_dev(s, ev, name), dev))
		return true;
	return ev->link && if_indextoname(ev->link, name) && !strcmp(name, dev);
}

/* The other end, by the outer header, else by the tunnel. */
static bool peer_fits(const struct trace_filter *f, struct trace_source *s,
		      const struct trace_event *ev, const struct trace_packet *p)
{
	u32 mask = f->peer_len ? ~0U << (32 - f->peer_len) : 0;
	const struct tunnel_row *row = trace_row(s, ev);
	be32 peer = {0};

	if (p->has_outer)
		peer = ev->dir == TRACE_RX ? p->outer.src : p->outer.dst;
	else if (row)
		peer = row->cfg.remote;
	return !((be32_host(peer) ^ be32_host(f->peer)) & mask);
}

bool trace_wanted(const struct trace_filter *f, struct trace_source *s,
		  const struct trace_event *ev, const struct trace_packet *p)
{
	if (ev->form == TRACE_LOST)
		return false;
	if ((f->drops && ev->reason == R_NONE) || (f->reason && ev->reason != f->reason))
		return false;
	if ((f->rx || f->tx) && !(ev->dir == TRACE_RX ? f->rx : f->tx))
		return false;
	if (f->dev[0] && !dev_fits(f->dev, s, ev))
		return false;
	return !f->by_peer || peer_fits(f, s, ev, p);
}
