/* SPDX-License-Identifier: BSD-2-Clause */
/* Named network namespaces, as `ip netns` has them. */
#ifndef TUNL_LAB_LAB_NS_H
#define TUNL_LAB_LAB_NS_H

#include <stdbool.h>

#include "lib/err.h"

/* Whether /run/netns/NAME is there. */
bool lab_ns_exists(const char *name);

/*
 * Put the calling thread into a namespace; *back leads home and is for
 * lab_ns_leave(), which closes it. -errno with e filled: nothing has changed.
 */
int lab_ns_enter(const char *name, int *back, struct err *e);
void lab_ns_leave(int back);

#endif
