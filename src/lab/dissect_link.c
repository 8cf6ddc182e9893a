/* SPDX-License-Identifier: BSD-2-Clause */
/* Link layers: Ethernet, VLAN tags, Linux cooked captures (v1, v2), and ARP. */
#include <stdio.h>

#include "lab/dissect_impl.h"
#include "wire/eth.h"

/* The two headers that libpcap puts before packets of the device "any". */
struct sll {
	be16 direction;
	be16 arphrd;
	be16 addr_len;
	u8 addr[8];
	be16 type;
} __attribute__((packed));

struct sll2 {
	be16 type;
	be16 reserved;
	be32 ifindex;
	be16 arphrd;
	u8 direction;
	u8 addr_len;
	u8 addr[8];
} __attribute__((packed));

struct arp {
	be16 hw_type;
	be16 type;
	u8 hw_len;
	u8 addr_len;
	be16 op;
} __attribute__((packed));

static void field_type(struct work *w, const be16 *type)
{
	u16 t = be16_host(*type);
	const char *name = name_ether_type(t);

	field_add(w, "type", at(type, 2), name ? "0x%04x (%s)" : "0x%04x", t, name);
}

static struct step skip_netlink_or(u16 arphrd, u16 type, struct span s)
{
	/* of a netlink device the "ethertype" is a netlink family */
	if (arphrd == 824)
		return (struct step){step_data, s};
	return step_ether_type(type, s);
}

struct step dissect_ethernet(struct work *w, struct span s)
{
	const struct eth *h;

	layer_open(w, LAYER_LINK, "Ethernet", &s);
	h = layer_header(w, &s, sizeof(*h));
	if (!h)
		return dissect_end;
	field_mac(w, "source", h->src, ETH_ADDR_LEN);
	field_mac(w, "destination", h->dst, ETH_ADDR_LEN);
	if (be16_host(h->type) < ETYPE_MIN) {
		field_add(w, "length", at(&h->type, 2), "%u", be16_host(h->type));
		layer_claim(w, &s, be16_host(h->type), "its length field");
		return (struct step){step_data, s};
	}
	field_type(w, &h->type);
	return step_ether_type(be16_host(h->type), s);
}

struct step dissect_vlan(struct work *w, struct span s)
{
	const struct eth_vlan *h;
	u16 tci;

	layer_open(w, LAYER_LINK, "VLAN", &s);
	h = layer_header(w, &s, sizeof(*h));
	if (!h)
		return dissect_end;
	tci = be16_host(h->tci);
	field_add(w, "id", at(&h->tci, 2), "%u", tci & 0xfff);
	field_add(w, "priority", at(&h->tci, 2), "%u", tci >> 13);
	if (tci & 0x1000)
		field_add(w, "drop eligible", at(&h->tci, 2), "1");
	field_type(w, &h->type);
	return step_ether_type(be16_host(h->type), s);
}

static void cooked_fields(struct work *w, u8 direction, const be16 *arphrd)
{
	static const char *const names[] = {"to us", "broadcast", "multicast", "to another host",
					    "from us"};
	const char *dev = name_arphrd(be16_host(*arphrd));

	if (direction < countof(names))
		field_add(w, "direction", computed, "%s", names[direction]);
	else
		field_add(w, "direction", computed, "%u", direction);
	field_add(w, "device type", at(arphrd, 2), dev ? "%u (%s)" : "%u", be16_host(*arphrd), dev);
}

static void cooked_addr(struct work *w, const u8 *addr, u32 len)
{
	/* a longer address is cut to 8 bytes by whoever captured it */
	if (len)
		field_mac(w, "source", addr, min_of(len, 8u));
}

struct step dissect_sll(struct work *w, struct span s)
{
	const struct sll *h;

	layer_open(w, LAYER_LINK, "Linux cooked v1", &s);
	h = layer_header(w, &s, sizeof(*h));
	if (!h)
		return dissect_end;
	cooked_fields(w, (u8)min_of(be16_host(h->direction), 255), &h->arphrd);
	cooked_addr(w, h->addr, be16_host(h->addr_len));
	field_type(w, &h->type);
	return skip_netlink_or(be16_host(h->arphrd), be16_host(h->type), s);
}

struct step dissect_sll2(struct work *w, struct span s)
{
	const struct sll2 *h;

	layer_open(w, LAYER_LINK, "Linux cooked v2", &s);
	h = layer_header(w, &s, sizeof(*h));
	if (!h)
		return dissect_end;
	cooked_fields(w, h->direction, &h->arphrd);
	field_add(w, "ifindex", at(&h->ifindex, 4), "%u", be32_host(h->ifindex));
	cooked_addr(w, h->addr, h->addr_len);
	field_type(w, &h->type);
	return skip_netlink_or(be16_host(h->arphrd), be16_host(h->type), s);
}

static void arp_addresses(struct work *w, struct span *s)
{
	const u8 *sha = layer_header(w, s, 6);
	const be32 *spa = sha ? layer_header(w, s, 4) : NULL;
	const u8 *tha = spa ? layer_header(w, s, 6) : NULL;
	const be32 *tpa = tha ? layer_header(w, s, 4) : NULL;

	if (!tpa)
		return;
	field_mac(w, "sender hardware address", sha, 6);
	field_ip4(w, "sender", spa);
	field_mac(w, "target hardware address", tha, 6);
	field_ip4(w, "target", tpa);
}

struct step dissect_arp(struct work *w, struct span s)
{
	const struct arp *h;
	u16 op;

	layer_open(w, LAYER_UPPER, "ARP", &s);
	h = layer_header(w, &s, sizeof(*h));
	if (!h)
		return dissect_end;
	op = be16_host(h->op);
	field_add(w, "operation", at(&h->op, 2), "%u%s", op,
		  op == 1   ? " (request)"
		  : op == 2 ? " (reply)"
			    : "");
	if (h->hw_len == 6 && h->addr_len == 4)
		arp_addresses(w, &s);
	else if (layer_header(w, &s, 2u * (h->hw_len + h->addr_len)))
		layer_note(w, "addresses of %u and %u bytes", h->hw_len, h->addr_len);
	if (w->l->stub)
		return dissect_end;
	w->l->trailer = s.size;
	w->l->size = w->l->hlen;
	layer_note_trailer(w);
	return dissect_end;
}
