/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other people's configurations made ours: what was read so far (struct import), and the
 * readers, one a format. Nothing is run, and nothing is lost: a line that a reader
 * cannot take is told, with its place, and kept as a comment.
 *
 *	import_cmd.c		`tunl import`, and what the readers share
 *	import_ip.c		lines of `ip tunnel`, `ip link`, `ip addr`, `ip route`
 *	import_ifupdown.c	/etc/network/interfaces
 *	import_networkd.c	.netdev and .network
 *	import_words.c		a line of shell as words
 */
#ifndef TUNL_CLI_IMPORT_H
#define TUNL_CLI_IMPORT_H

#include "cli/cli.h"
#include "lib/list.h"
#include "model/conf.h"

enum { IMPORT_WORDS = 128, IMPORT_LINE = 4096 };

/* A line that a tunnel's description came from; told where there is no such tunnel. */
struct import_line {
	struct import_line *next;
	u32 line;
	char *file, *text;
};

struct import_tunnel {
	struct list node;
	struct conf_tunnel t;
	bool made; /* what makes it was seen: its mode is known */
	struct import_line *lines;
};

struct import {
	struct list tunnels;
	struct import_line *lost; /* the last first */
	u32 nlost;
	bool failed; /* out of memory */
	/* where the reader is */
	const char *file;
	u32 line;
	const char *text; /* the line, for messages */
};

/* The tunnel of that name and namespace, made where it is new; NULL: no memory, or no name. */
struct import_tunnel *import_tunnel(struct import *im, const char *name, const char *netns);
void import_forget(struct import *im, struct import_tunnel *t);

/* The line at hand is t's. */
void import_note(struct import *im, struct import_tunnel *t);

/* The line at hand is not understood. */
void import_lose(struct import *im, const char *why);

/* Words of a configuration, printed into text, for t. False: they are wrong; *e tells why. */
bool import_take(struct import_tunnel *t, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* What follows NAME in `ip tunnel add`, or one option of it. The same. */
bool import_option(struct import_tunnel *t, const char *word, const char *arg, struct err *e);

/* Cut a line as a shell would, in place. The number of words; -1: only a shell can tell. */
int import_words(char *line, char **words, int max);

/* One command line, without a shell. iface: what $IFACE stands for, or NULL. */
void import_command(struct import *im, const char *text, const char *iface);

void import_script(struct import *im, const char *text);
void import_interfaces(struct import *im, const char *text);
void import_netdev(struct import *im, const char *text);
void import_network(struct import *im, const char *text);

#endif
