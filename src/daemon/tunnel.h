/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tunnels (struct tunnel: daemon.h): making, finding, changing and ending
 * them. The kernel's own part in it is played here (spec cli 1.6, 4).
 */
#ifndef TUNL_DAEMON_TUNNEL_H
#define TUNL_DAEMON_TUNNEL_H

#include "daemon/daemon.h"
#include "daemon/state.h"

/* Make what want says in ns. -errno with e filled, and nothing is left of it. */
int tunnel_create(struct ns *ns, const struct tunnel_cfg *want, struct err *e);

/* t NULL: the tunnel that has want's addresses. */
int tunnel_change(struct ns *ns, struct tunnel *t, const struct tunnel_cfg *want, struct err *e);

/* Take away the device and all that belongs to it. */
int tunnel_delete(struct tunnel *t, struct err *e);

/* Find again what a line of the state file names: ns has the device as ifindex. 0 or -errno. */
int tunnel_adopt(struct ns *home, struct ns *place, const struct state_line *line);

/* Forget it; the device is gone already or stays as it is. */
void tunnel_forget(struct tunnel *t);

/* Free all of them, at the end of the process: the tunnels go on. */
void tunnel_abandon_all(struct daemon *d);

/*
 * The tunnel whose device is in ns under that name: -ENODEV no such device,
 * -EOPNOTSUPP it is not ours.
 */
int tunnel_by_name(struct ns *ns, const char *name, struct tunnel **t);

/* The tunnel made in ns that the driver would find by these parameters; NULL: none. */
struct tunnel *tunnel_like(struct ns *ns, const struct tunnel_cfg *cfg);

/*
 * Set cfg->link by cfg->dev: a name, or ifN whether or not there is such a device
 * (spec cli 1.5). -ENODEV with e filled: neither.
 */
int tunnel_resolve_dev(struct ns *ns, struct tunnel_cfg *cfg, struct err *e);

struct tunnel *tunnel_by_slot(struct daemon *d, u32 slot);

/* A device of ns changed, came or went (link.c says so). */
void tunnel_link_changed(struct ns *ns, u32 ifindex);

/* Give an ISATAP tunnel its routers, not yet in the state file. 0 or -ENOMEM. */
int tunnel_set_routers(struct tunnel *t, const struct prl *routers);

/* Write it to the state file as it is now. -errno: nothing was written. */
int tunnel_save(struct tunnel *t);

#endif
