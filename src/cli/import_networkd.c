/* SPDX-License-Identifier: BSD-2-Clause */
/* systemd.netdev(5) and systemd.network(5), by inih. */
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/import.h"
#include "lib/addr.h"
#include "lib/text.h"
#include "model/grammar.h"
#include "model/modes.h"

enum { VALUE = 200 };

/* A file as it is gone through. */
struct unit {
	struct import *im;
	const char *p; /* the text's rest */
	struct import_tunnel *t;
	char name[VALUE], kind[32];
	/* of [Address] and [Route], collected until the section ends */
	char address[VALUE], peer[VALUE], route[IMPORT_LINE], dst[VALUE];
	char section[32];
	char text[IMPORT_LINE]; /* the line, for messages */
	bool network;
};

/* fgets() for inih, which counts no lines for us. */
static char *next_line(char *buf, int size, void *stream)
{
	struct unit *u = stream;
	size_t len = strcspn(u->p, "\n");

	if (!*u->p)
		return NULL;
	u->im->line++;
	snprintf(u->text, sizeof(u->text), "%.*s", (int)min_of(len, sizeof(u->text) - 1), u->p);
	u->im->text = u->text;
	if (len + 2 > (size_t)size) {
		import_lose(u->im, "the line is too long");
		buf[0] = '\n';
		buf[1] = '\0';
	} else {
		snprintf(buf, (size_t)size, "%.*s\n", (int)len, u->p);
	}
	u->p += len + (u->p[len] == '\n');
	return buf;
}

/* What a key of [Tunnel] is as an option. */
static const struct {
	const char *key, *option;
} tunnel_keys[] = {
	{"Local", "local"},    {"Remote", "remote"},
	{"TTL", "ttl"},	       {"TOS", "tos"},
	{"Key", "key"},	       {"InputKey", "ikey"},
	{"OutputKey", "okey"}, {"IPv6RapidDeploymentPrefix", "6rd-prefix"},
};

static bool is_yes(const char *v)
{
	return !strcasecmp(v, "yes") || !strcasecmp(v, "true") || !strcmp(v, "1") ||
	       !strcasecmp(v, "on");
}

static bool tunnel_key(struct unit *u, const char *key, const char *value, struct err *e)
{
	if (!strcmp(key, "Independent"))
		return true; /* all of tunl's are */
	if (!strcmp(key, "DiscoverPathMTU"))
		return import_option(u->t, is_yes(value) ? "pmtudisc" : "nopmtudisc", NULL, e);
	if (!strcmp(key, "SerializeTunneledPackets"))
		return !is_yes(value) || import_option(u->t, "seq", NULL, e);
	if (!strcmp(key, "ISATAP")) {
		if (is_yes(value))
			u->t->t.cfg.mode = MODE_ISATAP;
		return true;
	}
	for (u32 i = 0; i < countof(tunnel_keys); i++)
		if (!strcmp(key, tunnel_keys[i].key))
			return import_option(u->t, tunnel_keys[i].option,
					     !strcmp(value, "inherit") ? "0" : value, e);
	return false;
}

static bool set_kind(struct unit *u, const char *kind)
{
	static const enum mode_id ids[] = {MODE_IPIP, MODE_GRE, MODE_SIT, MODE_VTI};

	text_copy(u->kind, sizeof(u->kind), kind);
	for (u32 i = 0; u->t && i < countof(ids); i++) {
		if (strcmp(mode_info(ids[i])->kind, kind))
			continue;
		tunnel_cfg_set_mode(&u->t->t.cfg, ids[i]);
		u->t->made = u->t->t.up = true; /* networkd sets up what it manages */
		return true;
	}
	return false;
}

static bool netdev_key(struct unit *u, const char *key, const char *value, struct err *e)
{
	if (!strcmp(u->section, "NetDev") && !strcmp(key, "Name")) {
		text_copy(u->name, sizeof(u->name), value);
		u->t = import_tunnel(u->im, value, "");
		return u->t && (!u->kind[0] || set_kind(u, u->kind));
	}
	if (!strcmp(u->section, "NetDev") && !strcmp(key, "Kind")) {
		text_copy(u->kind, sizeof(u->kind), value);
		return !u->t || set_kind(u, value);
	}
	if (!strcmp(key, "Description"))
		return true;
	if (u->t && !strcmp(u->section, "NetDev") && !strcmp(key, "MTUBytes"))
		return import_take(u->t, e, "mtu %s", value);
	return u->t && !strcmp(u->section, "Tunnel") && tunnel_key(u, key, value, e);
}

