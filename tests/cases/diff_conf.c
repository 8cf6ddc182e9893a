/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "diff.h"

#define ENDS "remote 192.0.2.2 local 192.0.2.1"
#define BIG  "\nlink t mtu 1600"
/* who is told of errors, but no address of this host's */
#define FAR "\nroute 10.9.9.0/24 via 192.0.2.9 dev eth0"

enum { ALL = DIFF_V4 | DIFF_V6 | DIFF_OTHER };

static const struct diff_conf confs[] = {
	{"ipip", "plain", "tunnel t mode ipip " ENDS BIG FAR, ALL | DIFF_PATH},
	{"ipip", "ttl-tos", "tunnel t mode ipip " ENDS " ttl 64 tos inherit" BIG FAR,
	 ALL | DIFF_PATH},
	{"ipip", "nopmtudisc", "tunnel t mode ipip " ENDS " nopmtudisc tos 0xb8" BIG FAR,
	 ALL | DIFF_PATH | DIFF_LARGE},
	{"ipip", "learned", "learn 192.0.2.2 mtu 1400\ntunnel t mode ipip remote 192.0.2.2" BIG FAR,
	 ALL},
	{"ipip", "any", "tunnel t mode ipip proto any nopmtudisc " ENDS BIG, ALL | DIFF_LARGE},
	{"ipip", "nbma",
	 "tunnel t mode ipip local 192.0.2.1" BIG "\nroute 10.1.0.0/16 via 192.0.2.9 dev t"
	 "\nroute 10.2.0.0/16 via 198.51.100.9 dev t",
	 DIFF_V4 | DIFF_ROUTED},
	{"ipip", "several",
	 "tunnel t mode ipip " ENDS "\ntunnel u mode ipip remote 192.0.2.3\ntunnel w mode ipip "
	 "local 192.0.2.1 dev eth1" BIG,
	 ALL | DIFF_PATH},
	{"ipip", "locked",
	 "route 192.0.2.2/32 dev eth0 mtu 1300 lock\ntunnel t mode ipip " ENDS
	 " tos inherit/0x10" BIG,
	 ALL | DIFF_LARGE},
	{"gre", "plain", "tunnel t mode gre " ENDS BIG FAR, ALL | DIFF_PATH},
	{"gre", "key", "tunnel t mode gre " ENDS " key 5 ttl 64" BIG FAR, ALL | DIFF_PATH},
	{"gre", "two-keys", "tunnel t mode gre " ENDS " ikey 1 okey 2 tos inherit" BIG, ALL},
	{"gre", "csum", "tunnel t mode gre " ENDS " csum" BIG, ALL | DIFF_PATH},
	{"gre", "seq", "tunnel t mode gre " ENDS " seq" BIG, ALL},
	{"gre", "all", "tunnel t mode gre " ENDS " key 7 csum seq nopmtudisc" BIG,
	 ALL | DIFF_LARGE},
	{"gre", "nopmtudisc", "tunnel t mode gre " ENDS " nopmtudisc tos 0xb8" BIG FAR,
	 ALL | DIFF_LARGE},
	{"gre", "ignore-df",
	 "learn 192.0.2.2 mtu 1400\ntunnel t mode gre " ENDS " nopmtudisc ignore-df" BIG,
	 ALL | DIFF_LARGE},
	{"gre", "learned", "learn 192.0.2.2 mtu 1400\ntunnel t mode gre remote 192.0.2.2" BIG FAR,
	 ALL},
	{"gre", "several",
	 "tunnel t mode gre " ENDS
	 " key 5\ntunnel u mode gre remote 192.0.2.2 key 6\ntunnel w mode "
	 "gre local 192.0.2.1 dev eth0" BIG,
	 ALL},
	{"gre", "group",
	 "route 239.1.1.1/32 dev eth0 type multicast\ntunnel t mode gre remote 239.1.1.1 local "
	 "192.0.2.1 key 0xef010101" BIG,
	 DIFF_V4 | DIFF_ROUTED},
	{"sit", "plain", "tunnel t mode sit " ENDS BIG FAR, ALL | DIFF_PATH},
	{"sit", "ttl", "tunnel t mode sit " ENDS " ttl 64 tos inherit" BIG FAR, ALL | DIFF_PATH},
	{"sit", "nopmtudisc", "tunnel t mode sit " ENDS " nopmtudisc tos 0xb8" BIG,
	 ALL | DIFF_LARGE},
	{"sit", "learned", "learn 192.0.2.2 mtu 1400\ntunnel t mode sit remote 192.0.2.2" BIG, ALL},
	{"sit", "narrow", "learn 192.0.2.2 mtu 1200\ntunnel t mode sit " ENDS BIG, DIFF_V6},
	{"sit", "any", "tunnel t mode sit proto any " ENDS " dev eth0" BIG, ALL | DIFF_PATH},
	{"sit", "several",
	 "tunnel t mode sit " ENDS
	 "\ntunnel u mode sit remote 192.0.2.3 dev eth0\ntunnel w mode sit "
	 "local 192.0.2.1" BIG,
	 ALL},
	{"6to4", "plain",
	 "tunnel t mode sit local 192.0.2.1" BIG "\nroute6 2001:db8:1::/48 via ::192.0.2.9 dev t"
	 "\naddr6 2002:c000:201::1/16 dev t",
	 DIFF_V6},
	{"6to4", "ttl",
	 "tunnel t mode sit local 192.0.2.1 ttl 64 tos inherit" BIG
	 "\nroute6 2001:db8:1::/48 via ::192.0.2.9 dev t",
	 DIFF_V6},
	{"6to4", "nopmtudisc", "tunnel t mode sit local 192.0.2.1 nopmtudisc" BIG, DIFF_V6},
	{"6rd", "isp",
	 "route 198.18.0.0/15 via 192.0.2.254 dev eth0\ntunnel t mode sit local 192.0.2.1 "
	 "6rd-prefix "
	 "2001:db8::/32 6rd-relay_prefix 198.18.0.0/15" BIG
	 "\nroute6 2002::/16 via ::192.0.2.254 dev t",
	 DIFF_V6},
	{"6rd", "odd",
	 "route 0.0.0.0/0 via 192.0.2.254 dev eth0\ntunnel t mode sit local 192.0.2.1 6rd-prefix "
	 "2a01:79c::/30 6rd-relay_prefix 0.0.0.0/0" BIG "\naddr6 2a01:79c::1/30 dev t",
	 DIFF_V6},
	{"6rd", "site",
	 "tunnel t mode sit local 192.0.2.1 6rd-prefix 2001:db8::/32 6rd-relay_prefix "
	 "192.0.2.2/32" BIG,
	 DIFF_V6},
	{"isatap", "plain",
	 "tunnel t mode isatap local 192.0.2.1" BIG "\naddr6 fe80::5efe:c000:201/64 dev t"
	 "\naddr6 2001:db8:7::5efe:c000:201/64 dev t"
	 "\nroute6 2001:db8:8::/48 via fe80::5efe:c000:209 dev t",
	 DIFF_V6},
	{"isatap", "router",
	 "tunnel t mode isatap local 192.0.2.1 ttl 64 tos inherit" BIG
	 "\naddr6 fe80::5efe:c000:201/64 dev t\nrouter t default 192.0.2.2"
	 "\nrouter t nodefault 192.0.2.3",
	 DIFF_V6},
};

const struct diff_conf *diff_conf(const char *mode, unsigned i)
{
	for (size_t k = 0; k < countof(confs); k++)
		if (!strcmp(confs[k].mode, mode) && !i--)
			return &confs[k];
	return NULL;
}

u32 diff_below(struct diff_rng *r, u32 n)
{
	r->s ^= r->s << 13;
	r->s ^= r->s >> 7;
	r->s ^= r->s << 17;
	return n ? (u32)((r->s * 0x2545f4914f6cdd1dULL) >> 33) % n : 0;
}

bool diff_chance(struct diff_rng *r, u32 percent)
{
	return diff_below(r, 100) < percent;
}
