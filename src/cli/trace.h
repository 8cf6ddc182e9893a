/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `tunl trace`: what is made of the events that tunld's engine sends (model/trace.h).
 *
 *	trace.c		the command
 *	trace_source.c	where events come from, and the tunnels that they are about
 *	trace_packet.c	the headers in an event
 *	trace_filter.c	which events are wanted
 *	trace_why.c	why a packet was dropped, in words
 *	trace_print.c	a line of text; trace_json.c: of JSON
 */
#ifndef TUNL_CLI_TRACE_H
#define TUNL_CLI_TRACE_H

#include <jansson.h>

#include "cli/cli.h"
#include "cli/row.h"
#include "lib/text.h"
#include "model/reasons.h"
#include "model/trace.h"
#include "wire/gre.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

int trace_main(const struct cli *cli, int argc, char **argv);

/* Events of the caller's namespace, and its tunnels. */
struct trace_source {
	int fd; /* of trace_open(); to be polled */
	struct tunnel_row *row;
	size_t n;
	u64 asked_ms;  /* when for the tunnels, CLOCK_MONOTONIC */
	s64 offset_ns; /* from CLOCK_BOOTTIME to the wall clock */
};

/* 0 or -errno with e filled; after 0 trace_close() must follow. */
int trace_open(struct trace_source *s, struct err *e);
void trace_close(struct trace_source *s);

/* The next event; 1, or 0: none now; -EPIPE: tunld, or the last tunnel, is gone. */
int trace_next(struct trace_source *s, struct trace_event *ev);

/* The tunnel of an event; NULL: of none, or of one that is gone. */
const struct tunnel_row *trace_row(struct trace_source *s, const struct trace_event *ev);

/* The device that an event is of: the tunnel's, else the one it came in by. */
const char *trace_dev(struct trace_source *s, const struct trace_event *ev,
		      char buf[static TUNL_NAME_LEN]);

/* Headers in an event; what the bytes do not reach is not there. */
struct trace_packet {
	bool has_outer, has_gre, has_spi, has_in4, has_in6, has_ports, has_icmp;
	struct ip4 outer;
	struct gre_fields gre;
	u32 spi;
	u16 ethertype; /* of the inner packet; 0: not known */
	struct ip4 in4;
	struct ip6 in6;
	u8 upper; /* protocol in the inner packet */
	u16 sport, dport;
	u8 icmp_type, icmp_code;
};

void trace_read(const struct trace_event *ev, struct trace_packet *p);

/* What is asked for; zeroes: everything. */
struct trace_filter {
	char dev[TUNL_NAME_LEN];
	be32 peer;
	u8 peer_len;
	bool by_peer, drops, rx, tx;
	enum reason reason;
};

/* Words of the command line, taken from i on: how many, or -EINVAL with a message printed. */
int trace_filter_word(struct trace_filter *f, int argc, char **argv, int i);
bool trace_wanted(const struct trace_filter *f, struct trace_source *s,
		  const struct trace_event *ev, const struct trace_packet *p);

/* Why it was dropped, and the remedy; each a text of its own. */
struct trace_why {
	char text[256], remedy[512];
};

void trace_explain(struct trace_source *s, const struct trace_event *ev,
		   const struct trace_packet *p, struct trace_why *w);

/* The same for the packet of a stranger, by the tunnels that s has. */
void trace_stranger(const struct trace_source *s, const struct trace_packet *p,
		    struct trace_why *w);

/* "ipip", "gre", ..., or the number: an outer protocol. */
const char *trace_proto(u8 proto, char buf[static 8]);

/* "echo request": an ICMP type of the inner packet; NULL: a number tells it. */
const char *trace_icmp(const struct trace_packet *p);

void trace_print(struct trace_source *s, const struct trace_event *ev,
		 const struct trace_packet *p);
json_t *trace_json(struct trace_source *s, const struct trace_event *ev,
		   const struct trace_packet *p);

#endif
