/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings of the namespace entered (/proc/sys/net). */
#ifndef TUNL_DAEMON_SYSCTL_H
#define TUNL_DAEMON_SYSCTL_H

#include "engine/limit.h"

/* How often ICMP errors may be sent; what cannot be read is as usual. */
struct icmp_rates sysctl_icmp_rates(void);

#endif
