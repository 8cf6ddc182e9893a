/* SPDX-License-Identifier: BSD-2-Clause */
/* Scripts of `ip` commands: read, never run. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/import.h"
#include "lib/addr.h"
#include "lib/text.h"
#include "model/grammar.h"
#include "model/modes.h"
#include "model/options.h"

/* A command's words, and the namespace that it is run in. */
struct command {
	struct import *im;
	int argc;
	char **argv;
	const char *netns;
};

static void lose(const struct command *c, const struct err *e)
{
	char why[300];

	text_copy(why, sizeof(why), e->text[0] ? e->text : "not understood");
	import_lose(c->im, why);
}

/* `ip tunnel add WORDS`. */
static void tunnel_add(struct command *c)
{
	const struct grammar g = {.dialect = DIALECT_TUNL, .verb = VERB_ADD};
	struct import_tunnel *t;
	struct tunnel_cfg cfg;
	struct err e = {0};

	if (grammar_read(&g, c->argc, c->argv, &cfg, &e)) {
		lose(c, &e);
		return;
	}
	t = import_tunnel(c->im, cfg.name, c->netns);
	if (!t) {
		import_lose(c->im, "a tunnel of a configuration needs a name of its own");
		return;
	}
	t->t.cfg = cfg;
	t->made = true;
	import_note(c->im, t);
}

/* `ip tunnel change NAME OPTIONS`: of one that is there. */
static void tunnel_change(struct command *c)
{
	struct import_tunnel *t = c->argc ? import_tunnel(c->im, c->argv[0], c->netns) : NULL;
	struct err e = {0};

	for (int i = 1; t && t->made && i < c->argc; i++) {
		const struct tunnel_option *o = option_find(c->argv[i], DIALECT_TUNL);
		const char *arg = o && o->metavar ? c->argv[i + 1] : NULL;

		if (!import_option(t, c->argv[i], arg, &e)) {
			lose(c, &e);
			return;
		}
		i += arg != NULL;
	}
	if (t && t->made)
		import_note(c->im, t);
	else
		import_lose(c->im, "no such tunnel was made before");
}

static void tunnel_del(struct command *c)
{
	struct import_tunnel *t;

	/* taken down before it is made, in case it is there: that is what scripts do */
	if (c->argc && !strcmp(c->argv[0], "name")) {
		c->argc--;
		c->argv++;
	}
	t = c->argc ? import_tunnel(c->im, c->argv[0], c->netns) : NULL;
	if (t)
		import_forget(c->im, t);
}

/* Options of `ip link ... type KIND` that have other words or values than ours. */
static bool link_option(struct import_tunnel *t, const char *word, const char *arg, int *taken,
			struct err *e)
{
	const struct tunnel_option *o = option_find(word, DIALECT_TEXT);
	static const char *const nothing[] = {"noencap", "noexternal", "noignore-df"};

	for (u32 i = 0; i < countof(nothing); i++)
		if (!strcmp(word, nothing[i]))
			return true;
	if (!strcmp(word, "isatap")) {
		t->t.cfg.mode = MODE_ISATAP;
		return true;
	}
	if (!strcmp(word, "encap") || !strcmp(word, "mode")) {
		*taken = 1;
		return arg && (!strcmp(arg, "none") || !strcmp(arg, "ipip") ||
			       !strcmp(arg, "ip6ip") || !strcmp(arg, "ipv6/ipv4"));
	}
	if (!o || !strcmp(o->word, "name")) {
		err_set(e, EINVAL, "\"%.100s\" is not understood", word);
		return false;
	}
	*taken = o->metavar ? 1 : 0;
	if (o->metavar && arg && !strcmp(arg, "inherit") && strchr("th", word[0]) &&
	    strcmp(word, "tos") && strcmp(word, "tclass"))
		arg = "0"; /* of `ip link` it is a TTL of its own */
	return import_option(t, word, o->metavar ? arg : NULL, e);
}

/* The words between `add` and `type`. */
struct link_frame {
	const char *name, *mtu;
	bool up;
	int type; /* the word behind `type`; 0: none */
};

static bool read_frame(const struct command *c, struct link_frame *f)
{
	for (int i = 0; i < c->argc; i++) {
		const char *word = c->argv[i], *arg = c->argv[i + 1];

		if (!strcmp(word, "type") && arg) {
			f->type = i + 1;
			return true;
		}
		if ((!strcmp(word, "name") || !strcmp(word, "dev")) && arg) {
			f->name = arg;
			i++;
		} else if (!strcmp(word, "mtu") && arg) {
			f->mtu = arg;
			i++;
		} else if (!strcmp(word, "up")) {
			f->up = true;
		} else if (f->name) {
			return false;
		} else {
			f->name = word;
		}
	}
	return true;
}

static const struct mode_info *mode_of_kind(const char *kind)
{
	static const enum mode_id ids[] = {MODE_IPIP, MODE_GRE, MODE_SIT, MODE_VTI};

	for (u32 i = 0; i < countof(ids); i++)
		if (!strcmp(mode_info(ids[i])->kind, kind))
			return mode_info(ids[i]);
	return NULL;
}

