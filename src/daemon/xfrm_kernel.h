/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's own associations and policies, by NETLINK_XFRM, as values: what a
 * dump says, and what is told back. A descriptor of struct xfrm_kernel belongs to a
 * namespace, in which it was opened.
 */
#ifndef TUNL_DAEMON_XFRM_KERNEL_H
#define TUNL_DAEMON_XFRM_KERNEL_H

#include "ipsec/db.h"

/*
 * Whether the kernel can do ESP: by trying, in the namespace that the process
 * stands in. TUNL_XFRM=own or =kernel in the environment says it instead.
 */
bool xfrm_kernel_can(void);

/* A socket that hears of changes, and one for requests. -errno. */
int xfrm_kernel_listen(void);
int xfrm_kernel_open(void);

/* Take in and throw away what a listener heard: true, if there was anything. */
bool xfrm_kernel_heard(int fd);

/* What each entry of a dump is handed to; live NULL: of policies. */
struct xfrm_kernel_fn {
	void (*state)(const struct sa_cfg *cfg, const struct sa_live *live, void *arg);
	void (*policy)(const struct policy_cfg *cfg, void *arg);
	void *arg;
};

/* All of them, policies in the order in which they were made. 0 or -errno. */
int xfrm_kernel_dump(int fd, const struct xfrm_kernel_fn *fn);

/* Tell the kernel what sa was through: bytes, packets, use and numbers. */
int xfrm_kernel_tell(int fd, const struct sa *sa);

/* A limit of sa was reached: the kernel tells IKE, and a hard one ends it. */
int xfrm_kernel_expire(int fd, const struct sa *sa, bool hard);

#endif
