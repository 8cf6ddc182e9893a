/* SPDX-License-Identifier: BSD-2-Clause */
/* Ethernet II and 802.1Q (IEEE 802.3), and the ethertypes tunl deals with. */
#ifndef TUNL_WIRE_ETH_H
#define TUNL_WIRE_ETH_H

#include "lib/types.h"

enum { ETH_LEN = 14, ETH_VLAN_LEN = 4, ETH_ADDR_LEN = 6 };

enum {
	ETYPE_MIN = 0x0600, /* below: an 802.3 length, not a type */
	ETYPE_IP4 = 0x0800,
	ETYPE_ARP = 0x0806,
	ETYPE_TEB = 0x6558, /* a whole Ethernet frame (gretap) */
	ETYPE_VLAN = 0x8100,
	ETYPE_IP6 = 0x86dd,
	ETYPE_MPLS = 0x8847,
	ETYPE_QINQ = 0x88a8,
	ETYPE_WCCP = 0x883e,
	ETYPE_ERSPAN = 0x88be,
	ETYPE_ERSPAN2 = 0x22eb,
};

struct eth {
	u8 dst[ETH_ADDR_LEN];
	u8 src[ETH_ADDR_LEN];
	be16 type;
} __attribute__((packed));

/* What follows the type ETYPE_VLAN or ETYPE_QINQ. */
struct eth_vlan {
	be16 tci; /* priority (3 bits), drop eligible (1), VLAN (12) */
	be16 type;
} __attribute__((packed));

#endif
