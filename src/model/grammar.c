/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading. One pass over the words, each of which the table (options.c) knows
 * or which is the NAME; then what iproute2 looks at afterwards, in its order
 * (spec cli 1.4). Which of two mistakes is reported is part of the behaviour.
 */
#include "model/grammar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/text.h"
#include "model/modes.h"
#include "model/options.h"
#include "wire/ip4.h"

enum { STATUS_REFUSED = 1, STATUS_SYNTAX = 255 };

void tunnel_cfg_init(struct tunnel_cfg *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->pmtudisc = true;
}

void tunnel_cfg_set_mode(struct tunnel_cfg *cfg, enum mode_id mode)
{
	const struct mode_info *m = mode_info(mode);
	bool fresh = cfg->mode == MODE_NONE;

	cfg->mode = mode;
	cfg->proto = m->proto;
	if (fresh && m->has_6rd)
		cfg->sixrd = sixrd_6to4();
}

/* `change NAME ...`: what is there comes first, the options override. */
static int reading_load(struct reading *r, const char *name)
{
	struct tunnel_cfg loaded;
	int rc;

	if (r->g->verb != VERB_CHANGE || !r->first || !r->g->load)
		return 0;
	tunnel_cfg_init(&loaded);
	rc = r->g->load(r->g->ctx, name, &loaded, r->e);
	if (rc)
		return rc;
	*r->cfg = loaded;
	r->loaded = loaded.mode;
	return 0;
}

int reading_name(struct reading *r, const char *name)
{
	if (r->cfg->name[0])
		return err_exit(r->e, STATUS_SYNTAX, EINVAL,
				"Error: either \"name\" is duplicate, or \"%s\" is a garbage.",
				name);
	if (!ifname_ok(name))
		return err_exit(r->e, STATUS_SYNTAX, EINVAL,
				"Error: argument \"%s\" is wrong: \"name\" not a valid ifname",
				name);
	text_copy(r->cfg->name, sizeof(r->cfg->name), name);
	return reading_load(r, name);
}

/* Take the option at argv[0]. The number of words it was, or -errno. */
static int reading_option(struct reading *r, int argc, char *const *argv)
{
	const struct tunnel_option *o = option_find(argv[0], r->g->dialect);
	int rc;

	if (!o) {
		if (r->g->dialect != DIALECT_TEXT && text_is_prefix(argv[0], "help"))
			return err_exit(r->e, STATUS_SYNTAX, ECANCELED, "%s", "");
		rc = reading_name(r, argv[0]);
		return rc ? rc : 1;
	}
	if (o->metavar && argc < 2)
		return err_exit(r->e, STATUS_SYNTAX, EINVAL,
				"Command line is not complete. Try option \"help\"");
	rc = o->read(r, argv[0], o->metavar ? argv[1] : NULL);
	if (rc)
		return rc;
	return o->metavar ? 2 : 1;
}

static int reading_words(struct reading *r, int argc, char *const *argv)
{
	r->first = true;
	for (int i = 0; i < argc;) {
		int n = reading_option(r, argc - i, argv + i);

		if (n < 0)
			return n;
		i += n;
		r->first = false;
	}
	return 0;
}

/* Where no mode was said, the name may say it. */
static void guess_mode(struct tunnel_cfg *cfg)
{
	const struct mode_info *m = mode_by_name(cfg->name);

	if (!cfg->proto && m)
		tunnel_cfg_set_mode(cfg, m->id);
}

static bool takes_keys(const struct reading *r)
{
	const struct mode_info *m = r->cfg->proto ? mode_info(r->cfg->mode) : NULL;
	const struct mode_info *loaded = mode_info(r->loaded);

	return (m && m->has_keys) || (loaded && loaded->keys_if_loaded);
}

static int check_keys(const struct reading *r)
{
	if (!((r->cfg->iflags | r->cfg->oflags) & TUNL_F_KEY) || takes_keys(r))
		return 0;
	return err_exit(r->e, STATUS_REFUSED, EINVAL,
			"Keys are not allowed with ipip and sit tunnels");
}

