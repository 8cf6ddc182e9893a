/* SPDX-License-Identifier: BSD-2-Clause */
/* A packet's recipe as the words say it: layers with their fields (README.md). */
#ifndef TUNL_TESTS_CASES_RECIPE_H
#define TUNL_TESTS_CASES_RECIPE_H

#include "packet.h"

enum kind { IP4, IP6, UDP, TCP, ICMP, GRE, FILL, HEX };

/* Fields by the words they have; a layer has a value for each. */
enum field {
	F_LEN,
	F_TOS,
	F_TTL,
	F_ID,
	F_DF,
	F_MF,
	F_RF,
	F_OFF,
	F_PROTO,
	F_CHECK,
	F_LIE,
	F_IHL,
	F_VER,
	F_CLASS,
	F_HOPS,
	F_NEXT,
	F_SPORT,
	F_DPORT,
	F_SEQ,
	F_ACK,
	F_PARTIAL,
	F_TYPE,
	F_CODE,
	F_MTU,
	F_FROM,
	F_CSUM,
	F_KEY,
	F_BITS,
	F__MAX,
};

enum { OPT_ROOM = 256 };

struct layer {
	enum kind kind;
	u32 v[F__MAX];
	bool has[F__MAX], free[F__MAX], relative_id, no_df;
	char src[48], dst[48];
	u8 opt[OPT_ROOM]; /* options; bytes of `hex` */
	u32 nopt, flags;
	u32 off, hlen, end;
};

struct recipe {
	struct layer layer[PACKET_LAYERS];
	u32 n;
	u32 cut, pad, only, gso_size;
	u8 gso_type;
	bool partial, has_cut;
	u16 ethertype;
	enum packet_place place;
};

/* Read words behind what r has already. NULL, or what is wrong with them. */
const char *recipe_read(struct recipe *r, char **words, unsigned n);

#endif
