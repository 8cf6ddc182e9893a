/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The modes as words of the language and as the kernel's drivers number them:
 * all five, whatever this build can carry (that is mode/mode.h).
 */
#ifndef TUNL_MODEL_MODES_H
#define TUNL_MODEL_MODES_H

#include "model/tunnel.h"

/* The IPv6 addresses that the driver's devices get when they come up (spec cli 4.5). */
enum mode_auto6 {
	AUTO6_POINT,  /* link-local with the ISATAP identifier of local, with a remote only */
	AUTO6_ISATAP, /* likewise, with or without a remote */
	AUTO6_V4,     /* link-local that ends in local; without a remote ::local */
};

struct mode_info {
	enum mode_id id;
	enum mode_id driver;  /* isatap tunnels are sit's (spec cli 4.2) */
	const char *word;     /* after `mode`: "ipip" */
	const char *alias;    /* or "ip/ip"; NULL: none */
	const char *kind;     /* `ip link ... type` */
	const char *fallback; /* the driver's device, named in messages: "tunl0" */
	const char *template; /* kernel's default name: "ipip%d" */
	u8 proto;	      /* outer protocol of its own kind */
	u16 link_type;	      /* ARPHRD_* that the device shows */
	u32 mtu_min, mtu_max; /* spec cli 4.5; mtu_max: less what stands between the headers */
	bool has_keys;	      /* the key words are for it */
	bool keys_if_loaded;  /* `change NAME` takes key words and drops them: see modes.c */
	bool has_flags;	      /* csum and seq are for it */
	bool has_6rd;
	enum mode_auto6 auto6;
};

/* By id; NULL for MODE_NONE. */
const struct mode_info *mode_info(enum mode_id id);

/* By the word after `mode`; NULL: unknown. */
const struct mode_info *mode_by_word(const char *word);

/* By the leading text of a device name (spec cli 1.3); NULL: gives none. */
const struct mode_info *mode_by_name(const char *name);

/* Whether some driver makes its fallback device under that name. */
bool mode_is_fallback_name(const char *name);

/*
 * Whether the first `mode` of these words names an IPv6 outer header
 * (spec cli 1.2): then the line is not this language's.
 */
bool mode_is_ipv6(int argc, char *const *argv);

#endif
