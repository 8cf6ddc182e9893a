/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our filters on devices: at clsact, with a priority and handles of our own, so
 * that a later daemon finds and replaces them and nobody else's is touched. All
 * in the network namespace of the calling thread.
 */
#ifndef TUNL_BPF_TC_H
#define TUNL_BPF_TC_H

#include "lib/err.h"
#include "lib/types.h"

enum tc_side { TC_INGRESS, TC_EGRESS };

/*
 * Attach prog_fd, or put it in the place of ours that is there. 0, or -errno:
 * -ENODEV no such device, -ENOENT the kernel has no clsact or cls_bpf.
 */
int tc_attach(u32 ifindex, enum tc_side side, int prog_fd);

/* The id of our program there; 0: none. */
u32 tc_query(u32 ifindex, enum tc_side side);

/* Take ours off both sides, and clsact if we made it and it is empty. */
void tc_detach(u32 ifindex);

/* Fill e with why no program can be put on a device. -code. */
int tc_explain(struct err *e, u32 ifindex, int code);

#endif
