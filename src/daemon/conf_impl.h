/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the configuration share.
 *
 *	conf.c		entries and the rounds
 *	conf_plan.c	reading the files, and what changes by it
 *	conf_apply.c	one entry: its namespace and its tunnel
 *	conf_dress.c	its device: MTU, addresses, routes, state
 *	conf_file.c	RUNDIR/conf: what was done, for the next daemon
 *	conf_lookup.c	names, by a process of its own each (resolver.c)
 *	conf_rows.c	what is told of it
 *
 * A struct conf_entry is a tunnel by name and namespace: asked for by the files (want),
 * done already (done), or both. It goes when it is neither.
 */
#ifndef TUNL_DAEMON_CONF_IMPL_H
#define TUNL_DAEMON_CONF_IMPL_H

#include "daemon/conf.h"
#include "model/conf.h"

struct lookup_job;

struct conf_entry {
	struct hnode node;		/* confd.entries, by netns and name */
	struct list order;		/* confd.order */
	struct list queue;		/* todo or waiting, with queued */
	const struct conf_tunnel *want; /* in confd.conf; NULL: the files have it no more */
	char *line;			/* want as text */
	char *done;			/* what was made, as text; NULL: nothing */
	char *why;			/* it is not as wanted; NULL: it is */
	bool queued;
	u32 tries;
	u64 retry_ms;
	struct ns_identity place; /* where it was made; ino 0: nowhere */
	/* `remote NAME` */
	be32 remote; /* what the name means; zero: not known */
	char *name_why;
	struct lookup_job *job;
	u64 look_ms; /* when it is looked up next */
	u32 look_tries;
};

struct confd {
	struct daemon *daemon;
	const char *dir;  /* NULL: there is no configuration */
	struct conf conf; /* what the files say */
	struct htab entries;
	struct list order, todo, waiting;
	size_t ntodo, nfailed;
	uv_timer_t round, look;
	uv_signal_t hup;
	struct ns_identity home; /* where tunnels without `netns` are; ino 0: not known */
	bool unsaved;
	u32 logged; /* lines about failures since the last reload */
	u32 njobs;
	u64 home_missing_ms; /* home was looked for then, in vain */
	bool ending;
};

/* What an entry is filed under. */
u64 conf_key(const char *netns, const char *name);

/* The entry with the name and namespace of t; NULL: none. */
struct conf_entry *conf_find(struct confd *k, const struct conf_tunnel *t);
struct conf_entry *conf_entry_new(struct confd *k, const struct conf_tunnel *t);
void conf_entry_free(struct confd *k, struct conf_entry *en);

/* Have it done soon. */
void conf_queue(struct confd *k, struct conf_entry *en);

/* t's text, the caller's to free; NULL: no memory. */
char *conf_text(const struct conf_tunnel *t);

/* Read a text of ours back; conf_free(). Its one tunnel, or NULL. */
struct conf_tunnel *conf_of_text(struct conf *c, const char *text);

/* Do what the entry asks for. -errno with e filled. */
int conf_apply(struct confd *k, struct conf_entry *en, struct err *e);

/* The namespace of entries with that `netns`, busy; -errno with e filled. */
int conf_enter(struct confd *k, const char *netns, struct ns **ns, struct err *e);
void conf_leave(struct ns *ns);

/* The address that a device in ns has for outer packets. False: none now. */
bool conf_local_of(struct ns *ns, const char *dev, be32 *addr);

/* What t's device is to be and have. had NULL: nothing was done yet. */
int conf_dress(struct tunnel *t, const struct conf_tunnel *want, const struct conf_tunnel *had,
	       struct err *e);

/* RUNDIR/conf. conf_file_read() makes an entry of each line, with done. */
void conf_file_read(struct confd *k);
void conf_file_write(struct confd *k);

void conf_look_start(struct confd *k);
void conf_look_soon(struct confd *k);
void conf_look_forget(struct confd *k, struct conf_entry *en);
void conf_look_end(struct confd *k);

#endif