/* An [Address] or [Route] section is over. */
static void finish_section(struct unit *u)
{
	struct err e = {0};
	bool good = true;

	if (u->t && u->address[0])
		good = import_take(u->t, &e, "address %s%s%s", u->address,
				   u->peer[0] ? " peer " : "", u->peer);
	if (u->t && (u->dst[0] || u->route[0]))
		good &= import_take(u->t, &e, "route %s%s", u->dst[0] ? u->dst : "default",
				    u->route);
	if (!good)
		import_lose(u->im, e.text);
	u->address[0] = u->peer[0] = u->route[0] = u->dst[0] = '\0';
}

static void add_route_part(struct unit *u, const char *word, const char *value)
{
	size_t n = strlen(u->route);

	snprintf(u->route + n, sizeof(u->route) - n, " %s%s%s", word, *value ? " " : "", value);
}

static bool route_key(struct unit *u, const char *key, const char *value)
{
	static const char *const parts[][2] = {
		{"Gateway", "via"},
		{"PreferredSource", "src"},
		{"Metric", "metric"},
		{"Table", "table"},
	};

	if (!strcmp(key, "Destination")) {
		text_copy(u->dst, sizeof(u->dst), value);
		return true;
	}
	if (!strcmp(key, "GatewayOnLink")) {
		if (is_yes(value))
			add_route_part(u, "onlink", "");
		return true;
	}
	for (u32 i = 0; i < countof(parts); i++) {
		if (strcmp(key, parts[i][0]))
			continue;
		add_route_part(u, parts[i][1], value);
		return true;
	}
	return false;
}

/* Of the device that tunnels are bound to. */
static bool tunnel_of(struct unit *u, const char *name, struct err *e)
{
	struct import_tunnel *t = import_tunnel(u->im, name, "");

	if (!t)
		return false;
	import_note(u->im, t);
	return import_option(t, "dev", u->name, e);
}

static bool network_key(struct unit *u, const char *key, const char *value, struct err *e)
{
	const char *s = u->section;

	if (!strcmp(s, "Match") && !strcmp(key, "Name")) {
		text_copy(u->name, sizeof(u->name), value);
		u->t = strpbrk(value, "*?[! ") ? NULL : import_tunnel(u->im, value, "");
		return u->t;
	}
	if (!strcmp(s, "Network") && !strcmp(key, "Tunnel"))
		return u->name[0] && tunnel_of(u, value, e);
	if (!u->t)
		return false;
	if (!strcmp(s, "Network") && !strcmp(key, "Address"))
		return import_take(u->t, e, "address %s", value);
	if (!strcmp(s, "Network") && !strcmp(key, "Gateway"))
		return import_take(u->t, e, "route default via %s", value);
	if (!strcmp(s, "Link") && !strcmp(key, "MTUBytes"))
		return import_take(u->t, e, "mtu %s", value);
	if (!strcmp(s, "Address") && (!strcmp(key, "Address") || !strcmp(key, "Peer"))) {
		text_copy(key[0] == 'A' ? u->address : u->peer, VALUE, value);
		return true;
	}
	return !strcmp(s, "Route") && route_key(u, key, value);
}

static int on_key(void *user, const char *section, const char *key, const char *value)
{
	struct unit *u = user;
	struct err e = {0};
	bool good;

	if (strcmp(section, u->section)) {
		finish_section(u);
		text_copy(u->section, sizeof(u->section), section);
	} else if (!strcmp(key, "Destination") || (!strcmp(key, "Address") && u->address[0])) {
		finish_section(u); /* inih does not tell two sections of one name apart */
	}
	good = u->network ? network_key(u, key, value, &e) : netdev_key(u, key, value, &e);
	if (good && (!strcmp(section, "Match") || !strcmp(key, "Tunnel")))
		return 1; /* says where we are, or is another's */
	if (good && u->t)
		import_note(u->im, u->t);
	else if (!good && u->t && !u->t->made && !e.text[0])
		import_note(u->im, u->t); /* told in the end, if it is no tunnel */
	else if (!good)
		import_lose(u->im, e.text[0] ? e.text : "not understood");
	return 1;
}

static void read_unit(struct import *im, const char *text, bool network)
{
	struct unit *u = calloc(1, sizeof(*u));

	if (!u) {
		im->failed = true;
		return;
	}
	*u = (struct unit){.im = im, .p = text, .network = network};
	im->line = 0;
	if (ini_parse_stream(next_line, u, on_key, u))
		import_lose(im, "there are lines that are neither a section nor KEY=VALUE");
	finish_section(u);
	free(u);
}

void import_netdev(struct import *im, const char *text)
{
	read_unit(im, text, false);
}

void import_network(struct import *im, const char *text)
{
	read_unit(im, text, true);
}
