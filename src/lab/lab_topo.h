/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a lab consists of, as data: namespaces, devices, and the steps that build
 * and show it. lab_file.c makes it from the text of a lab file; nothing else does.
 * A lab is one heap object with all its strings (lab_topo_free()).
 *
 * In the texts of steps and pictures {a} stands for the lab's namespace of role a,
 * and {datapath} for "datapath WORD" where one was chosen, else for nothing.
 */
#ifndef TUNL_LAB_LAB_TOPO_H
#define TUNL_LAB_LAB_TOPO_H

#include <stdbool.h>
#include <stddef.h>

enum { LAB_ID_MAX = 8 };   /* a standing lab's name: letters and digits */
enum { LAB_ROLE_MAX = 8 }; /* a namespace's name within the lab: the same */
enum { LAB_NAME_MAX = 31 };
enum { LAB_WORDS = 40, LAB_TEXT = 512 };
enum { LAB_NETS = 12, LAB_DEVS = 48, LAB_ADDRS = 4, LAB_STEPS = 400 };

enum lab_act {
	LAB_DO,	     /* text: a command that builds */
	LAB_RUN,     /* text: a command that shows or changes something, its output shown */
	LAB_SECTION, /* text: heading */
	LAB_SAY,     /* text: to be wrapped; newlines part paragraphs */
	LAB_CAPTURE, /* net, dev */
	LAB_PING,    /* text: the command */
	LAB_EXPLAIN,
	LAB_EXPECT, /* expect, text */
};

enum lab_expect { EXPECT_SUM, EXPECT_LAYERS, EXPECT_OUTPUT };

/* One step; its command is words separated by single blanks. No shell sees it. */
struct lab_step {
	enum lab_act act;
	unsigned line; /* of the lab file */
	const char *text;
	const char *undo;	/* NULL: an earlier step's undo covers it */
	int net;		/* where it happens: index of nets */
	const char *dev;	/* LAB_CAPTURE */
	const char *target;	/* LAB_PING: the address */
	enum lab_expect expect; /* LAB_EXPECT */
	bool bare;		/* LAB_PING: not through a tunnel */
	bool fails;		/* LAB_RUN, LAB_PING: it is to fail */
};

struct lab_net {
	const char *role;
	bool forwards;
};

struct lab_dev {
	int net; /* index of nets */
	const char *name;
	const char *tunnel; /* its words; NULL: one end of a link */
	int peer;	    /* index of devs: the link's other end; -1: none */
	int n_addrs;
	const char *addr[LAB_ADDRS];
};

struct lab_topo {
	char name[LAB_NAME_MAX + 1]; /* for the command line */
	const char *title;	     /* for a person */
	const char *about;	     /* what there is to see; newlines part paragraphs; may be "" */
	const char *overhead; /* what the tunnel adds to a packet, in words; NULL: not said */
	const char *picture;  /* lines of UTF-8 box drawing; NULL: none */
	const char *text;     /* the file it was made from */
	int n_nets, n_devs, n_steps;
	int n_build; /* steps of `tunl lab up`: those before the first capture or ping */
	struct lab_net nets[LAB_NETS];
	struct lab_dev devs[LAB_DEVS];
	struct lab_step steps[LAB_STEPS];
	struct lab_string *strings; /* all of the above */
};

void lab_topo_free(struct lab_topo *t);

/* Index of the namespace of that role; -1: none. len bytes of role count. */
int lab_topo_net(const struct lab_topo *t, const char *role, size_t len);

/* The step that pings through the tunnel and is answered; NULL: there is none. */
const struct lab_step *lab_topo_tunnel_ping(const struct lab_topo *t);

/* The step that captures; NULL: none. */
const struct lab_step *lab_topo_capture(const struct lab_topo *t);

/* The next tunnel device from index i on; NULL: no more. *i becomes its index. */
const struct lab_dev *lab_topo_next_tunnel(const struct lab_topo *t, int *i);

/* What the variables stand for. */
struct lab_vars {
	const char *id;
	const char *datapath;	     /* NULL: none chosen */
	const struct lab_topo *topo; /* NULL: any word in braces is a role */
};

/* A text split into words. */
struct lab_words {
	int n;
	char *v[LAB_WORDS + 1]; /* NULL-terminated, within buf */
	char buf[LAB_TEXT];
};

/* Whether id may name a lab or a role: 1 to LAB_ID_MAX of [a-z0-9]. */
bool lab_id_is_valid(const char *id);

/* The namespace of a role: "tunl-ID-a". Returns buf. */
char *lab_ns_name(char *buf, size_t len, const char *id, const char *role);

/*
 * text with its variables filled in. "{a:15-}" pads a namespace's name to 15
 * columns with what follows the number. False: it does not fit.
 */
bool lab_text_fill(char *buf, size_t len, const char *text, const struct lab_vars *v);

/* The same, split at blanks. */
bool lab_words_make(struct lab_words *w, const char *text, const struct lab_vars *v);

#endif