static void link_add(struct command *c)
{
	struct link_frame f = {0};
	const struct mode_info *m;
	struct import_tunnel *t;
	struct err e = {0};
	bool good;

	good = read_frame(c, &f) && f.type;
	m = good ? mode_of_kind(c->argv[f.type]) : NULL;
	t = m && f.name ? import_tunnel(c->im, f.name, c->netns) : NULL;
	if (!t) {
		import_lose(c->im, good ? "not a kind of tunnel that tunl has" : "not understood");
		return;
	}
	tunnel_cfg_set_mode(&t->t.cfg, m->id);
	t->made = true;
	for (int i = f.type + 1; good && i < c->argc; i++) {
		int taken = 0;

		good = link_option(t, c->argv[i], c->argv[i + 1], &taken, &e);
		i += taken;
	}
	if (good && f.mtu)
		good = import_take(t, &e, "mtu %s", f.mtu);
	t->t.up |= f.up;
	if (good)
		import_note(c->im, t);
	else
		lose(c, &e);
}

/* `ip link set [dev] NAME up mtu N`. */
static void link_set(struct command *c)
{
	struct import_tunnel *t = NULL;
	struct err e = {0};
	bool good = true;

	for (int i = 0; good && i < c->argc; i++) {
		const char *word = c->argv[i], *arg = c->argv[i + 1];

		if (!strcmp(word, "dev") && arg) {
			t = import_tunnel(c->im, arg, c->netns);
			i++;
		} else if (t && (!strcmp(word, "up") || !strcmp(word, "down"))) {
			t->t.up = word[0] == 'u';
		} else if (t && !strcmp(word, "mtu") && arg) {
			good = import_take(t, &e, "mtu %s", arg);
			i++;
		} else if (t && !strcmp(word, "multicast") && arg) {
			i++; /* a tunnel's device takes what it is sent */
		} else if (!t) {
			t = import_tunnel(c->im, word, c->netns);
		} else {
			good = false;
		}
	}
	if (good && t)
		import_note(c->im, t);
	else
		lose(c, &e);
}

/* Cut `dev NAME` out of the words. NULL: there is none. */
static const char *take_dev(struct command *c)
{
	for (int i = 0; i + 1 < c->argc; i++) {
		const char *dev = c->argv[i + 1];

		if (strcmp(c->argv[i], "dev"))
			continue;
		memmove(c->argv + i, c->argv + i + 2, sizeof(*c->argv) * (size_t)(c->argc - i - 1));
		c->argc -= 2;
		return dev;
	}
	return NULL;
}

/* The rest of the words, as `address` or `route` of a configuration. */
static void take_rest(struct command *c, const char *what)
{
	const char *dev = take_dev(c);
	struct import_tunnel *t = dev ? import_tunnel(c->im, dev, c->netns) : NULL;
	char line[IMPORT_LINE];
	struct err e = {0};
	struct text out;

	if (!t) {
		import_lose(c->im, "it does not name the device");
		return;
	}
	text_init(&out, line, sizeof(line));
	text_add(&out, "%s", what);
	for (int i = 0; i < c->argc; i++)
		if (strcmp(c->argv[i], "local") || i)
			text_add(&out, " %s", c->argv[i]);
	if (import_take(t, &e, "%s", line))
		import_note(c->im, t);
	else
		lose(c, &e);
}

static void addr_add(struct command *c)
{
	take_rest(c, "address");
}

static void route_add(struct command *c)
{
	take_rest(c, "route");
}

static void prl(struct command *c)
{
	const char *dev = take_dev(c);
	struct import_tunnel *t = dev ? import_tunnel(c->im, dev, c->netns) : NULL;
	struct err e = {0};

	if (t && c->argc == 2 && import_take(t, &e, "%s %s", c->argv[0], c->argv[1]))
		import_note(c->im, t);
	else
		lose(c, &e);
}

static void sixrd(struct command *c)
{
	const char *dev = take_dev(c);
	struct import_tunnel *t = dev ? import_tunnel(c->im, dev, c->netns) : NULL;
	struct err e = {0};

	for (int i = 0; t && i < c->argc; i += 2) {
		if (!strncmp(c->argv[i], "6rd-", 4) &&
		    import_option(t, c->argv[i], c->argv[i + 1], &e))
			continue;
		lose(c, &e);
		return;
	}
	if (t)
		import_note(c->im, t);
	else
		lose(c, &e);
}

/* What only takes down or looks is nobody's loss. */
static void nothing(struct command *c)
{
	(void)c;
}

/* In the order in which ip tries beginnings. */
static const struct {
	const char *object, *verb;
	void (*run)(struct command *c);
} commands[] = {
	{"address", "add", addr_add},
	{"address", "replace", addr_add},
	{"address", "delete", nothing},
	{"address", "show", nothing},
	{"link", "add", link_add},
	{"link", "set", link_set},
	{"link", "delete", tunnel_del},
	{"link", "show", nothing},
	{"route", "add", route_add},
	{"route", "replace", route_add},
	{"route", "append", route_add},
	{"route", "delete", nothing},
	{"route", "show", nothing},
	{"tunnel", "add", tunnel_add},
	{"tunnel", "change", tunnel_change},
	{"tunnel", "delete", tunnel_del},
	{"tunnel", "prl", prl},
	{"tunnel", "6rd", sixrd},
	{"tunnel", "show", nothing},
};

