/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of numbers in packets: tables only. */
#include "lab/dissect_impl.h"
#include "wire/eth.h"
#include "wire/icmp.h"

static const struct {
	u16 type;
	const char *name;
	struct step (*fn)(struct work *w, struct span s); /* NULL: not taken apart */
} ether_types[] = {
	{ETYPE_IP4, "IPv4", dissect_ip4},
	{ETYPE_IP6, "IPv6", dissect_ip6},
	{ETYPE_ARP, "ARP", dissect_arp},
	{ETYPE_VLAN, "VLAN", dissect_vlan},
	{ETYPE_QINQ, "VLAN, service tag", dissect_vlan},
	{ETYPE_TEB, "Ethernet", dissect_ethernet},
	{ETYPE_MPLS, "MPLS", NULL},
	{ETYPE_WCCP, "WCCP", NULL},
	{ETYPE_ERSPAN, "ERSPAN", NULL},
	{ETYPE_ERSPAN2, "ERSPAN III", NULL},
	{0x880b, "PPP", NULL},
	{0x8863, "PPPoE discovery", NULL},
	{0x8864, "PPPoE", NULL},
	{0x88cc, "LLDP", NULL},
};

static const struct {
	u8 proto;
	const char *name;
} ip_protos[] = {
	{PROTO_HOPOPTS, "hop-by-hop options"},
	{PROTO_ICMP, "ICMP"},
	{PROTO_IGMP, "IGMP"},
	{PROTO_IPIP, "IPIP"},
	{PROTO_TCP, "TCP"},
	{PROTO_UDP, "UDP"},
	{PROTO_IPV6, "IPv6"},
	{PROTO_ROUTING, "routing header"},
	{PROTO_FRAGMENT, "fragment header"},
	{PROTO_GRE, "GRE"},
	{PROTO_ESP, "ESP"},
	{PROTO_AH, "AH"},
	{PROTO_ICMPV6, "ICMPv6"},
	{PROTO_NONE, "nothing"},
	{PROTO_DSTOPTS, "destination options"},
	{89, "OSPF"},
	{103, "PIM"},
	{108, "IPComp"},
	{112, "VRRP"},
	{115, "L2TP"},
	{132, "SCTP"},
	{PROTO_MOBILITY, "mobility header"},
	{PROTO_MPLS, "MPLS"},
	{PROTO_HIP, "HIP"},
	{PROTO_SHIM6, "Shim6"},
};

enum { ANY_CODE = 256 };

struct icmp_name {
	u8 type;
	u16 code; /* ANY_CODE: those without a row of their own */
	const char *name;
};

static const struct icmp_name icmp_names[] = {
	{ICMP4_T_ECHOREPLY, ANY_CODE, "echo reply"},
	{ICMP4_T_UNREACH, ICMP4_C_NET, "network unreachable"},
	{ICMP4_T_UNREACH, ICMP4_C_HOST, "host unreachable"},
	{ICMP4_T_UNREACH, ICMP4_C_PROTO, "protocol unreachable"},
	{ICMP4_T_UNREACH, ICMP4_C_PORT, "port unreachable"},
	{ICMP4_T_UNREACH, ICMP4_C_FRAG, "fragmentation needed"},
	{ICMP4_T_UNREACH, ICMP4_C_SRCROUTE, "source route failed"},
	{ICMP4_T_UNREACH, 13, "administratively prohibited"},
	{ICMP4_T_UNREACH, ANY_CODE, "destination unreachable"},
	{ICMP4_T_QUENCH, ANY_CODE, "source quench"},
	{ICMP4_T_REDIRECT, ANY_CODE, "redirect"},
	{ICMP4_T_ECHO, ANY_CODE, "echo request"},
	{9, ANY_CODE, "router advertisement"},
	{10, ANY_CODE, "router solicitation"},
	{ICMP4_T_EXCEEDED, ICMP_C_TTL, "ttl exceeded"},
	{ICMP4_T_EXCEEDED, ICMP_C_REASSEMBLY, "reassembly time exceeded"},
	{ICMP4_T_PARAM, ANY_CODE, "parameter problem"},
	{13, ANY_CODE, "timestamp request"},
	{14, ANY_CODE, "timestamp reply"},
};

