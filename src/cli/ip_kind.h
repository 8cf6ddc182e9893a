/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options of a kind: `ip link ... type KIND OPTIONS` (spec cli 3.2). They are
 * handed over as words with a NULL behind the last.
 */
#ifndef TUNL_CLI_IP_KIND_H
#define TUNL_CLI_IP_KIND_H

#include "lib/err.h"
#include "model/tunnel.h"

struct ip_kind;

/* By the word after `type`; NULL: none of tunl's, or this build does not carry it. */
const struct ip_kind *ip_kind_find(const char *word);

/* Driver's mode of a kind. */
enum mode_id ip_kind_mode(const struct ip_kind *kind);

/* Whether all of the options are such as tunl carries: not `external`, not `encap fou`. */
bool ip_kind_serves(const struct ip_kind *kind, char **words);

/* What the options say of 6rd. "any" as prefix is no prefix to the kernel, and refused. */
enum ip_6rd { IP_6RD_NONE, IP_6RD_SAID, IP_6RD_BAD };
enum ip_6rd ip_kind_6rd(const struct ip_kind *kind, char **words);

/*
 * What `add` begins with: the defaults of `ip link`, which are not those of
 * `ip tunnel`; and without any option the fallback device's.
 */
void ip_kind_init(const struct ip_kind *kind, char **words, struct tunnel_cfg *cfg);

/*
 * Apply the options to cfg. create: of `add` (then `mode` and `isatap` count).
 * -errno with e->text and e->status; -ECANCELED: the usage text was asked for
 * (or earned), and has been printed; status 1.
 */
int ip_kind_read(const struct ip_kind *kind, bool create, char **words, struct tunnel_cfg *cfg,
		 struct err *e);

/*
 * What the kernel says of an MTU that it refuses before the driver is asked, which is sit's
 * alone: the others clamp. NULL: nothing. A device with such a name or addresses is found later.
 */
const char *ip_kind_mtu_fault(const struct ip_kind *kind, const struct tunnel_cfg *cfg, u32 mtu);

/* An MTU given to `add`, as the driver takes it: clamped, sit excepted (spec cli 4.5). */
u32 ip_kind_mtu(const struct ip_kind *kind, const struct tunnel_cfg *cfg, u32 mtu);

#endif
