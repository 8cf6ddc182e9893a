/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lab at work: building it step by step, and taking it down by the undo of
 * what was done, last first. Every command goes into the report.
 */
#ifndef TUNL_LAB_LAB_BUILD_H
#define TUNL_LAB_LAB_BUILD_H

#include <jansson.h>

#include "lab/lab_cmd.h"
#include "lab/lab_store.h"
#include "lab/lab_topo.h"
#include "lab/lab_ui.h"
#include "lib/err.h"

struct lab {
	struct lab_record rec; /* id, topology, datapath */
	struct lab_vars vars;  /* of rec */
	struct lab_ui ui;
	struct lab_signals sig;
	struct lab_store store;
	json_t *steps; /* the report: an array of {heading, command, status, ms} */
	const char *heading;
	int done;			  /* steps begun; their undo is due */
	struct lab_result last;		  /* of the last command that was run */
	const struct lab_step *last_step; /* which it was */
};

/* The variables of l->rec. To be called whenever it has been filled. */
void lab_bind(struct lab *l);

/* Open a section of the story. */
void lab_heading(struct lab *l, const char *text);

/*
 * Show and run a command. -errno with e filled where it does not end well: its own
 * last words, and the command. *r may be NULL.
 */
int lab_do(struct lab *l, const char *text, unsigned flags, struct lab_result *r, struct err *e);

/* text with what is no UTF-8 replaced by "?", as a JSON string. */
json_t *lab_json_text(const char *text, size_t len);

/* One step that builds or shows without a capture: LAB_DO, LAB_RUN, LAB_SECTION, LAB_SAY. */
int lab_step_plain(struct lab *l, const struct lab_step *step, struct err *e);

/*
 * Take down what l->done says stands. A step that fails does not stop the next;
 * -EIO with e filled if a namespace of the lab is left in the end.
 */
int lab_unbuild(struct lab *l, struct err *e);

/* Whether all of the lab's namespaces are there. */
bool lab_stands(const struct lab *l);

/* Add the folders of ip and sysctl to PATH, which an ordinary user's leaves out. */
void lab_complete_path(void);

/*
 * What the lab cannot do without: programs, /dev/net/tun. -errno with e filled,
 * the remedy in it.
 */
int lab_check_needs(struct err *e);

#endif
