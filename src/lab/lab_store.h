/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What labs there are: a folder `labs` beside the daemon's socket, in it one
 * file a lab: a line with its name, its datapath and when it was built, and
 * behind it the text of its lab file.
 * The process that runs a lab holds a lock on its file; a file that nobody has
 * locked is a lab left standing, or one whose process was killed.
 *
 * Who has the store open holds a shared lock on the folder. The last to close it
 * stops tunld, if it was a lab that started it and no tunnel needs it any more,
 * and removes the folder.
 */
#ifndef TUNL_LAB_LAB_STORE_H
#define TUNL_LAB_LAB_STORE_H

#include <limits.h>
#include <stdbool.h>
#include <time.h>

#include "lab/lab_topo.h"
#include "lib/err.h"

struct lab_store {
	char dir[PATH_MAX];
	int fd;	   /* of dir, locked; -1: there is none */
	bool cold; /* no daemon ran when it was opened */
};

struct lab_record {
	char id[LAB_ID_MAX + 1];
	struct lab_topo *topo; /* whoever has filled it frees it */
	char datapath[8];      /* "" as tunld likes */
	time_t built;
	int fd;	   /* the locked file; -1: not ours */
	bool busy; /* a process is at work on it */
};

/*
 * With make, the folder is made where it is not there; otherwise a store that is
 * not there is one without labs. -errno with e filled.
 */
int lab_store_open(struct lab_store *s, bool make, struct err *e);
void lab_store_close(struct lab_store *s);

/* Enter *r as ours; topo, datapath and, where it was chosen, id are given. -EEXIST: id is taken. */
int lab_record_create(struct lab_store *s, struct lab_record *r, struct err *e);

/* The record of id, its topo for lab_topo_free(). With take it becomes ours; -EBUSY: a process is
 * at work on it. -ENOENT. */
int lab_record_open(struct lab_store *s, const char *id, bool take, struct lab_record *r,
		    struct err *e);

/* Unlock, and with remove delete it. */
void lab_record_close(struct lab_store *s, struct lab_record *r, bool remove);

/* Names of the labs, in order; the number of them, at most max. */
size_t lab_store_list(const struct lab_store *s, char (*ids)[LAB_ID_MAX + 1], size_t max);

#endif
