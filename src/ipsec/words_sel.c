/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and selectors in `ip xfrm`'s words. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "ipsec/words.h"
#include "lib/addr.h"
#include "lib/num.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum { PROTO_DCCP = 33, PROTO_SCTP = 132 };

static int bad_prefix(struct words *w, const char *arg)
{
	return err_exit(w->e, 1, EINVAL, "Error: %s prefix is expected rather than \"%s\".",
			w->family == XFRM_IP4	? "inet"
			: w->family == XFRM_IP6 ? "inet6"
						: "any valid",
			arg);
}

/* `any` and `default` have the family that was asked for, IPv4 where none was. */
static bool parse_prefix(struct words *w, const char *arg, struct xfrm_addr *a, u8 *len)
{
	bool any = !strcmp(arg, "any") || !strcmp(arg, "all") || !strcmp(arg, "default");
	be32 v4;

	*a = (struct xfrm_addr){{0}};
	*len = 0;
	if (any) {
		w->family = w->family ? w->family : XFRM_IP4;
		return true;
	}
	if (w->family != XFRM_IP4 && strchr(arg, ':')) {
		w->family = XFRM_IP6;
		return prefix6_parse(arg, a->b, len);
	}
	if (w->family == XFRM_IP6 || !prefix4_parse(arg, &v4, len))
		return false;
	w->family = XFRM_IP4;
	memcpy(a->b, &v4, sizeof(v4));
	return true;
}

int words_prefix(struct words *w, struct xfrm_addr *addr, u8 *len, u16 *family)
{
	u16 wanted = w->family;
	const char *arg;
	u8 unused;
	int err = words_arg(w, &arg);

	if (err)
		return err;
	w->family = *family ? *family : wanted;
	if (!parse_prefix(w, arg, addr, len ? len : &unused)) {
		w->family = wanted;
		return bad_prefix(w, arg);
	}
	*family = w->family;
	w->family = wanted;
	return 0;
}

static int sel_proto(struct words *w, struct xfrm_sel *sel)
{
	const struct protoent *pe;
	const char *arg;
	u32 value = 0;
	int err = words_arg(w, &arg);

	if (err)
		return err;
	pe = strcmp(arg, "any") ? getprotobyname(arg) : NULL;
	if (pe)
		value = (u32)pe->p_proto;
	else if (strcmp(arg, "any") && !num_u32(arg, 255, &value))
		return words_bad(w, arg, "PROTO value is invalid");
	sel->proto = (u8)value;
	return 0;
}

static int sel_port(struct words *w, u32 max, u16 *port, u16 *mask)
{
	u32 value;
	int err = words_u32(w, "PORT value is invalid", max, &value);

	if (err)
		return err;
	*port = (u16)value;
	*mask = value || max == 255 ? 0xffff : 0;
	return 0;
}

static int sel_key(struct words *w, struct xfrm_sel *sel)
{
	const char *arg;
	be32 dotted;
	u32 key;
	int err = words_arg(w, &arg);

	if (err)
		return err;
	if (strchr(arg, '.') && addr4_parse(arg, &dotted))
		key = be32_host(dotted);
	else if (!num_u32(arg, ~0U, &key))
		return err_exit(
			w->e, 255, EINVAL,
			"invalid value for \"key\": \"%s\"; it should be an unsigned integer", arg);
	sel->sport = (u16)(key >> 16);
	sel->dport = (u16)key;
	sel->sport_mask = sel->dport_mask = 0xffff;
	return 0;
}

static int sel_dev(struct words *w, struct xfrm_sel *sel)
{
	const char *arg;
	int err = words_arg(w, &arg);

	if (err)
		return err;
	sel->ifindex = 0;
	if (!strcmp(arg, "none") ||
	    (!strncmp(arg, "if", 2) && num_dec(arg + 2, ~0U, &sel->ifindex)))
		return 0;
	sel->ifindex = w->ifindex ? w->ifindex(arg) : 0;
	return sel->ifindex ? 0 : words_bad(w, arg, "DEV value is invalid");
}

/* One word of a selector with its argument; *hit: it was one. */
static int sel_word(struct words *w, struct xfrm_sel *sel, bool *hit)
{
	*hit = true;
	if (words_take(w, "src"))
		return words_prefix(w, &sel->src, &sel->src_len, &sel->family);
	if (words_take(w, "dst"))
		return words_prefix(w, &sel->dst, &sel->dst_len, &sel->family);
	if (words_take(w, "dev"))
		return sel_dev(w, sel);
	if (words_take(w, "proto"))
		return sel_proto(w, sel);
	if (words_take(w, "sport"))
		return sel_port(w, 65535, &sel->sport, &sel->sport_mask);
	if (words_take(w, "dport"))
		return sel_port(w, 65535, &sel->dport, &sel->dport_mask);
	if (words_take(w, "type"))
		return sel_port(w, 255, &sel->sport, &sel->sport_mask);
	if (words_take(w, "code"))
		return sel_port(w, 255, &sel->dport, &sel->dport_mask);
	if (words_take(w, "key"))
		return sel_key(w, sel);
	*hit = false;
	return 0;
}

static bool has_ports(u8 proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP ||
	       proto == PROTO_DCCP;
}

static bool has_types(u8 proto)
{
	return proto == PROTO_ICMP || proto == PROTO_ICMPV6 || proto == PROTO_MOBILITY;
}

static int check_ports(struct words *w, const struct xfrm_sel *sel)
{
	/* gre has a key, in both; half of one is a port or a type, which it has not */
	bool key = sel->proto == PROTO_GRE && sel->sport_mask && sel->dport_mask;

	if (!(sel->sport_mask | sel->dport_mask) || has_ports(sel->proto) ||
	    has_types(sel->proto) || key)
		return 0;
	return err_exit(w->e, 1, EINVAL,
			"\"sport\" and \"dport\" are invalid with PROTO value \"%u\"", sel->proto);
}

int words_sel(struct words *w, struct xfrm_sel *sel)
{
	int begun = w->at;
	bool hit = true;

	while (hit && words_peek(w)) {
		int err = sel_word(w, sel, &hit);

		if (err)
			return err;
	}
	if (w->at == begun)
		return words_missing(w, "SELECTOR");
	return check_ports(w, sel);
}

void text_addr(struct text *t, const struct xfrm_addr *a, u16 family)
{
	char buf[ADDR6_TEXT], buf4[ADDR4_TEXT];

	if (family == XFRM_IP6)
		text_add(t, "%s", addr6_print(a->b, buf));
	else
		text_add(t, "%s", addr4_print(xfrm_addr4(a), buf4));
}

static void text_ports(struct text *t, const struct xfrm_sel *s)
{
	bool types = has_types(s->proto);

	if (s->proto == PROTO_GRE && s->sport_mask) {
		text_add(t, " key %u", (u32)s->sport << 16 | s->dport);
		return;
	}
	if (s->sport_mask)
		text_add(t, " %s %u", types ? "type" : "sport", s->sport);
	if (s->dport_mask)
		text_add(t, " %s %u", types ? "code" : "dport", s->dport);
}

void text_sel(struct text *t, const struct xfrm_sel *s)
{
	text_add(t, " src ");
	text_addr(t, &s->src, s->family);
	text_add(t, "/%u dst ", s->src_len);
	text_addr(t, &s->dst, s->family);
	text_add(t, "/%u", s->dst_len);
	if (s->ifindex)
		text_add(t, " dev if%u", s->ifindex);
	if (s->proto)
		text_add(t, " proto %u", s->proto);
	text_ports(t, s);
}