static int resolve_dev(const struct reading *r)
{
	const struct grammar *g = r->g;
	const char *dev = r->dev ? r->dev : r->cfg->dev;

	if (!(dev[0] || r->dev) || !g->ifindex)
		return 0;
	r->cfg->link = g->ifindex(g->ctx, dev);
	if (r->cfg->link) {
		/* `if 1` is device 1 to iproute2; in a line of words it would be two */
		if (!ifname_ok(dev))
			snprintf(r->cfg->dev, sizeof(r->cfg->dev), "if%u", r->cfg->link);
		return 0;
	}
	return err_exit(r->e, STATUS_REFUSED, ENODEV, "Cannot find device \"%s\"", dev);
}

/* A group as remote is its own key, and needs a source (spec cli 1.6). */
static int fill_multicast(struct tunnel_cfg *cfg, struct err *e)
{
	if (!ip4_is_multicast(cfg->remote))
		return 0;
	if (be32_is_zero(cfg->ikey)) {
		cfg->ikey = cfg->remote;
		cfg->iflags |= TUNL_F_KEY;
	}
	if (be32_is_zero(cfg->okey)) {
		cfg->okey = cfg->remote;
		cfg->oflags |= TUNL_F_KEY;
	}
	if (!be32_is_zero(cfg->local))
		return 0;
	return err_exit(e, STATUS_REFUSED, EINVAL, "A broadcast tunnel requires a source address");
}

static int check_new(const struct tunnel_cfg *cfg, struct err *e)
{
	if (cfg->ttl && !cfg->pmtudisc)
		return err_exit(e, STATUS_REFUSED, EINVAL,
				"ttl != 0 and nopmtudisc are incompatible");
	/* iproute2 knows the driver by the protocol: none (any/ip) and MPLS (which `ip link` makes)
	 * tell none */
	if (cfg->proto == PROTO_ANY || cfg->proto == PROTO_MPLS)
		return err_exit(e, STATUS_REFUSED, EINVAL,
				"cannot determine tunnel mode (ipip, gre, vti or sit)");
	return 0;
}

int grammar_read(const struct grammar *g, int argc, char *const *argv, struct tunnel_cfg *cfg,
		 struct err *e)
{
	struct reading r = {.g = g, .cfg = cfg, .e = e};
	int rc;

	tunnel_cfg_init(cfg);
	rc = reading_words(&r, argc, argv);
	if (rc)
		return rc;
	guess_mode(cfg);
	rc = check_keys(&r);
	if (!rc)
		rc = resolve_dev(&r);
	if (!rc)
		rc = fill_multicast(cfg, e);
	if (!rc && (g->verb == VERB_ADD || g->verb == VERB_CHANGE))
		rc = check_new(cfg, e);
	return rc;
}

int grammar_settle(struct tunnel_cfg *cfg, struct err *e)
{
	const struct reading r = {.cfg = cfg, .e = e};
	int rc;

	if (!cfg->mode)
		guess_mode(cfg);
	rc = check_keys(&r);
	if (!rc)
		rc = fill_multicast(cfg, e);
	if (!rc && !cfg->mode)
		rc = err_set(e, EINVAL, "its mode is not told: mode ipip, gre, sit, ...");
	return rc;
}

int grammar_line(const char *line, struct tunnel_cfg *cfg, struct err *e)
{
	static const struct grammar text = {.dialect = DIALECT_TEXT, .verb = VERB_SHOW};
	struct reading r = {.g = &text, .cfg = cfg, .e = e};
	char copy[GRAMMAR_LINE], *words[GRAMMAR_WORDS];
	int n;

	tunnel_cfg_init(cfg);
	if (strlen(line) >= sizeof(copy))
		return err_set(e, E2BIG, "a tunnel's line is longer than %d bytes",
			       GRAMMAR_LINE - 1);
	strcpy(copy, line);
	n = text_split(copy, words, GRAMMAR_WORDS);
	if (n < 0)
		return err_set(e, E2BIG, "a tunnel's line has more than %d words", GRAMMAR_WORDS);
	return reading_words(&r, n, words);
}
