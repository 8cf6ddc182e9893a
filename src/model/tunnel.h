/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a tunnel is. struct tunnel_cfg is a plain value: compared, copied,
 * printed, read and sent as it is. Its text form is the one grammar
 * (model/grammar.h); the rules of which values may be are in model/rules.h.
 */
#ifndef TUNL_MODEL_TUNNEL_H
#define TUNL_MODEL_TUNNEL_H

#include "lib/types.h"
#include "model/peers.h"
#include "wire/sixrd.h"

enum { TUNL_NAME_LEN = 16 }; /* a device name with its NUL (IFNAMSIZ) */

enum mode_id {
	MODE_NONE,
	MODE_IPIP,
	MODE_GRE,
	MODE_SIT,
	MODE_ISATAP,
	MODE_VTI,
	MODE__MAX,
};

/* What the user asked for as datapath (design 2). */
enum datapath {
	DATAPATH_AUTO, /* bpf where a probe by trying says it works, else user */
	DATAPATH_BPF,
	DATAPATH_USER,
};

/* iflags, oflags: the GRE header's bits, as `ip tunnel` and the driver have them */
enum {
	TUNL_F_CSUM = 0x8000,
	TUNL_F_KEY = 0x2000,
	TUNL_F_SEQ = 0x1000,
};

/* tos: bit 0 says "inherit"; the upper bits are the value (spec datapath 1). */
enum { TUNL_TOS_INHERIT = 0x01 };

/* mss: what the MTUs of device and path leave room for; else at least TUNL_MSS_MIN. */
enum { TUNL_MSS_AUTO = 1, TUNL_MSS_MIN = 88 };

struct tunnel_cfg {
	char name[TUNL_NAME_LEN]; /* the name it was created with; "" = kernel-style default */
	enum mode_id mode;
	u8 proto;		 /* protocol parameter: 4, 41, 47, 137; PROTO_ANY */
	be32 local, remote;	 /* zero: any */
	char dev[TUNL_NAME_LEN]; /* `dev` as given: a name or "ifN"; "" = unbound */
	u32 link;		 /* its ifindex once resolved; 0: unbound */
	u8 ttl;			 /* 0: inherit */
	u8 tos;			 /* see TUNL_TOS_INHERIT */
	bool pmtudisc;		 /* DF on the outer header */
	bool ignore_df;		 /* gre only */
	u16 iflags, oflags;	 /* TUNL_F_*: receive and send side */
	be32 ikey, okey;
	u32 fwmark;
	struct sixrd sixrd; /* sit, isatap */
	enum datapath datapath;
	u16 mss;	    /* of TCP inside, at most; TUNL_MSS_AUTO: what fits; 0: as it is */
	u16 keep_s;	    /* the remote is asked every so many seconds; 0: never */
	u8 keep_n;	    /* so many without answer: no carrier */
	struct peers peers; /* without remote: of whom packets are taken */
};

#endif
