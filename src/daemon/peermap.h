/* SPDX-License-Identifier: BSD-2-Clause */
/* Of whom the programs take packets for an isatap tunnel, as tunl_peer has it. */
#ifndef TUNL_DAEMON_PEERMAP_H
#define TUNL_DAEMON_PEERMAP_H

#include "daemon/daemon.h"

/*
 * Write the routers of t and the prefixes of its device's addresses (spec datapath
 * 8.2); of a mode that asks for none, nothing. The namespace is entered. 0 or -errno.
 */
int peermap_write(struct tunnel *t);

/* Take all of t out of the map. */
void peermap_clear(struct tunnel *t);

#endif
