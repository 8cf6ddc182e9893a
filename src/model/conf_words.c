/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words about a tunnel's device. Addresses and routes are written as `ip addr add`
 * and `ip route add` have them.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/num.h"
#include "lib/text.h"
#include "model/conf_impl.h"
#include "model/modes.h"

enum { MTU_MIN = 68, MTU_MAX = 65535 };

struct row {
	struct conf_word word;
	/* arg: what follows, w->at stands behind it. 0 or -errno. */
	int (*read)(struct conf_words *w, struct conf_tunnel *t, const char *arg);
};

static const char *next(const struct conf_words *w)
{
	return w->at < w->n ? w->token[w->at].text : NULL;
}

/* Refuse the word before w->at. */
static int refuse(struct conf_words *w, const char *why, const char *arg)
{
	w->at--;
	return err_set(w->e, EINVAL, why, arg);
}

/* The word behind `word`; NULL: it ends here. */
static const char *argument(struct conf_words *w, const char *word)
{
	const char *arg = next(w);

	if (arg) {
		w->at++;
		return arg;
	}
	w->at--;
	err_set(w->e, EINVAL, "something has to follow \"%s\"", word);
	return NULL;
}

/* Bits beyond the prefix are not zero. */
static bool has_host_bits(const struct conf_net *n)
{
	u32 bytes = n->family == AF_INET ? 4 : 16;

	for (u32 i = 0; i < bytes; i++) {
		u32 left = n->len > i * 8 ? n->len - i * 8 : 0;

		if (left < 8 && n->addr[i] & 0xff >> left)
			return true;
	}
	return false;
}

/* ADDR[/LEN], strictly; without LEN one address. */
static bool read_net(const char *word, struct conf_net *n)
{
	char buf[ADDR6_TEXT + 4];
	char *slash;
	u32 len;

	memset(n, 0, sizeof(*n));
	if (strlen(word) >= sizeof(buf))
		return false;
	strcpy(buf, word);
	slash = strchr(buf, '/');
	if (slash)
		*slash++ = '\0';
	n->family = strchr(buf, ':') ? AF_INET6 : AF_INET;
	len = n->family == AF_INET ? 32 : 128;
	if (inet_pton(n->family, buf, n->addr) != 1 || (slash && !num_dec(slash, len, &len)))
		return false;
	n->len = (u8)len;
	return true;
}

static int read_peer(struct conf_words *w, struct conf_addr *a)
{
	const char *arg;

	w->at++;
	arg = argument(w, "peer");
	if (!arg)
		return -EINVAL;
	if (!read_net(arg, &a->peer) || a->peer.family != a->local.family)
		return refuse(w, "\"%s\" is no peer address of that family", arg);
	return 0;
}

static int read_address(struct conf_words *w, struct conf_tunnel *t, const char *arg)
{
	struct conf_addr a = {0}, *more;
	int rc = 0;

	if (!read_net(arg, &a.local))
		return refuse(w, "\"%s\" is no address, as 10.1.0.1/30 or 2001:db8::1/64", arg);
	if (next(w) && !strcmp(next(w), "peer"))
		rc = read_peer(w, &a);
	if (rc)
		return rc;
	if (t->naddrs == CONF_ADDRS)
		return refuse(w, "one address too many: a device has at most 64 here, not \"%s\"",
			      arg);
	more = realloc(t->addr, (t->naddrs + 1) * sizeof(*more));
	if (!more)
		return err_set(w->e, ENOMEM, "out of memory");
	t->addr = more;
	more[t->naddrs++] = a;
	return 0;
}

/* The parts behind a route's destination. */
enum route_part { PART_VIA, PART_SRC, PART_METRIC, PART_TABLE };

static const char *const route_parts[] = {"via", "src", "metric", "table"};

