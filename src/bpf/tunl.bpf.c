/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The programs of the bpf datapath. egress.h wraps, ingress.h unwraps, icmp.h
 * looks at errors about what was sent. Only UAPI headers and helpers that Linux
 * 5.10 has; packets are read with the codecs that the engine uses.
 */
#include "bpf/egress.h"
#include "bpf/icmp.h"
#include "bpf/ingress.h"

/*
 * Whether a packet could concern a tunnel, cheaply: most do not. A tagged frame
 * is its VLAN device's, where it will be seen again.
 */
TUNL_INLINE int ingress(struct __sk_buff *skb, u32 off)
{
	const struct ip4 *h;

	if (skb->protocol != be16_of(ETH_P_IP).raw || skb->pkt_type != PACKET_HOST_ ||
	    skb->vlan_present)
		return HAND_OVER;
	h = skb_bytes(skb, off, IP4_HLEN);
	if (!h)
		return HAND_OVER;
	switch (h->proto) {
	case PROTO_IPIP:
		return ingress_tunnel(skb, off, PROTO_IPIP);
	case PROTO_IPV6:
		return ingress_tunnel(skb, off, PROTO_IPV6);
	case PROTO_GRE:
		return ingress_tunnel(skb, off, PROTO_GRE);
	case PROTO_ICMP:
		ingress_icmp(skb, off);
		break;
	}
	return HAND_OVER;
}

/* On clsact egress of a tunnel device. */
SEC("tc")
int tunl_egress(struct __sk_buff *skb)
{
	return TRACED(skb, 0, TRACE_TX, egress(skb, 0, false));
}

/* The same for tunnels that number their packets; Linux before 5.12 does not take it. */
SEC("?tc")
int tunl_egress_seq(struct __sk_buff *skb)
{
	return TRACED(skb, 0, TRACE_TX, egress(skb, 0, true));
}

/* The same where an Ethernet header precedes: TAP. Loaded by who asks for it. */
SEC("?tc")
int tunl_egress_l2(struct __sk_buff *skb)
{
	return TRACED(skb, ETH_HLEN, TRACE_TX, egress(skb, ETH_HLEN, true));
}

/* On clsact ingress of an underlay device with Ethernet headers. */
SEC("tc")
int tunl_ingress(struct __sk_buff *skb)
{
	return TRACED(skb, ETH_HLEN, TRACE_RX, ingress(skb, ETH_HLEN));
}

/* The same where a packet begins with its IP header: TUN, PPP, ... */
SEC("tc")
int tunl_ingress_l3(struct __sk_buff *skb)
{
	return TRACED(skb, 0, TRACE_RX, ingress(skb, 0));
}

char _license[] SEC("license") = "Dual BSD/GPL";
