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
	json_t *packets;      /* array: explain_json() of each */
	json_t *sums;	      /* array of {text, total} of each */
	char sum[160];	      /* of the first packet in the tunnel */
	u32 plain, wrapped;   /* bytes of the first packet without and with the tunnel */
};

/*
 * Explain the frames of c: those before `first` were pinged without the tunnel.
 * -EBADMSG with e filled: one is malformed, or was not in the tunnel. The caller
 * frees with lab_wire_fini(), in either case.
 */
int lab_wire_explain(struct lab_wire *w, struct lab_ui *ui, const struct lab_capture *c, u32 first,
		     struct err *e);
void lab_wire_fini(struct lab_wire *w);

/* "20 bytes more than ...": what the tunnel has added to the packet. */
void lab_wire_compare(const struct lab_wire *w, struct lab_ui *ui, const struct lab_topo *t);

#endif