static bool read_part(struct conf_route *r, enum route_part part, const char *arg)
{
	struct conf_net *n = part == PART_VIA ? &r->via : &r->src;
	u32 *number = part == PART_METRIC ? &r->metric : &r->table;

	if (part == PART_METRIC || part == PART_TABLE)
		return num_dec(arg, ~0U, number) && *number;
	if (!read_net(arg, n) || strchr(arg, '/'))
		return false;
	return !r->dst.family || r->dst.family == n->family;
}

/* One more word of the route. 1: taken; 0: it is none; or -errno. */
static int read_more(struct conf_words *w, struct conf_route *r)
{
	const char *word = next(w), *arg;

	if (word && !strcmp(word, "onlink")) {
		w->at++;
		return r->onlink = true;
	}
	for (u32 i = 0; word && i < countof(route_parts); i++) {
		if (strcmp(word, route_parts[i]) != 0)
			continue;
		w->at++;
		arg = argument(w, word);
		if (!arg)
			return -EINVAL;
		return read_part(r, i, arg)
			       ? 1
			       : refuse(w, "\"%s\" is not what a route has there", arg);
	}
	return 0;
}

/* `default` is of the family that its gateway or source has. */
static void settle_default(struct conf_route *r)
{
	if (!r->dst.family)
		r->dst.family = r->via.family ? r->via.family : r->src.family;
	if (!r->dst.family)
		r->dst.family = AF_INET;
}

static int read_route(struct conf_words *w, struct conf_tunnel *t, const char *arg)
{
	struct conf_route r = {0}, *more;
	int rc;

	if (strcmp(arg, "default") && (!read_net(arg, &r.dst) || has_host_bits(&r.dst)))
		return refuse(w,
			      "\"%s\" is no destination, as 10.2.0.0/16, 2001:db8::/32 or default",
			      arg);
	do
		rc = read_more(w, &r);
	while (rc > 0);
	if (rc)
		return rc;
	settle_default(&r);
	if (t->nroutes == CONF_ROUTES)
		return refuse(w, "one route too many: a tunnel has at most 256 here, not \"%s\"",
			      arg);
	more = realloc(t->route, (t->nroutes + 1) * sizeof(*more));
	if (!more)
		return err_set(w->e, ENOMEM, "out of memory");
	t->route = more;
	more[t->nroutes++] = r;
	return 0;
}

static int read_mtu(struct conf_words *w, struct conf_tunnel *t, const char *arg)
{
	u32 mtu;

	if (!num_dec(arg, MTU_MAX, &mtu) || mtu < MTU_MIN)
		return refuse(w, "\"%s\" is no MTU: 68..65535", arg);
	t->mtu = mtu;
	return 0;
}

static int read_up(struct conf_words *w, struct conf_tunnel *t, const char *arg)
{
	(void)w;
	(void)arg;
	t->up = true;
	return 0;
}

/* A name as `ip netns` has it, or a path that begins with a slash. */
static int read_netns(struct conf_words *w, struct conf_tunnel *t, const char *arg)
{
	bool dots = !strcmp(arg, ".") || !strcmp(arg, "..");

	if (strlen(arg) >= sizeof(t->netns) || dots || (arg[0] != '/' && strchr(arg, '/')))
		return refuse(w, "\"%s\" is no network namespace: a name, or a path from /", arg);
	strcpy(t->netns, arg);
	return 0;
}

static int add_router(struct conf_words *w, struct conf_tunnel *t, const char *arg, bool def)
{
	struct prl *p = t->routers ? t->routers : calloc(1, sizeof(*p));
	be32 addr;
	int rc;

	t->routers = p;
	if (!p)
		return err_set(w->e, ENOMEM, "out of memory");
	if (!addr4_parse(arg, &addr))
		return refuse(w, "\"%s\" is no address of a router", arg);
	rc = prl_add(p, addr, def);
	if (rc)
		return refuse(w,
			      rc == -ENOBUFS ? "\"%s\" is one router too many"
					     : "\"%s\" cannot be a router, or is one already",
			      arg);
	return 0;
}

