/* SPDX-License-Identifier: BSD-2-Clause */
/* /etc/network/interfaces (interfaces(5)): `iface NAME inet tunnel`, v4tunnel, and hooks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/import.h"
#include "lib/addr.h"
#include "lib/text.h"
#include "model/grammar.h"
#include "model/modes.h"

struct stanza {
	struct import *im;
	struct import_tunnel *t; /* of `iface`; NULL: none at hand */
	char name[TUNL_NAME_LEN];
	char address[64], mask[64], peer[64];
	struct import_line at; /* of the address */
};

/* The address, once all parts of it were read. */
static void finish(struct stanza *s)
{
	const char *slash = s->mask[0] && !strchr(s->address, '/') ? "/" : "";
	char mask[64];
	struct err e = {0};
	be32 any;
	u8 len;

	text_copy(mask, sizeof(mask), s->mask);
	if (strchr(mask, '.')) { /* a netmask: its length */
		char text[80];

		snprintf(text, sizeof(text), "0.0.0.0/%.63s", mask);
		if (prefix4_parse(text, &any, &len))
			snprintf(mask, sizeof(mask), "%u", len);
	}
	if (s->t && s->address[0] &&
	    !import_take(s->t, &e, "address %s%s%s%s%s", s->address, slash, *slash ? mask : "",
			 s->peer[0] ? " peer " : "", s->peer)) {
		s->im->text = s->address;
		import_lose(s->im, e.text);
	}
	s->t = NULL;
	s->address[0] = s->mask[0] = s->peer[0] = '\0';
}

static void begin(struct stanza *s, int n, char **w)
{
	struct err e = {0};

	finish(s);
	if (n < 4 || !ifname_ok(w[1])) {
		import_lose(s->im, "not understood");
		return;
	}
	text_copy(s->name, sizeof(s->name), w[1]);
	s->t = import_tunnel(s->im, w[1], "");
	if (!s->t)
		return;
	import_note(s->im, s->t);
	if (!strcmp(w[3], "v4tunnel")) {
		tunnel_cfg_set_mode(&s->t->t.cfg, MODE_SIT);
		import_option(s->t, "ttl", "64", &e); /* ifupdown's own */
		s->t->made = true;
	}
}

static void set_text(char *to, size_t size, const char *arg)
{
	text_copy(to, size, arg);
}

static bool set_mode(struct stanza *s, const char *arg)
{
	char word[16];
	struct err e;

	text_copy(word, sizeof(word), arg);
	for (char *p = word; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 'a' - 'A');
	s->t->made |= import_option(s->t, "mode", word, &e);
	return s->t->made;
}

static bool is_hook(const char *word)
{
	return !strcmp(word, "up") || !strcmp(word, "pre-up") || !strcmp(word, "post-up");
}

static bool is_down_hook(const char *word)
{
	return !strcmp(word, "down") || !strcmp(word, "pre-down") || !strcmp(word, "post-down");
}

/* An option of the stanza with one argument. False: it is not understood. */
static bool take_option(struct stanza *s, const char *word, const char *arg, struct err *e)
{
	if (!strcmp(word, "mode"))
		return set_mode(s, arg);
	if (!strcmp(word, "endpoint"))
		return import_take(s->t, e, "remote %s", arg) ||
		       import_option(s->t, "remote", arg, e);
	if (!strcmp(word, "local") || !strcmp(word, "ttl") || !strcmp(word, "key") ||
	    !strcmp(word, "tos"))
		return import_option(s->t, word, arg, e);
	if (!strcmp(word, "mtu"))
		return import_take(s->t, e, "mtu %s", arg);
	if (!strcmp(word, "gateway"))
		return import_take(s->t, e, "route default via %s", arg);
	if (!strcmp(word, "address"))
		set_text(s->address, sizeof(s->address), arg);
	else if (!strcmp(word, "netmask"))
		set_text(s->mask, sizeof(s->mask), arg);
	else if (!strcmp(word, "dstaddr") || !strcmp(word, "pointopoint"))
		set_text(s->peer, sizeof(s->peer), arg);
	else
		return false;
	return true;
}

static void auto_up(struct import *im, int n, char **w)
{
	for (int i = 1; i < n; i++) {
		struct import_tunnel *t = import_tunnel(im, w[i], "");

		if (t)
			t->t.up = true;
	}
}

static void take_line(struct stanza *s, const char *text)
{
	char line[IMPORT_LINE], *w[IMPORT_WORDS + 1];
	const char *rest = text + strspn(text, " \t");
	struct err e = {0};
	int n;

	text_copy(line, sizeof(line), text);
	n = text_split(line, w, IMPORT_WORDS);
	if (!n || w[0][0] == '#')
		return;
	rest += strcspn(rest, " \t");
	if (n > 0 && !strcmp(w[0], "iface")) {
		begin(s, n, w);
	} else if (n > 0 && (!strcmp(w[0], "auto") || !strcmp(w[0], "allow-hotplug") ||
			     !strcmp(w[0], "allow-auto"))) {
		finish(s);
		auto_up(s->im, n, w);
	} else if (n > 1 && s->t && is_hook(w[0])) {
		import_command(s->im, rest, s->name);
	} else if (n > 1 && s->t && is_down_hook(w[0])) {
		; /* takes down what the others made */
	} else if (n != 2 || !s->t || !take_option(s, w[0], w[1], &e)) {
		if (s->t) {
			import_note(s->im, s->t);
			if (!s->t->made && !e.text[0])
				return; /* of some other device, perhaps: told in the end */
		}
		import_lose(s->im, e.text[0] ? e.text : "not understood");
	} else {
		import_note(s->im, s->t);
	}
}

void import_interfaces(struct import *im, const char *text)
{
	struct stanza s = {.im = im};
	char line[IMPORT_LINE];

	for (im->line = 1; *text; im->line++) {
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)min_of(len, sizeof(line) - 1), text);
		text += len + (text[len] == '\n');
		im->text = line;
		take_line(&s, line);
	}
	finish(&s);
}
