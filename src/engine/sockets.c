/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/icmp.h"
#include "wire/ip4.h"

enum { BUFFER_BYTES = 8 << 20, GUARD_BYTES = 4096 };

#ifndef TUN_F_USO4
enum { TUN_F_USO4 = 0x20, TUN_F_USO6 = 0x40 }; /* younger than Debian 12's headers */
#endif

/* In the IP header, which a filter finds whatever link-layer header is before it. */
enum { AT_PROTO = 9 };

/* Packets of the tunnel protocols for this host or a group; the rest of the traffic stops here. */
static struct sock_filter only_tunnels[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (__u32)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_HOST, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_MULTICAST, 0, 8),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (__u32)(SKF_NET_OFF + AT_PROTO)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROTO_IPIP, 5, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROTO_IPV6, 4, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROTO_GRE, 3, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROTO_ESP, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROTO_MPLS, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
	BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

static struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};

static int set_filter(int fd, struct sock_filter *code, unsigned short len)
{
	struct sock_fprog prog = {.len = len, .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* The descriptor if bad is 0, else -errno with the descriptor closed. */
static int done(int fd, int bad)
{
	int err = -errno;

	if (!bad)
		return fd;
	close(fd);
	return err;
}

/* Refused outside of the first user namespace: then the default has to do. */
static void set_buffer(int fd, int force, int plain)
{
	if (set_int(fd, SOL_SOCKET, force, BUFFER_BYTES))
		set_int(fd, SOL_SOCKET, plain, BUFFER_BYTES);
}

/* A group of one, of which the kernel reassembles fragments before the filter. */
static int reassemble(int fd)
{
	int flags = PACKET_FANOUT_FLAG_DEFRAG | PACKET_FANOUT_FLAG_UNIQUEID;

	return set_int(fd, SOL_PACKET, PACKET_FANOUT, (int)((u32)(PACKET_FANOUT_LB | flags) << 16));
}

static int open_packet(struct sock_filter *code, unsigned short len)
{
	struct sockaddr_ll any = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	/* filter and form first: it hears nothing before it is bound */
	return done(fd, set_filter(fd, code, len) || set_int(fd, SOL_PACKET, PACKET_VNET_HDR, 1) ||
				set_int(fd, SOL_PACKET, PACKET_AUXDATA, 1) ||
				bind(fd, (struct sockaddr *)&any, sizeof(any)) || reassemble(fd));
}

int engine_open_packet(void)
{
	return open_packet(only_tunnels, countof(only_tunnels));
}

int engine_open_encap(u16 port)
{
	/* the UDP header behind the IP header of any length; an SPI is not 0 */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (__u32)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_HOST, 0, 11),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (__u32)(SKF_NET_OFF + AT_PROTO)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROTO_UDP, 0, 9),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (__u32)SKF_NET_OFF),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf),
		BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 2),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, (__u32)(SKF_NET_OFF + 2)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, (__u32)(SKF_NET_OFF + 8)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return open_packet(code, countof(code));
}

int engine_open_port(u16 port)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	set_int(fd, SOL_SOCKET, SO_RCVBUF, GUARD_BYTES);
	return done(fd, set_filter(fd, nothing, countof(nothing)) ||
				bind(fd, (struct sockaddr *)&any, sizeof(any)));
}

int engine_open_raw_out(u32 mark)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);

	if (fd < 0)
		return -errno;
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	return done(fd, mark && set_int(fd, SOL_SOCKET, SO_MARK, (int)mark));
}

int engine_open_icmp(void)
{
	struct icmp_filter hear = {
		.data = ~(1U << ICMP4_T_UNREACH | 1U << ICMP4_T_REDIRECT | 1U << ICMP4_T_EXCEEDED),
	};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);

	if (fd < 0)
		return -errno;
	return done(fd, setsockopt(fd, SOL_RAW, ICMP_FILTER, &hear, sizeof(hear)) ||
				set_int(fd, IPPROTO_IP, IP_PKTINFO, 1) ||
				set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT));
}

int engine_open_icmp6(void)
{
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);

	if (fd < 0)
		return -errno;
	return done(fd, set_filter(fd, nothing, countof(nothing)));
}

int engine_open_guard(u8 proto)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, proto);

	if (fd < 0)
		return -errno;
	set_int(fd, SOL_SOCKET, SO_RCVBUF, GUARD_BYTES);
	return done(fd, set_filter(fd, nothing, countof(nothing)));
}

int engine_tun_merging(int fd, bool on)
{
	unsigned long tso = TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN, csum = TUN_F_CSUM;

	if (!on)
		return ioctl(fd, TUNSETOFFLOAD, csum) ? -errno : 0;
	if (ioctl(fd, TUNSETOFFLOAD, csum | tso | TUN_F_USO4 | TUN_F_USO6) &&
	    ioctl(fd, TUNSETOFFLOAD, csum | tso)) /* before Linux 6.2 */
		return -errno;
	return 0;
}

int engine_setup_tun(int fd)
{
	int size = sizeof(struct virtio_net_hdr), flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) ||
	    ioctl(fd, TUNSETVNETHDRSZ, &size))
		return -errno;
	return engine_tun_merging(fd, true);
}
