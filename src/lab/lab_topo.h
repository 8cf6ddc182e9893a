/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a lab consists of, as data: the commands that build it, what it is
 * pinged and captured at, and its picture. A lab is a table of text lines, so
 * that another one is another table.
 *
 * In all texts {a}, {b} and {r} stand for the lab's namespaces, and {datapath} for
 * "datapath WORD" where one was chosen, else for nothing.
 */
#ifndef TUNL_LAB_LAB_TOPO_H
#define TUNL_LAB_LAB_TOPO_H

#include <stdbool.h>
#include <stddef.h>

enum { LAB_ID_MAX = 8 }; /* a lab's name: letters and digits */
enum { LAB_WORDS = 32, LAB_TEXT = 512 };

/* One command, its words separated by single blanks. No shell sees it. */
struct lab_step {
	const char *heading; /* opens a section of the story; NULL: goes on in it */
	const char *cmd;
	const char *undo; /* NULL: an earlier step's undo covers it */
};

struct lab_end {
	const char *role;  /* "a" */
	const char *dev;   /* tunnel device */
	const char *inner; /* its address within the tunnel */
};

struct lab_topo {
	const char *name;  /* for the command line */
	const char *title; /* for a person */
	const char *roles; /* one letter a namespace */
	const struct lab_step *steps;
	size_t n_steps;
	const char *const *picture; /* NULL-terminated, in UTF-8 box drawing */
	struct lab_end end[2];
	const char *const *look; /* commands that show what stands; NULL-terminated */
	const char *ping_underlay, *ping_tunnel; /* commands */
	const char *capture_role, *capture_dev;
	const char *overhead; /* what the tunnel adds to a packet, in words */
};

/* The labs there are; NULL-terminated. */
extern const struct lab_topo *const lab_topos[];

/* The lab of that name, or NULL. */
const struct lab_topo *lab_topo_find(const char *name);

/* What the variables stand for. */
struct lab_vars {
	const char *id;
	const char *datapath; /* NULL: none chosen */
};

/* A text split into words. */
struct lab_words {
	int n;
	char *v[LAB_WORDS + 1]; /* NULL-terminated, within buf */
	char buf[LAB_TEXT];
};

/* Whether id may name a lab: 1 to LAB_ID_MAX of [a-z0-9]. */
bool lab_id_is_valid(const char *id);

/* The namespace of a role: "tunl-ID-a". Returns buf. */
char *lab_ns_name(char *buf, size_t len, const char *id, char role);

/*
 * text with its variables filled in. "{a:15-}" pads a namespace's name to 15
 * columns with what follows the number. False: it does not fit.
 */
bool lab_text_fill(char *buf, size_t len, const char *text, const struct lab_vars *v);

/* The same, split at blanks. */
bool lab_words_make(struct lab_words *w, const char *text, const struct lab_vars *v);

#endif
