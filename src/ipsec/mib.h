/* SPDX-License-Identifier: BSD-2-Clause */
/* The Xfrm counters of a network namespace (spec datapath 9.4). */
#ifndef TUNL_IPSEC_MIB_H
#define TUNL_IPSEC_MIB_H

#include "lib/types.h"

enum mib {
#define MIB(id, name) MIB_##id,
#include "ipsec/mib.def"
#undef MIB
	MIB__MAX,
};

struct xfrm_mib {
	u64 count[MIB__MAX];
};

/* "XfrmInNoStates" */
const char *mib_name(enum mib m);

#endif
