/* SPDX-License-Identifier: BSD-2-Clause */
/* Telling a person what a captured packet is made of. */
#ifndef TUNL_LAB_EXPLAIN_H
#define TUNL_LAB_EXPLAIN_H

#include <jansson.h>
#include <stdio.h>

#include "lab/dissect.h"

struct explain_opts {
	bool colour;			   /* ANSI sequences in text */
	const struct dissect_ports *ports; /* NULL: the default */
};

/* Whether text to out shall be coloured: a terminal, and NO_COLOR not set. */
bool explain_wants_colour(FILE *out);

/*
 * Write to out what f is made of: a summary line, a line or two a layer, and the
 * sum of its sizes. o may be NULL: no colour, default ports. Returns 0, or
 * -EBADMSG if the frame is malformed (which the text says, where it breaks).
 */
int explain_frame(FILE *out, const struct frame *f, const struct explain_opts *o);

/* The same from a dissection at hand. */
void explain_text(FILE *out, const struct frame *f, const struct dissection *d, bool colour);

/* Everything in it as a JSON object; the caller owns it. NULL: no memory. */
json_t *explain_json(const struct frame *f, const struct dissection *d);

/* The same with its bytes, in hex, as member "data". */
json_t *explain_json_data(const struct frame *f, const struct dissection *d);

/*
 * `tunl explain FILE|- [-j | --html[=PAGE]] [--gue PORT] [--fou PORT[:PROTO]]`; argv[0] is
 * "explain". The exit status: 0, 1 for what cannot be read or is malformed
 * (what could be read has been printed), 255 for a wrong command line.
 */
int explain_main(int argc, char **argv);

#endif
