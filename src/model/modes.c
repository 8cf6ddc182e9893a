/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/modes.h"

#include <net/if_arp.h>
#include <string.h>

#include "wire/ip4.h"

enum {
	MTU_MAX = IP4_MAX_LEN - IP4_HLEN,
	SIT_MTU_MAX = 65555, /* what the driver publishes, larger than IPv4 carries */
	SIT_MTU_MIN = 1280,  /* RFC 8200: every IPv6 link carries this much */
};

/* In the order in which a name's beginning is looked at (spec cli 1.3). */
static const struct mode_info infos[] = {
	{.id = MODE_GRE,
	 .driver = MODE_GRE,
	 .word = "gre",
	 .alias = "gre/ip",
	 .kind = "gre",
	 .fallback = "gre0",
	 .template = "gre%d",
	 .proto = PROTO_GRE,
	 .link_type = ARPHRD_IPGRE,
	 .mtu_min = IP4_MIN_MTU,
	 .mtu_max = MTU_MAX,
	 .has_keys = true,
	 .has_flags = true},
	{.id = MODE_IPIP,
	 .driver = MODE_IPIP,
	 .word = "ipip",
	 .alias = "ip/ip",
	 .kind = "ipip",
	 .fallback = "tunl0",
	 .template = "ipip%d",
	 .proto = PROTO_IPIP,
	 .link_type = ARPHRD_TUNNEL,
	 .mtu_min = IP4_MIN_MTU,
	 .mtu_max = MTU_MAX},
	{.id = MODE_SIT,
	 .driver = MODE_SIT,
	 .word = "sit",
	 .alias = "ipv6/ip",
	 .kind = "sit",
	 .fallback = "sit0",
	 .template = "sit%d",
	 .proto = PROTO_IPV6,
	 .link_type = ARPHRD_SIT,
	 .mtu_min = SIT_MTU_MIN,
	 .mtu_max = SIT_MTU_MAX,
	 .has_6rd = true,
	 .auto6 = AUTO6_V4},
	{.id = MODE_ISATAP,
	 .driver = MODE_SIT,
	 .word = "isatap",
	 .kind = "sit",
	 .fallback = "sit0",
	 .template = "sit%d",
	 .proto = PROTO_IPV6,
	 .link_type = ARPHRD_SIT,
	 .mtu_min = SIT_MTU_MIN,
	 .mtu_max = SIT_MTU_MAX,
	 .keys_if_loaded = true, /* iproute2 takes the kernel's flag for vti's: both are bit 0 */
	 .has_6rd = true,
	 .auto6 = AUTO6_ISATAP},
	{.id = MODE_VTI,
	 .driver = MODE_VTI,
	 .word = "vti",
	 .kind = "vti",
	 .fallback = "ip_vti0",
	 .template = "vti%d",
	 .proto = PROTO_IPIP,
	 .link_type = ARPHRD_TUNNEL,
	 .mtu_min = IP4_MIN_MTU,
	 .mtu_max = MTU_MAX,
	 .has_keys = true},
};

/* Words of outer IPv6 (spec cli 1.2). */
static const char *const ipv6_words[] = {
	"ipv6/ipv6", "ip6ip6", "vti6",	   "ip/ipv6",  "ipv4/ipv6", "ipip6",
	"ip4ip6",    "ip6gre", "gre/ipv6", "any/ipv6", "any",
};

const struct mode_info *mode_info(enum mode_id id)
{
	for (u32 i = 0; i < countof(infos); i++)
		if (infos[i].id == id)
			return &infos[i];
	return NULL;
}

const struct mode_info *mode_by_word(const char *word)
{
	for (u32 i = 0; i < countof(infos); i++)
		if (!strcmp(infos[i].word, word) ||
		    (infos[i].alias && !strcmp(infos[i].alias, word)))
			return &infos[i];
	return NULL;
}

const struct mode_info *mode_by_name(const char *name)
{
	for (u32 i = 0; i < countof(infos); i++)
		if (!strncmp(name, infos[i].word, strlen(infos[i].word)))
			return &infos[i];
	return NULL;
}

bool mode_is_fallback_name(const char *name)
{
	for (u32 i = 0; i < countof(infos); i++)
		if (!strcmp(infos[i].fallback, name))
			return true;
	return false;
}

bool mode_is_ipv6(int argc, char *const *argv)
{
	for (int i = 0; i + 1 < argc; i++) {
		if (strcmp(argv[i], "mode"))
			continue;
		for (u32 k = 0; k < countof(ipv6_words); k++)
			if (!strcmp(ipv6_words[k], argv[i + 1]))
				return true;
		return false;
	}
	return false;
}
