/* SPDX-License-Identifier: BSD-2-Clause */
/* How the lab tells its story: headings, commands, their output, the picture. */
#ifndef TUNL_LAB_LAB_UI_H
#define TUNL_LAB_LAB_UI_H

#include <stdbool.h>
#include <stdio.h>

#include "lab/lab_topo.h"

struct lab_ui {
	FILE *out;	  /* /dev/null where nobody wants the story */
	bool colour;	  /* a terminal, and NO_COLOR not set */
	bool utf8;	  /* else the picture is drawn in ASCII */
	unsigned section; /* number of the last heading */
	int columns;	  /* that text may take */
};

/* out is stdout, or /dev/null with quiet. Sets the locale's character type. */
void lab_ui_init(struct lab_ui *ui, bool quiet);
void lab_ui_fini(struct lab_ui *ui);

/* "2. The tunnel", numbered on from the last. */
void lab_ui_heading(struct lab_ui *ui, const char *text);

/* "[#] ip netns add x": a command about to be run. */
void lab_ui_cmd(struct lab_ui *ui, const struct lab_words *w);

/* A line that a command printed, without its newline. */
void lab_ui_output(struct lab_ui *ui, const char *line);

/* A remark of ours. */
void lab_ui_say(struct lab_ui *ui, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Text for people, its lines broken to the terminal's width; newlines part paragraphs. */
void lab_ui_wrap(struct lab_ui *ui, const char *text);

/* The topology: the lab's picture where it has one and there is room, else a list. */
void lab_ui_picture(struct lab_ui *ui, const struct lab_topo *t, const struct lab_vars *v);

#endif