static const struct icmp_name icmp6_names[] = {
	{ICMP6_T_UNREACH, ICMP6_C_NOROUTE, "no route"},
	{ICMP6_T_UNREACH, 1, "administratively prohibited"},
	{ICMP6_T_UNREACH, ICMP6_C_ADDR, "address unreachable"},
	{ICMP6_T_UNREACH, ICMP6_C_PORT, "port unreachable"},
	{ICMP6_T_UNREACH, ANY_CODE, "destination unreachable"},
	{ICMP6_T_TOOBIG, ANY_CODE, "packet too big"},
	{ICMP6_T_EXCEEDED, ICMP_C_TTL, "hop limit exceeded"},
	{ICMP6_T_EXCEEDED, ICMP_C_REASSEMBLY, "reassembly time exceeded"},
	{ICMP6_T_PARAM, ANY_CODE, "parameter problem"},
	{ICMP6_T_ECHO, ANY_CODE, "echo request"},
	{ICMP6_T_ECHOREPLY, ANY_CODE, "echo reply"},
	{130, ANY_CODE, "multicast listener query"},
	{131, ANY_CODE, "multicast listener report"},
	{132, ANY_CODE, "multicast listener done"},
	{ICMP6_T_RS, ANY_CODE, "router solicitation"},
	{ICMP6_T_RA, ANY_CODE, "router advertisement"},
	{ICMP6_T_NS, ANY_CODE, "neighbour solicitation"},
	{ICMP6_T_NA, ANY_CODE, "neighbour advertisement"},
	{ICMP6_T_REDIRECT, ANY_CODE, "redirect"},
	{143, ANY_CODE, "multicast listener report v2"},
};

/* ARPHRD_* of devices that are captured with a cooked header. */
static const struct {
	u16 type;
	const char *name;
} arphrds[] = {
	{1, "Ethernet"},   {512, "PPP"},	{768, "IPIP tunnel"}, {769, "IPv6 tunnel"},
	{772, "loopback"}, {776, "SIT tunnel"}, {778, "GRE tunnel"},  {803, "802.11 monitor"},
	{824, "netlink"},  {65534, "none"},
};

struct step step_ether_type(u16 type, struct span s)
{
	for (size_t i = 0; i < countof(ether_types); i++)
		if (ether_types[i].type == type && ether_types[i].fn)
			return (struct step){ether_types[i].fn, s};
	return (struct step){step_data, s};
}

const char *name_ether_type(u16 type)
{
	for (size_t i = 0; i < countof(ether_types); i++)
		if (ether_types[i].type == type)
			return ether_types[i].name;
	return NULL;
}

const char *name_ip_proto(u8 ip_proto)
{
	for (size_t i = 0; i < countof(ip_protos); i++)
		if (ip_protos[i].proto == ip_proto)
			return ip_protos[i].name;
	return NULL;
}

static const char *find_icmp(const struct icmp_name *t, size_t n, u8 type, u8 code)
{
	for (size_t i = 0; i < n; i++)
		if (t[i].type == type && (t[i].code == code || t[i].code == ANY_CODE))
			return t[i].name;
	return NULL;
}

const char *name_icmp(u8 type, u8 code)
{
	return find_icmp(icmp_names, countof(icmp_names), type, code);
}

const char *name_icmp6(u8 type, u8 code)
{
	return find_icmp(icmp6_names, countof(icmp6_names), type, code);
}

const char *name_arphrd(u16 type)
{
	for (size_t i = 0; i < countof(arphrds); i++)
		if (arphrds[i].type == type)
			return arphrds[i].name;
	return NULL;
}
