/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Security associations and policies of the namespaces, where tunl keeps them.
 * A struct nsx belongs to its struct ns, from the first of them to the last; it
 * keeps the struct ns as a tunnel does. Requests change it; the file of them
 * (xfrm_file.c) and the engine (xfrm_tell.c) follow each change.
 */
#ifndef TUNL_DAEMON_XFRM_H
#define TUNL_DAEMON_XFRM_H

#include "daemon/control.h"
#include "ipsec/db.h"
#include "ipsec/mib.h"
#include "ipsec/text.h"

enum { XFRM_PORTS = 8 };

struct xfrm_follow;

struct nsx {
	struct ns *ns;
	struct xfrm_follow *follow; /* the kernel has them; NULL: we do */
	struct xfrm_db db;
	u32 mib;	      /* slot of its counters */
	u32 next_index;	      /* of a policy */
	u32 next_policy;      /* slot; the engine's name for it */
	bool told;	      /* the engine has what db has */
	bool filling;	      /* it is told when all is there */
	u16 port[XFRM_PORTS]; /* of ESP in UDP that the engine listens to */
	u32 nports;
};

/* Whether ns has any. */
bool xfrm_has_any(const struct ns *ns);

/* What ns has, made where there is nothing yet. -ENFILE, -ENOMEM. */
int xfrm_of(struct ns *ns, struct nsx **x);

/* Forget all of it: the namespace ends. xfrm_abandon(): the daemon does, and the file keeps it. */
void xfrm_free(struct ns *ns);
void xfrm_abandon(struct ns *ns);

/* The verb `xfrm`: config is OBJECT OP WORDS. */
int xfrm_request(struct ns *ns, char *config, struct rows *rows, struct err *e);

/* Changes; the kernel's answer to each as -errno. */
int xfrm_sa_add(struct nsx *x, struct sa_cfg *cfg, bool update);
void xfrm_sa_del(struct nsx *x, struct sa *sa);
int xfrm_policy_add(struct nsx *x, struct policy_cfg *cfg, bool update);
void xfrm_policy_del(struct nsx *x, struct policy *p);

/* Write all down after xfrm_forget_*(); a failure is logged. */
void xfrm_written(struct nsx *x);

/* Out of db and engine, with nothing said to the file. */
void xfrm_forget_sa(struct nsx *x, struct sa *sa);
void xfrm_forget_policy(struct nsx *x, struct policy *p);

/* The engine reached a limit of the association in that slot. */
void xfrm_limit(struct ns *ns, u32 slot, bool hard);

/* --- xfrm_tell.c */

/* Tell the engine all, if it does not have it: with the namespace entered. 0 or -errno. */
int xfrm_tell(struct ns *ns);
/* One of them, where the engine has the others. */
void xfrm_tell_sa(struct nsx *x, const struct sa *sa);
void xfrm_tell_policy(struct nsx *x, const struct policy *p);
void xfrm_tell_gone(struct nsx *x, bool is_sa, u32 slot);

/* The marks that the engine sends ESP with, for a tunnel with that key. */
typedef int xfrm_mark_fn(struct ns *ns, u32 mark);
int xfrm_each_mark(struct ns *ns, xfrm_mark_fn *fn);

/* --- xfrm_follow.c */

/*
 * Whether the kernel's associations are vti's, found out once; to be asked outside of
 * other namespaces.
 */
bool xfrm_is_kernels(struct daemon *d);

/* Follow the kernel's, where it has ESP, with the namespace entered. 0 or -errno. */
int xfrm_follow(struct ns *ns);
void xfrm_follow_end(struct nsx *x);
void xfrm_follow_limit(struct nsx *x, const struct sa *sa, bool hard);

/* --- xfrm_file.c */

/* Write all of them down. -errno: the file is as it was. */
int xfrm_save(struct daemon *d);

/* What the file holds of this boot is in force again. */
void xfrm_load(struct daemon *d);

#endif