static int read_router(struct conf_words *w, struct conf_tunnel *t, const char *arg)
{
	return add_router(w, t, arg, true);
}

static int read_nodefault(struct conf_words *w, struct conf_tunnel *t, const char *arg)
{
	return add_router(w, t, arg, false);
}

static const struct row rows[] = {
	{{"up", NULL, "set the device up"}, read_up},
	{{"mtu", "BYTES", "the device's MTU, 68..65535; without: as `ip tunnel add` makes it"},
	 read_mtu},
	{{"address", "ADDR/LEN [peer ADDR[/LEN]]", "an address of the device, IPv4 or IPv6"},
	 read_address},
	{{"route", "PREFIX [via A] [src A] [metric N] [table N] [onlink]", "a route over it"},
	 read_route},
	{{"netns", "NETNS", "the network namespace: a name of `ip netns`, or a path"}, read_netns},
	{{"prl-default", "ADDR", "of isatap: a router that may be a default router"}, read_router},
	{{"prl-nodefault", "ADDR", "of isatap: a router that is none"}, read_nodefault},
};

static const struct row *row_of(const char *word)
{
	for (u32 i = 0; i < countof(rows); i++)
		if (!strcmp(rows[i].word.word, word))
			return &rows[i];
	return NULL;
}

bool conf_is_word(const char *word)
{
	return row_of(word) != NULL;
}

const struct conf_word *conf_word_next(const struct conf_word *prev)
{
	const struct row *r = prev ? container_of(prev, struct row, word) + 1 : rows;

	return r < rows + countof(rows) ? &r->word : NULL;
}

/* A host name whose last part has a letter: not an address that is none. */
static bool is_host(const char *s)
{
	size_t n = strlen(s), label = 0;
	bool letter = false;

	if (!n || n >= CONF_HOST)
		return false;
	for (; *s; s++) {
		if (*s == '.') {
			if (!label)
				return false;
			label = 0;
			letter &= !s[1];
			continue;
		}
		if (!(isalnum((unsigned char)*s) || *s == '-' || *s == '_') || ++label > 63)
			return false;
		letter |= isalpha((unsigned char)*s) != 0;
	}
	return letter;
}

/* `remote NAME`: where it is an address the grammar takes it. */
static int take_host(struct conf_words *w, struct conf_tunnel *t, const char *arg)
{
	be32 addr;

	free(t->host);
	t->host = NULL;
	if (!arg || addr4_parse(arg, &addr) || !is_host(arg))
		return 0;
	t->cfg.remote = be32_of(0);
	t->host = strdup(arg);
	if (!t->host)
		return err_set(w->e, ENOMEM, "out of memory");
	w->at += 2;
	return 2;
}

/* `local dev DEV`. */
static int take_local(struct conf_words *w, struct conf_tunnel *t, const char *arg)
{
	const char *dev = w->at + 2 < w->n ? w->token[w->at + 2].text : NULL;

	t->local_dev[0] = '\0';
	if (!arg || strcmp(arg, "dev"))
		return 0;
	w->at += 2;
	if (!dev || !ifname_ok(dev))
		return err_set(w->e, EINVAL, "`local dev` needs the name of a device");
	w->at++;
	t->cfg.local = be32_of(0);
	text_copy(t->local_dev, sizeof(t->local_dev), dev);
	return 3;
}

int conf_take(struct conf_words *w, struct conf_tunnel *t)
{
	const char *word = next(w), *arg = w->at + 1 < w->n ? w->token[w->at + 1].text : NULL;
	const struct row *r = row_of(word);
	u32 from = w->at;
	int rc;

	if (!strcmp(word, "remote"))
		return take_host(w, t, arg);
	if (!strcmp(word, "local"))
		return take_local(w, t, arg);
	if (!r)
		return 0;
	w->at++;
	arg = r->word.metavar ? argument(w, word) : word;
	if (!arg)
		return -EINVAL;
	rc = r->read(w, t, arg);
	return rc ? rc : (int)(w->at - from);
}
