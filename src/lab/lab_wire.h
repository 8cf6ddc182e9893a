/* SPDX-License-Identifier: BSD-2-Clause */
/* What was on the wire: the captured packets explained, and their sums. */
#ifndef TUNL_LAB_LAB_WIRE_H
#define TUNL_LAB_LAB_WIRE_H

#include <jansson.h>

#include "lab/lab_capture.h"
#include "lab/lab_topo.h"
#include "lab/lab_ui.h"
#include "lib/err.h"

struct lab_wire {
	struct dissection *d; /* room for one */
	json_t *packets;      /* array: explain_json_data() of each */
	json_t *sums;	      /* array of {text, total} of each */
	char sum[160];	      /* of the first packet in the tunnel */
	u32 plain, wrapped;   /* bytes of the first packet without and with the tunnel */
};

/* Which frames of a capture one ping sent, and how they are told. */
struct lab_wire_part {
	u32 first, end;
	u32 shown;   /* at most so many are told; the others are counted */
	bool tunnel; /* an echo among them is to be in a tunnel */
};

/* -ENOMEM with e filled. lab_wire_fini() frees, in either case. */
int lab_wire_init(struct lab_wire *w, struct err *e);
void lab_wire_fini(struct lab_wire *w);

/* Explain some frames of c. -EBADMSG with e filled: one is malformed, or was not in the tunnel. */
int lab_wire_explain(struct lab_wire *w, struct lab_ui *ui, const struct lab_capture *c,
		     const struct lab_wire_part *part, struct err *e);

/* "20 bytes more than ...": what the tunnel has added to the packet. */
void lab_wire_compare(const struct lab_wire *w, struct lab_ui *ui, const struct lab_topo *t);

/* The names of a packet's layers from the outermost IP header on: "IPv4/GRE/IPv4/ICMP/data". */
char *lab_wire_layers(const struct dissection *d, char *buf, size_t len);

/* Whether it carries an ICMP or ICMPv6 echo that is not quoted; its layer. NULL: none. */
const struct layer *lab_wire_echo(const struct dissection *d);

#endif
