/* SPDX-License-Identifier: BSD-2-Clause */
/* ipip: IPv4 in IPv4 (RFC 2003), and MPLS (RFC 4023). The outer header is all there is. */
#include "mode/mode.h"

#include "wire/eth.h"

enum { MPLS_LABEL = 4 };

/* `mode any` takes what any of the driver's protocols brings (spec 1, 3.4.1). */
static bool ipip_takes(const struct tunnel_cfg *cfg, u8 proto)
{
	return cfg->proto == PROTO_ANY ? proto == PROTO_IPIP || proto == PROTO_MPLS
				       : proto == cfg->proto;
}

static bool ipip_fast(const struct tunnel_cfg *cfg, struct mode_fast *how)
{
	how->proto4 = ipip_takes(cfg, PROTO_IPIP) ? PROTO_IPIP : 0;
	how->rules = FAST_SHORT | (ipip_takes(cfg, PROTO_MPLS) ? FAST_MPLS : 0);
	return true;
}

const struct mode mode_ipip = {
	.id = MODE_IPIP,
	.proto = {{PROTO_IPIP, IP4_HLEN, ETYPE_IP4}, {PROTO_MPLS, MPLS_LABEL, ETYPE_MPLS}},
	.takes = ipip_takes,
	.fast = ipip_fast,
};
