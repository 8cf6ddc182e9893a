/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of network namespaces (struct ns: daemon.h). */
#ifndef TUNL_DAEMON_NETNS_H
#define TUNL_DAEMON_NETNS_H

#include "daemon/daemon.h"

/* Who the namespace behind a descriptor is. -EINVAL: it is no network namespace. */
int netns_identify(int fd, struct ns_identity *id);

/* The one that we stand in. */
int netns_identify_self(struct ns_identity *id);

/* Whether two are one; cookies decide where both have one. */
bool netns_is(const struct ns_identity *a, const struct ns_identity *b);

/*
 * The namespace behind fd (borrowed), taken into the table where it is new.
 * -errno with e filled.
 */
int netns_take(struct daemon *d, int fd, struct ns **ns, struct err *e);

struct ns *netns_find(struct daemon *d, const struct ns_identity *id);
struct ns *netns_by_nsid(struct daemon *d, u32 nsid);

/* Let go of it where no tunnel needs it any more. */
void netns_drop_unused(struct ns *ns);

/* Free all of them, at the end of the process: nothing is done to devices and programs. */
void netns_abandon_all(struct daemon *d);

/* Enter it until priv_leave(). -errno. */
int netns_enter(struct ns *ns);

#endif
