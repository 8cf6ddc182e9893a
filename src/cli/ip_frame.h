/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of `ip link add|set`: the generic words before `type KIND`
 * (spec cli 3.1). Borrows the words it was read from.
 */
#ifndef TUNL_CLI_IP_FRAME_H
#define TUNL_CLI_IP_FRAME_H

#include "lib/types.h"

enum { FRAME_PASS = 64 }; /* words that `ip link set` is to apply */

struct ip_frame {
	const char *dev;	  /* bare, or after `dev` */
	const char *name;	  /* after `name` */
	const char *kind;	  /* after `type` */
	const char *link, *netns; /* their arguments; of add */
	const char *refused;	  /* a word that cannot be had with our devices */
	const char *mtu;	  /* as given; of add */
	const char *pass[FRAME_PASS];
	int n_pass;
	int options; /* words before the kind's options */
};

/*
 * Read words (after the verb). create: as `add` does, else as `set`. False: it
 * has no `type`, or something is wrong that the real ip will say best.
 */
bool ip_frame_read(bool create, int argc, char **words, struct ip_frame *f);

#endif
