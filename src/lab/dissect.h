/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrapped in what: one captured frame becomes a bounded array of layers.
 *
 * A struct dissection is plain memory that the caller owns (some 40 KB: heap or
 * static); dissect_frame() fills it and keeps no pointer into it. Layers and
 * fields say where in the frame they are, so that a reader can look. Every length
 * field is held against what is there; where one lies, the layer has an error
 * and what can still be read follows it.
 */
#ifndef TUNL_LAB_DISSECT_H
#define TUNL_LAB_DISSECT_H

#include <stddef.h>

#include "lib/types.h"

enum {
	DISSECT_LAYERS = 16, /* deeper ones are not taken apart; the last layer says so */
	DISSECT_FIELDS = 256,
	DISSECT_NOTES = 4,
	DISSECT_PORTS = 8,
};

/* LINKTYPE_* of the pcap formats that are known. */
enum linktype {
	LINKTYPE_ETHERNET = 1,
	LINKTYPE_RAW_BSD = 12,
	LINKTYPE_RAW_OBSD = 14,
	LINKTYPE_RAW = 101, /* first nibble says IPv4 or IPv6: a TUN device */
	LINKTYPE_SLL = 113,
	LINKTYPE_IPV4 = 228,
	LINKTYPE_IPV6 = 229,
	LINKTYPE_SLL2 = 276,
};

/* One frame as captured. data is borrowed. */
struct frame {
	const u8 *data;
	u32 caplen; /* bytes at data */
	u32 len;    /* bytes it had; more than caplen if the capture cut it */
	u32 linktype;
	u64 number; /* from 1; 0: not from a file */
	u64 ns;	    /* since 1970; with has_time */
	bool has_time;
};

/* UDP destination ports that carry tunnels. */
struct dissect_ports {
	u16 gue[DISSECT_PORTS], n_gue;
	struct {
		u16 port;
		u8 ip_proto; /* 0: by the first nibble, IPv4 or IPv6 */
	} fou[DISSECT_PORTS];
	u16 n_fou;
};

/* GUE at 6080, no FOU. */
extern const struct dissect_ports dissect_ports_default;

enum layer_kind {
	LAYER_LINK,  /* Ethernet, VLAN tag, Linux cooked */
	LAYER_IP,    /* IPv4, IPv6 */
	LAYER_EXT,   /* IPv6 extension header */
	LAYER_WRAP,  /* GRE, GUE, UDP that carries a tunnel */
	LAYER_UPPER, /* ICMP, TCP, UDP, ARP, ESP: has payload, but no layer that tunl knows */
	LAYER_DATA,  /* bytes */
};

enum csum_verdict {
	CSUM_ABSENT, /* the layer has none, or its flag is clear */
	CSUM_GOOD,
	CSUM_BAD,
	CSUM_ZERO,	/* UDP: 0 says that none was computed */
	CSUM_PARTIAL,	/* only the pseudo header is in it: left to the network card */
	CSUM_UNCHECKED, /* not all bytes it covers are here */
};

struct field {
	const char *name; /* static text */
	char value[64];
	u32 offset; /* from the frame's start */
	u32 size;   /* bytes; 0: not in the frame, computed */
};

struct layer {
	enum layer_kind kind;
	const char *name; /* static text: "IPv4" */
	u32 offset;	  /* from the frame's start */
	u32 hlen;	  /* bytes of header */
	u32 size;	  /* bytes of header and all it carries, as the lengths say */
	u32 trailer;	  /* bytes behind what it carries that belong to nothing */
	bool stub;	  /* its header is not all here: hlen counts what is */
	bool quoted;	  /* within an ICMP error: a packet that was sent earlier */
	u16 first_field, n_fields;
	enum csum_verdict csum;
	u16 csum_found, csum_want; /* host order; csum_want with CSUM_BAD and CSUM_PARTIAL */
	u16 n_notes;
	char notes[DISSECT_NOTES][112];
	char error[160]; /* empty: none */
};

struct dissection {
	u16 n_layers, n_fields;
	bool cut; /* the capture did not keep enough of the frame to read all */
	struct layer layers[DISSECT_LAYERS];
	struct field fields[DISSECT_FIELDS];
};

/*
 * Take f apart. ports may be NULL: the default. Returns 0, or -EBADMSG if a
 * layer has an error (dissect_broken() finds it); *d is filled in either case.
 */
int dissect_frame(struct dissection *d, const struct frame *f, const struct dissect_ports *ports);

/* The first layer with an error; NULL if all is well. */
const struct layer *dissect_broken(const struct dissection *d);

/* The field of a layer by its name; NULL if it has none such. */
const struct field *dissect_field(const struct dissection *d, const struct layer *l,
				  const char *name);

/* Why the packet is as long as it is: the parts from the innermost outwards. */
struct size_part {
	u32 bytes;
	const char *prefix; /* "inner ", "outer ", "" */
	const char *name;   /* "ICMP", "IP", "GRE" */
};

struct size_sum {
	u16 n;
	struct size_part parts[2 * DISSECT_LAYERS];
	u32 total;	/* of the parts; equals the outermost IP packet's length */
	u32 upper_hlen; /* of the first part, what is header */
	u32 link_hlen;	/* bytes before the outermost IP header */
	u32 frame;	/* bytes of the whole frame */
};

/*
 * The sum of the outermost IP packet of d. False if there is none, or if an
 * error makes it meaningless. The first part is the innermost upper layer
 * counted whole: header and data.
 */
bool size_sum(struct size_sum *s, const struct dissection *d);

/* "64 (ICMP) + 20 (inner IP) + 20 (outer IP) = 104" into buf. Returns buf. */
char *size_sum_text(const struct size_sum *s, char *buf, size_t len);

#endif
