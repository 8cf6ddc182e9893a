/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of a configuration: tunnels in the one grammar (model/grammar.h), a
 * line or a block in braces each, with words about the device behind the words of
 * the tunnel (the table in conf_words.c). Values only: files are read elsewhere.
 *
 *	# to the other site
 *	t1 mode ipip remote 192.0.2.2 local dev eth0 address 10.1.0.1/30 up
 *	g1 mode gre remote vpn.example.net key 7 {
 *		netns blue
 *		route 10.2.0.0/16 metric 50
 *	}
 *
 * A struct conf owns its tunnels, and they their lists: conf_free() ends all.
 */
#ifndef TUNL_MODEL_CONF_H
#define TUNL_MODEL_CONF_H

#include <stddef.h>

#include "lib/err.h"
#include "model/prl.h"
#include "model/tunnel.h"

enum {
	CONF_HOST = 254,    /* a DNS name with its NUL (RFC 1035 2.3.4) */
	CONF_NETNS = 128,   /* a namespace's name or path, with its NUL */
	CONF_ADDRS = 64,    /* of one device */
	CONF_ROUTES = 256,  /* over one device */
	CONF_WORDS = 2048,  /* of one tunnel */
	CONF_LINE = 65536,  /* a tunnel's line as printed, at most */
	CONF_ERROR_MAX = 50 /* mistakes that are told; then the reader stops */
};

/* An IPv4 (the first 4 bytes) or IPv6 prefix. */
struct conf_net {
	u8 family; /* AF_INET, AF_INET6; 0: not given */
	u8 len;
	u8 addr[16];
};

struct conf_addr {
	struct conf_net local;
	struct conf_net peer; /* family 0: none; len: of the peer's prefix */
};

struct conf_route {
	struct conf_net dst;
	struct conf_net via, src; /* family 0: none */
	u32 metric, table;	  /* 0: the usual */
	bool onlink;
};

struct conf_tunnel {
	struct tunnel_cfg cfg;
	char *host;		       /* `remote NAME`: cfg.remote is what it means; NULL: none */
	char local_dev[TUNL_NAME_LEN]; /* `local dev DEV`: likewise cfg.local */
	char netns[CONF_NETNS];	       /* "": where tunld was started */
	u32 mtu;		       /* 0: as computed */
	bool up;
	struct conf_addr *addr;
	struct conf_route *route;
	struct prl *routers; /* of isatap; NULL: none */
	u32 naddrs, nroutes;
	u32 file, line; /* where it begins: of conf.file, from 1 */
};

struct conf {
	struct conf_tunnel *tunnel;
	size_t n, room;
	char **file; /* names of the texts */
	u32 nfiles;
	u32 errors; /* so far */
};

/* Where a mistake is; columns count bytes from 1. */
struct conf_where {
	const char *file;
	u32 line, column;
};

typedef void conf_error_fn(void *ctx, const struct conf_where *at, const char *text);

/* A text to read, and who is told of its mistakes (fn may be NULL). */
struct conf_source {
	const char *file; /* for messages */
	const char *text;
	size_t len;
	conf_error_fn *fn;
	void *ctx;
};

/*
 * Read a text behind what c holds already (zeroed at first). What is wrong is told and
 * left out; the rest is read on. 0; -EINVAL: there were mistakes; -ENOMEM.
 */
int conf_read(struct conf *c, const struct conf_source *src);

/*
 * Once all texts are read: names and addresses that are there twice are mistakes as well;
 * the later is told, and taken out. As conf_read().
 */
int conf_check(struct conf *c, conf_error_fn *fn, void *ctx);

void conf_free(struct conf *c);
void conf_tunnel_free(struct conf_tunnel *t);

/* The line that reads back as t, into size bytes (CONF_LINE suffices). Its length. */
size_t conf_print(const struct conf_tunnel *t, char *buf, size_t size);

/* A word about the device: what parser, help and manual are made from. */
struct conf_word {
	const char *word, *metavar; /* metavar NULL: it takes none */
	const char *help;
};

/* The rows in order; NULL after the last, and the first after NULL. */
const struct conf_word *conf_word_next(const struct conf_word *prev);

/* Whether a NAME needs `name` before it. */
bool conf_is_word(const char *word);

#endif
