/* SPDX-License-Identifier: BSD-2-Clause */
/* ipip: IPv4 in IPv4 (RFC 2003). The outer header is all there is. */
#include "mode/mode.h"

#include "wire/ip4.h"

/* `mode any` takes what any of the driver's protocols brings (spec 1, 3.4.1). */
static bool ipip_takes(const struct tunnel_cfg *cfg, u8 proto)
{
	return cfg->proto == PROTO_ANY ? proto == PROTO_IPIP || proto == PROTO_MPLS
				       : proto == cfg->proto;
}

const struct mode mode_ipip = {
	.id = MODE_IPIP,
	.takes = ipip_takes,
};
