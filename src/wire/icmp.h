/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP (RFC 792, 1191) and ICMPv6 (RFC 4443): one 8-byte header for both. */
#ifndef TUNL_WIRE_ICMP_H
#define TUNL_WIRE_ICMP_H

#include "lib/types.h"

enum { ICMP_HLEN = 8 };

enum {
	ICMP4_T_ECHOREPLY = 0,
	ICMP4_T_UNREACH = 3,
	ICMP4_T_QUENCH = 4,
	ICMP4_T_REDIRECT = 5,
	ICMP4_T_ECHO = 8,
	ICMP4_T_EXCEEDED = 11,
	ICMP4_T_PARAM = 12,
	ICMP4_T_MAX = 18, /* highest that Linux knows */
};

/* Codes of ICMP4_T_UNREACH. */
enum {
	ICMP4_C_NET = 0,
	ICMP4_C_HOST = 1,
	ICMP4_C_PROTO = 2,
	ICMP4_C_PORT = 3,
	ICMP4_C_FRAG = 4, /* fragmentation needed and DF set; carries the MTU */
	ICMP4_C_SRCROUTE = 5,
};

/* Codes of ICMP4_T_EXCEEDED and ICMP6_T_EXCEEDED. */
enum { ICMP_C_TTL = 0, ICMP_C_REASSEMBLY = 1 };

enum {
	ICMP6_T_UNREACH = 1,
	ICMP6_T_TOOBIG = 2,
	ICMP6_T_EXCEEDED = 3,
	ICMP6_T_PARAM = 4,
	ICMP6_T_ECHO = 128,
	ICMP6_T_ECHOREPLY = 129,
	ICMP6_T_RS = 133,
	ICMP6_T_RA = 134,
	ICMP6_T_NS = 135,
	ICMP6_T_NA = 136,
	ICMP6_T_REDIRECT = 137,
};

/* Codes of ICMP6_T_UNREACH. */
enum { ICMP6_C_NOROUTE = 0, ICMP6_C_ADDR = 3, ICMP6_C_PORT = 4 };

struct icmp_hdr {
	u8 type;
	u8 code;
	be16 check;
	union {
		struct {
			be16 id;
			be16 seq;
		} echo;
		struct {
			u8 unused;
			u8 quote_words; /* RFC 4884: 32-bit words (v4) of quote before extensions */
			be16 mtu;
		} frag;	      /* ICMP4_T_UNREACH, ICMP4_C_FRAG */
		be32 mtu6;    /* ICMP6_T_TOOBIG */
		be32 gateway; /* ICMP4_T_REDIRECT */
		be32 rest;
	} u;
} __attribute__((packed));

/* Whether the message carries the start of the packet it is about. */
TUNL_INLINE bool icmp4_has_quote(u8 type)
{
	return type == ICMP4_T_UNREACH || type == ICMP4_T_QUENCH || type == ICMP4_T_REDIRECT ||
	       type == ICMP4_T_EXCEEDED || type == ICMP4_T_PARAM;
}

/*
 * Whether no ICMP error may be sent about a message of this type (spec datapath
 * 5.1): errors, and what Linux treats as such (types 1-7, 9-12, above 18).
 */
TUNL_INLINE bool icmp4_is_error(u8 type)
{
	return (type >= 1 && type <= 7) || (type >= 9 && type <= 12) || type > ICMP4_T_MAX;
}

/* RFC 4443 2.1: error messages are the types below 128; all carry a quote. */
TUNL_INLINE bool icmp6_is_error(u8 type)
{
	return type < 128;
}

#endif
