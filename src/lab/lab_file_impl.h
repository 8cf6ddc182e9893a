/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of the lab files' parser: lab_file.c splits the text into
 * lines, words and blocks; lab_verbs.c says what each first word means.
 */
#ifndef TUNL_LAB_LAB_FILE_IMPL_H
#define TUNL_LAB_LAB_FILE_IMPL_H

#include "lab/lab_file.h"

struct file_word {
	const char *s;	 /* owned by the lab */
	unsigned column; /* from 1, in bytes */
};

/* One line: its words, and for verbs that take text the block behind it. */
struct file_line {
	unsigned number; /* from 1 */
	int n;
	struct file_word w[LAB_WORDS]; /* w[0] is the verb */
	const char *rest;	       /* what is behind the verb, one blank between words */
	const char *block;	       /* the indented lines that follow; NULL: none */
};

struct file_reader {
	const char *source;
	struct lab_topo *t;
	struct err *e;
	bool done_building; /* a capture or ping has been */
};

enum file_takes {
	TAKES_WORDS,
	TAKES_LINE,  /* text: the rest of its line, no remark behind it */
	TAKES_BLOCK, /* text: and the indented lines that follow */
};

struct file_verb {
	const char *word;
	int least; /* words behind it */
	enum file_takes takes;
	const char *form; /* for errors */
	int (*read)(struct file_reader *r, const struct file_line *l);
};

/* NULL: there is none. */
const struct file_verb *file_verb_find(const char *word);

/* Say what is wrong at word i of the line. Returns -EINVAL. */
int file_wrong(struct file_reader *r, const struct file_line *l, int i, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* A string of the lab's. NULL: no memory. */
const char *file_keep(struct lab_topo *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* "a:v1" taken apart. */
struct file_place {
	int net;
	const char *dev;
};

/* Each says what is wrong at the word it is given, and returns -EINVAL or NULL. */
int file_net(struct file_reader *r, const struct file_line *l, int i, size_t len);
int file_place(struct file_reader *r, const struct file_line *l, int i, struct file_place *p);
struct lab_step *file_step(struct file_reader *r, const struct file_line *l, enum lab_act act);

/* The words from i on, one blank between them. */
const char *file_join(struct file_reader *r, const struct file_line *l, int i);

/* Index of a device; -1: there is none. */
int file_dev(const struct lab_topo *t, const struct file_place *p);

const char *file_role(const struct file_reader *r, int net);
int file_no_memory(struct file_reader *r);

/* Verbs that show (lab_verbs_show.c); 0, or -errno with r->e filled. */
int file_read_title(struct file_reader *r, const struct file_line *l);
int file_read_about(struct file_reader *r, const struct file_line *l);
int file_read_picture(struct file_reader *r, const struct file_line *l);
int file_read_overhead(struct file_reader *r, const struct file_line *l);
int file_read_section(struct file_reader *r, const struct file_line *l);
int file_read_say(struct file_reader *r, const struct file_line *l);
int file_read_run(struct file_reader *r, const struct file_line *l);
int file_read_fails(struct file_reader *r, const struct file_line *l);
int file_read_capture(struct file_reader *r, const struct file_line *l);
int file_read_ping(struct file_reader *r, const struct file_line *l);
int file_read_explain(struct file_reader *r, const struct file_line *l);
int file_read_expect(struct file_reader *r, const struct file_line *l);

#endif
