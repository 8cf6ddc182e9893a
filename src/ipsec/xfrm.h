/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Security associations and policies as values (RFC 4301 4.4; the kernel's
 * struct xfrm_usersa_info and xfrm_userpolicy_info say the same). A struct
 * sa_cfg holds keys: it lives in memory of ipsec/secret.h or is wiped
 * (secret_wipe) by whoever had it on the stack.
 *
 * Their text is `ip xfrm`'s grammar: sa_text.c and policy_text.c read it and
 * write it. What is in force, and its lookup, is in db.h.
 */
#ifndef TUNL_IPSEC_XFRM_H
#define TUNL_IPSEC_XFRM_H

#include "lib/types.h"

enum {
	XFRM_KEY_MAX = 136,    /* bytes: chacha20's is 36, an HMAC's block 128 */
	XFRM_NAME = 64,	       /* of an algorithm, with its NUL */
	XFRM_TMPLS = 6,	       /* templates of a policy */
	XFRM_WINDOW_MAX = 4096 /* packets */
};

/* An IPv4 address stands in the first 4 bytes. */
struct xfrm_addr {
	u8 b[16];
};

/* The families as the kernel numbers them. */
enum { XFRM_ANY = 0, XFRM_IP4 = 2, XFRM_IP6 = 10 };

enum { XFRM_TRANSPORT = 0, XFRM_TUNNEL = 1, XFRM_BEET = 4 };

/* Matches a mark m with (m & mask) == value. */
struct xfrm_markmask {
	u32 value, mask;
};

/* Ports in host order; of ICMP type and code; of GRE the key's halves. */
struct xfrm_sel {
	u16 family; /* XFRM_ANY: nothing is asked of it */
	u8 src_len, dst_len, proto;
	u16 sport, dport, sport_mask, dport_mask;
	u32 ifindex;
	struct xfrm_addr src, dst;
};

struct xfrm_algo_cfg {
	char name[XFRM_NAME]; /* "": none */
	u32 key_len;	      /* bytes */
	u32 icv_bits;	      /* aead, auth-trunc */
	u8 key[XFRM_KEY_MAX];
};

/* XFRM_INFINITE: no limit of bytes or packets; of seconds, 0. */
#define XFRM_INFINITE (~0ULL)

struct xfrm_limits {
	u64 soft_bytes, hard_bytes, soft_packets, hard_packets;
	u64 soft_add, hard_add, soft_use, hard_use; /* seconds */
};

/* sa_cfg.flags, as the kernel numbers them */
enum {
	SA_NOECN = 1 << 0,
	SA_DECAP_DSCP = 1 << 1,
	SA_NOPMTUDISC = 1 << 2,
	SA_WILDRECV = 1 << 3,
	SA_ICMP = 1 << 4,
	SA_AF_UNSPEC = 1 << 5,
	SA_ALIGN4 = 1 << 6,
	SA_ESN = 1 << 7,
};

/* sa_cfg.extra */
enum { SA_DONT_ENCAP_DSCP = 1 << 0, SA_OSEQ_MAY_WRAP = 1 << 1 };

enum { ENCAP_NONE = 0, ENCAP_ESPINUDP_NONIKE = 1, ENCAP_ESPINUDP = 2 };

struct sa_cfg {
	u16 family;
	u8 proto, mode;
	u8 flags;
	bool auth_trunc; /* auth has a length of its own */
	bool has_out_mark;
	bool has_id;
	u32 extra;
	be32 spi;
	u32 reqid, seq, if_id, tfcpad;
	u32 window; /* packets; 0: no protection against replay */
	u32 replay_seq, replay_seq_hi, replay_oseq, replay_oseq_hi;
	struct xfrm_addr src, dst;
	struct xfrm_markmask mark, out_mark;
	struct xfrm_sel sel;
	struct xfrm_limits limits;
	struct {
		u16 type, sport, dport;
		struct xfrm_addr oa;
	} encap;
	struct xfrm_algo_cfg aead, enc, auth;
};

struct xfrm_tmpl {
	u16 family;
	u8 proto, mode;
	bool use; /* level use: not required */
	be32 spi;
	u32 reqid;
	struct xfrm_addr src, dst;
};

enum policy_dir { POLICY_IN, POLICY_OUT, POLICY_FWD, POLICY_DIRS };
enum policy_action { POLICY_ALLOW, POLICY_BLOCK };

struct policy_cfg {
	struct xfrm_sel sel;
	u8 dir, action, flags;
	bool has_dir, sub; /* sub: ptype sub */
	u32 priority, index, if_id;
	struct xfrm_markmask mark;
	struct xfrm_limits limits;
	u32 ntmpls;
	struct xfrm_tmpl tmpl[XFRM_TMPLS];
};

enum { POLICY_F_LOCALOK = 1, POLICY_F_ICMP = 2 };

TUNL_INLINE struct xfrm_limits xfrm_no_limits(void)
{
	return (struct xfrm_limits){
		.soft_bytes = XFRM_INFINITE,
		.hard_bytes = XFRM_INFINITE,
		.soft_packets = XFRM_INFINITE,
		.hard_packets = XFRM_INFINITE,
	};
}

TUNL_INLINE bool xfrm_addr_eq(const struct xfrm_addr *a, const struct xfrm_addr *b)
{
	return !__builtin_memcmp(a, b, sizeof(*a));
}

TUNL_INLINE bool xfrm_addr_is_zero(const struct xfrm_addr *a)
{
	return xfrm_addr_eq(a, &(struct xfrm_addr){{0}});
}

TUNL_INLINE be32 xfrm_addr4(const struct xfrm_addr *a)
{
	be32 v;

	__builtin_memcpy(&v, a->b, sizeof(v));
	return v;
}

TUNL_INLINE struct xfrm_addr xfrm_addr_of4(be32 v)
{
	struct xfrm_addr a = {{0}};

	__builtin_memcpy(a.b, &v, sizeof(v));
	return a;
}

TUNL_INLINE bool xfrm_mark_matches(const struct xfrm_markmask *m, u32 mark)
{
	return (mark & m->mask) == m->value;
}

#endif
