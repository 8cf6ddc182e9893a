/* SPDX-License-Identifier: BSD-2-Clause */
/* The ICMP errors that a tunnel sends (spec datapath 5.1). */
#ifndef TUNL_ENGINE_ICMP_OUT_H
#define TUNL_ENGINE_ICMP_OUT_H

#include "engine/core.h"

/*
 * Tell the sender of the IPv4 packet at data, which was to go through a tunnel:
 * destination unreachable with code, and the MTU where code is "fragmentation
 * needed". Says nothing where the rules forbid it or the rate is exceeded.
 */
void icmp_to_inner(struct engine_ns *ns, const u8 *data, u32 len, u8 code, u16 mtu);

/*
 * The same for an IPv6 packet: an ICMPv6 error of that type, of destination
 * unreachable the code "address"; mtu with ICMP6_T_TOOBIG.
 */
void icmp6_to_inner(struct engine_ns *ns, const u8 *data, u32 len, u8 type, u32 mtu);

/* Tell the outer source that no tunnel took its packet: port unreachable. */
void icmp_no_tunnel(struct engine_ns *ns, const u8 *data, u32 len);

#endif
