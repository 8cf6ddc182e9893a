/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: tunnels that files ask for (lib/confdir.h, model/conf.h), made at
 * start, made to be so again by `reload`, and tried again while they cannot be had. Work
 * is done in slices, so that a hundred thousand of them keep nobody waiting.
 */
#ifndef TUNL_DAEMON_CONF_H
#define TUNL_DAEMON_CONF_H

#include "daemon/control.h"
#include "daemon/daemon.h"

/* Note where the process was started: before it leaves that namespace. */
void conf_note_home(struct daemon *d);

/* Read the files and begin. Mistakes in them are logged; -ENOMEM. */
int conf_start(struct daemon *d);
void conf_end(struct daemon *d);

/*
 * Read the files again. Rows: what changes ({"action","name",...}), or the mistakes, and
 * then nothing changes (-EINVAL with e filled). dry: only say so.
 */
int conf_reload(struct daemon *d, bool dry, struct rows *rows, struct err *e);

/*
 * Rows: {"tunnels","pending","failed"}, then those of the namespace at hand (NULL: of all)
 * that are not as the files say, with the reason.
 */
int conf_report(struct daemon *d, struct ns *ns, struct rows *rows, struct err *e);

/* Something happened in ns that may help what could not be had until now. */
void conf_event(struct ns *ns);
void conf_addrs_changed(struct ns *ns);

/* Its tunnels went with it; should it come again, they do. */
void conf_ns_ended(struct ns *ns);

#endif
