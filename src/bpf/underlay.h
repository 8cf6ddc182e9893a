/* SPDX-License-Identifier: BSD-2-Clause */
/* Which program reads what comes in from a device, by the device's type. */
#ifndef TUNL_BPF_UNDERLAY_H
#define TUNL_BPF_UNDERLAY_H

#include "bpf/object.h"

/* The ARPHRD_* of a device of the namespace that we stand in, or -errno. */
int underlay_type(u32 ifindex);

/* The program for devices of that type; BPF_PROG__MAX: none can. */
enum bpf_prog_id underlay_prog(int type);

#endif
