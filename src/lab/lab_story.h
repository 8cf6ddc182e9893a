/* SPDX-License-Identifier: BSD-2-Clause */
/* `tunl lab run` and `tunl lab up`: the whole story, from nothing to nothing. */
#ifndef TUNL_LAB_LAB_STORY_H
#define TUNL_LAB_LAB_STORY_H

#include <stdbool.h>

#include "lab/lab_topo.h"

struct lab_opts {
	const struct lab_topo *topo;
	const char *id;	      /* NULL: one of our choosing */
	const char *datapath; /* NULL: tunld's choice */
	const char *pcap;     /* NULL: a new file in TMPDIR or /tmp */
	bool keep;	      /* leave it standing */
	bool up;	      /* build only, and leave it standing */
	bool json, quiet;
};

/* Returns the exit status (lab.h). */
int lab_story(const struct lab_opts *o);

#endif
