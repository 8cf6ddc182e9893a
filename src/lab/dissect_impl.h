/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of the dissector. A dissector of one layer is a function
 * that takes the span its container left to it, writes one layer, and returns
 * the next step: a function and a span, or dissect_end. The loop in dissect.c
 * walks the steps, so depth costs no stack.
 */
#ifndef TUNL_LAB_DISSECT_IMPL_H
#define TUNL_LAB_DISSECT_IMPL_H

#include "lab/dissect.h"
#include "wire/cur.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

/* The bytes of one layer and all within it. */
struct span {
	struct cur c; /* those that are here; never more than size */
	u32 size;     /* those that there should be, by the lengths of the containers */
	bool whole;   /* the packet is not cut short by quoting, fragmenting, or a lie */
};

/* Why a packet may rightly be shorter than it says. */
enum part { PART_WHOLE, PART_QUOTE, PART_FRAGMENT };

struct work {
	struct dissection *d;
	const struct frame *f;
	const struct dissect_ports *ports;
	struct layer *l; /* the one being written */
	enum part part;
	/* The IP header around the current layer: one of them, or none. */
	const struct ip4 *ip4;
	const struct ip6 *ip6;
	bool rerouted; /* a routing header: the last destination is not the header's */
};

struct step {
	struct step (*fn)(struct work *w, struct span s); /* NULL: the end */
	struct span s;
};

extern const struct step dissect_end;

/* Open a layer at the start of s. The loop has seen to it that there is room. */
struct layer *layer_open(struct work *w, enum layer_kind kind, const char *name,
			 const struct span *s);

/*
 * Take n bytes of header off *s. NULL, with the layer saying why, if they are
 * not there.
 */
const void *layer_header(struct work *w, struct span *s, u32 n);

/*
 * The layer's own length field says that n bytes follow its header: hold *s to
 * that. What lies behind becomes the layer's trailer; what is missing an error,
 * or a note in a quote or fragment. what names the field, for the error.
 */
void layer_claim(struct work *w, struct span *s, u32 n, const char *what);

__attribute__((format(printf, 2, 3))) void layer_note(struct work *w, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void layer_error(struct work *w, const char *fmt, ...);

/* Say what the layer left behind it. */
void layer_note_trailer(struct work *w);

/* Where a field lies in the frame. */
struct place {
	const u8 *p;
	u32 size;
};

/* Nowhere: the value is computed. */
extern const struct place computed;

static inline struct place at(const void *p, u32 size)
{
	return (struct place){p, size};
}

/* Add a field to the layer. */
__attribute__((format(printf, 4, 5))) void field_add(struct work *w, const char *name,
						     struct place place, const char *fmt, ...);
void field_ip4(struct work *w, const char *name, const be32 *a);
void field_ip6(struct work *w, const char *name, const struct ip6_addr *a);
void field_mac(struct work *w, const char *name, const u8 *a, u32 len);

/*
 * Give the layer the verdict about a checksum that covers all of s (which starts
 * at the layer's first byte) and starts from the running sum `pseudo`. check
 * points into s.
 */
void layer_checksum(struct work *w, const struct span *s, u32 pseudo, const be16 *check);

/* Running sum of the pseudo header that the IP header around gives to a payload of len bytes. */
u32 pseudo_sum(const struct work *w, u8 ip_proto, u32 len);

/* s as bytes that belong to no known protocol. Ends. */
struct step step_data(struct work *w, struct span s);

/* What follows, by ethertype or IP protocol. */
struct step step_ether_type(u16 type, struct span s);
struct step step_ip_proto(struct work *w, u8 ip_proto, struct span s);

/* The layers. */
struct step dissect_ethernet(struct work *w, struct span s);
struct step dissect_sll(struct work *w, struct span s);
struct step dissect_sll2(struct work *w, struct span s);
struct step dissect_vlan(struct work *w, struct span s);
struct step dissect_arp(struct work *w, struct span s);
struct step dissect_ip(struct work *w, struct span s); /* by its first nibble */
struct step dissect_ip4(struct work *w, struct span s);
struct step dissect_ip6(struct work *w, struct span s);
struct step dissect_icmp(struct work *w, struct span s);
struct step dissect_icmp6(struct work *w, struct span s);
struct step dissect_tcp(struct work *w, struct span s);
struct step dissect_udp(struct work *w, struct span s);
struct step dissect_gre(struct work *w, struct span s);
struct step dissect_esp(struct work *w, struct span s);
struct step dissect_gue(struct work *w, struct span s);

/* The wrapper that a UDP destination port stands for; fn NULL: none. */
struct step step_udp_port(struct work *w, u16 port, struct span s);

/* Names; NULL for what has none. */
const char *name_ether_type(u16 type);
const char *name_ip_proto(u8 ip_proto);
const char *name_icmp(u8 type, u8 code);
const char *name_icmp6(u8 type, u8 code);
const char *name_arphrd(u16 type);

#endif
