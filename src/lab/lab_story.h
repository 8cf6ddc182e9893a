/* SPDX-License-Identifier: BSD-2-Clause */
/* `tunl lab run`, `up` and `report`: the whole story, from nothing to nothing. */
#ifndef TUNL_LAB_LAB_STORY_H
#define TUNL_LAB_LAB_STORY_H

#include <stdbool.h>

#include "lab/lab_topo.h"

struct lab_opts {
	struct lab_topo *topo;
	const char *id;	      /* NULL: one of our choosing */
	const char *datapath; /* NULL: tunld's choice */
	const char *pcap;     /* NULL: a new file in TMPDIR or /tmp */
	const char *report;   /* write a page there; "-": to stdout; NULL: none */
	bool keep;	      /* leave it standing */
	bool up;	      /* build only, and leave it standing */
	bool json, quiet;
};

/* Returns the exit status (lab.h). */
int lab_story(const struct lab_opts *o);

#endif