/* Options before the object. False: one that is not known. */
static bool skip_options(struct command *c)
{
	while (c->argc && c->argv[0][0] == '-') {
		const char *word = c->argv[0] + 1 + (c->argv[0][1] == '-');
		bool netns = text_is_prefix(word, "netns");

		if (netns && c->argc > 1)
			c->netns = c->argv[1];
		else if (strcmp(word, "4") && strcmp(word, "6"))
			return false;
		c->argc -= netns ? 2 : 1;
		c->argv += netns ? 2 : 1;
	}
	return true;
}

static void run_ip(struct command *c)
{
	if (!skip_options(c) || c->argc < 2) {
		import_lose(c->im, "not understood");
		return;
	}
	for (u32 i = 0; i < countof(commands); i++) {
		if (!text_is_prefix(c->argv[0], commands[i].object) ||
		    !text_is_prefix(c->argv[1], commands[i].verb))
			continue;
		c->argc -= 2;
		c->argv += 2;
		commands[i].run(c);
		return;
	}
	import_lose(c->im, "not understood");
}

static bool is_program(const char *word, const char *name)
{
	const char *slash = strrchr(word, '/');

	return !strcmp(slash ? slash + 1 : word, name);
}

/* `ip netns exec NS ip ...` */
static void enter_netns(struct command *c)
{
	while (c->argc > 4 && is_program(c->argv[0], "ip") && !strcmp(c->argv[1], "netns") &&
	       !strcmp(c->argv[2], "exec")) {
		c->netns = c->argv[3];
		c->argc -= 4;
		c->argv += 4;
	}
}

/* What scripts have around their commands; tunl loads its own modules. */
static bool is_harmless(const char *word)
{
	static const char *const words[] = {"modprobe", "set",	"exit", "true",
					    ":",	"echo", "sleep"};

	for (u32 i = 0; i < countof(words); i++)
		if (is_program(word, words[i]))
			return true;
	return false;
}

/* $IFACE, which ifupdown sets, is the one name that is known. */
static void put_iface(char *line, size_t size, const char *iface)
{
	static const char *const forms[] = {"${IFACE}", "$IFACE"};
	char rest[IMPORT_LINE];

	for (u32 i = 0; iface && i < countof(forms); i++) {
		char *at;

		while ((at = strstr(line, forms[i]))) {
			text_copy(rest, sizeof(rest), at + strlen(forms[i]));
			snprintf(at, size - (size_t)(at - line), "%s%s", iface, rest);
		}
	}
}

/* `command || true` is the command. */
static void drop_or_true(char *line)
{
	static const char *const tails[] = {"|| true", "|| :", "2>/dev/null", ">/dev/null 2>&1"};

	for (u32 i = 0; i < countof(tails); i++) {
		size_t n = strlen(line), k = strlen(tails[i]);

		while (n && strchr(" \t;", line[n - 1]))
			line[--n] = '\0';
		if (n > k && !strcmp(line + n - k, tails[i]))
			line[n - k] = '\0';
	}
}

void import_command(struct import *im, const char *text, const char *iface)
{
	char line[IMPORT_LINE], *words[IMPORT_WORDS + 1];
	struct command c = {.im = im, .argv = words, .netns = ""};

	text_copy(line, sizeof(line), text);
	put_iface(line, sizeof(line), iface);
	drop_or_true(line);
	drop_or_true(line);
	c.argc = strlen(text) < sizeof(line) ? import_words(line, words, IMPORT_WORDS) : -1;
	if (c.argc < 0) {
		import_lose(im, "only a shell can tell what it means");
		return;
	}
	words[c.argc] = NULL;
	if (c.argc && is_program(c.argv[0], "sudo")) {
		c.argc--;
		c.argv++;
	}
	enter_netns(&c);
	if (!c.argc || is_harmless(c.argv[0]))
		return;
	if (!is_program(c.argv[0], "ip") && !is_program(c.argv[0], "tunl")) {
		import_lose(im, "not understood");
		return;
	}
	c.argc--;
	c.argv++;
	run_ip(&c);
}

void import_script(struct import *im, const char *text)
{
	char line[IMPORT_LINE];
	size_t n = 0;

	for (im->line = 1; *text; im->line++) {
		size_t len = strcspn(text, "\n");

		if (n + len >= sizeof(line)) {
			im->text = "";
			import_lose(im, "the line is too long");
			n = 0;
		} else {
			memcpy(line + n, text, len);
			n += len;
			line[n] = '\0';
		}
		text += len + (text[len] == '\n');
		if (n && line[n - 1] == '\\') {
			line[n - 1] = ' ';
			continue;
		}
		im->text = line;
		if (n)
			import_command(im, line, NULL);
		n = 0;
	}
}
