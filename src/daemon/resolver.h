/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that looks up one name: `tunld --resolve NAME NETNS`, which tunld starts
 * itself. It prints IPv4 addresses, a line each, or why there are none.
 */
#ifndef TUNL_DAEMON_RESOLVER_H
#define TUNL_DAEMON_RESOLVER_H

#define RESOLVER_FAILED "FAILED "

enum { RESOLVER_NS = 3 }; /* the descriptor of the namespace to look from */

/* netns: its name, for /etc/netns/NAME/resolv.conf; "" or a path: that of all. */
int resolver_main(const char *name, const char *netns);

#endif
