/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sequence numbers of one security association: those we give, and the window of
 * those we accept (RFC 4303 3.4.3, A2; spec datapath 9.5). A plain value, which
 * survives a restart of who uses it.
 */
#ifndef TUNL_IPSEC_REPLAY_H
#define TUNL_IPSEC_REPLAY_H

#include "ipsec/xfrm.h"

struct replay {
	u64 out;			  /* last sent; 0: none */
	u64 top;			  /* highest that was authentic; 0: none */
	u32 bitmap[XFRM_WINDOW_MAX / 32]; /* bit (n - 1) % window: of number n */
};

enum replay_verdict { REPLAY_NEW, REPLAY_OLD /* behind the window */, REPLAY_AGAIN };

/* As the configuration says that it begins. */
void replay_init(struct replay *r, const struct sa_cfg *cfg);

/*
 * The next number to send. False: there is no further one (the number would come
 * again); without extended numbers it may where SA_OSEQ_MAY_WRAP allows.
 */
bool replay_next(struct replay *r, const struct sa_cfg *cfg, u64 *number);

/* The whole number of a packet whose low half is low. */
u64 replay_number(const struct replay *r, const struct sa_cfg *cfg, u32 low);

/* Whether the packet may be new; before its ICV is looked at. */
enum replay_verdict replay_check(const struct replay *r, const struct sa_cfg *cfg, u64 number);

/* It was authentic. */
void replay_advance(struct replay *r, const struct sa_cfg *cfg, u64 number);

/* For `ip xfrm`'s listing: the 32 numbers up to top, the highest in bit 0. */
u32 replay_bitmap(const struct replay *r, const struct sa_cfg *cfg);

#endif
