/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptors that the engine works with. The parent makes them, standing
 * in the network namespace concerned, and passes them in (engine/proto.h). Each
 * returns a close-on-exec, nonblocking descriptor or -errno.
 *
 *	ENGINE_NS_ADD		engine_open_packet(), engine_open_raw_out(0),
 *				engine_open_icmp(), rtnl_open(), and where there is
 *				IPv6 engine_open_icmp6()
 *	ENGINE_PROTO_ADD	engine_open_guard(proto)
 *	ENGINE_ENCAP_ADD	engine_open_encap(port)
 *	ENGINE_MARK_ADD		engine_open_raw_out(mark)
 *	ENGINE_TUNNEL_SET	a TUN queue opened with ENGINE_TUN_FLAGS and prepared
 *				by engine_setup_tun()
 */
#ifndef TUNL_ENGINE_SOCKETS_H
#define TUNL_ENGINE_SOCKETS_H

#include <linux/if_tun.h>

#include "lib/types.h"

/*
 * No IFF_NO_PI: the four bytes before each packet tell its kind (IPv4, IPv6,
 * MPLS) both ways; the first nibble of what a stranger sent does not decide it.
 */
enum { ENGINE_TUN_FLAGS = IFF_TUN | IFF_VNET_HDR };

/*
 * Every IPv4 packet of the tunnel protocols that is for this host, whole (the
 * kernel reassembles), behind the programs on tc ingress.
 */
int engine_open_packet(void);

/*
 * ESP in UDP to that port (RFC 3948), without what belongs to IKE there. Each
 * packet once, as of engine_open_packet().
 */
int engine_open_encap(u16 port);

/*
 * Hold the UDP port, so that the kernel does not answer it "port unreachable" and
 * learns path MTUs of what leaves by it. -EADDRINUSE: somebody (IKE) does already.
 */
int engine_open_port(u16 port);

/* Sends IPv4 packets with their headers as given; mark 0: none. */
int engine_open_raw_out(u32 mark);

/* Receives ICMP errors and sends ICMP. */
int engine_open_icmp(void);

/* Sends ICMPv6. -EAFNOSUPPORT: this kernel has no IPv6. */
int engine_open_icmp6(void);

/*
 * A raw socket that receives nothing. By its being there the kernel learns path
 * MTUs about this protocol and does not answer it "protocol unreachable".
 */
int engine_open_guard(u8 proto);

/* Prepare a TUN queue: header size, offloads, nonblocking. 0 or -errno. */
int engine_setup_tun(int fd);

/* Whether the stack may hand over merged packets by the device. 0 or -errno. */
int engine_tun_merging(int fd, bool on);

#endif
