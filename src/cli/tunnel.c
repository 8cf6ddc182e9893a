/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verbs that change something. What iproute2's client checks is checked
 * here, by the grammar; what the kernel's driver would decide, tunld decides.
 */
#include "cli/tunnel.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "cli/row.h"
#include "cli/show.h"
#include "lib/text.h"
#include "model/modes.h"

u32 dev_ifindex(void *ctx, const char *dev)
{
	u32 n = if_nametoindex(dev);

	(void)ctx;
	if (!n && sscanf(dev, "if%u", &n) != 1)
		n = 0;
	return n;
}

void dev_name(struct tunnel_cfg *cfg)
{
	if (cfg->link && !if_indextoname(cfg->link, cfg->dev))
		snprintf(cfg->dev, sizeof(cfg->dev), "if%u", cfg->link);
}

const char *dev_of(const char *name, char buf[static TUNL_NAME_LEN])
{
	text_copy(buf, TUNL_NAME_LEN, name);
	buf[strcspn(buf, ":")] = '\0';
	return buf;
}

const char *tunnel_base(const struct tunnel_cfg *cfg)
{
	const struct mode_info *m = cfg->proto ? mode_info(cfg->mode) : NULL;

	if (cfg->name[0])
		return cfg->name;
	return m ? m->fallback : "";
}

/* Whether the kernel's drivers answer so too. */
static bool is_drivers_own(int code)
{
	switch (code) {
	case EINVAL:
	case EEXIST:
	case ENOBUFS:
	case ENOENT:
	case EOPNOTSUPP:
	case E2BIG:
		return true;
	}
	return false;
}

void cli_cause(const struct cli *cli, const struct err *e)
{
	if (e->text[0] && (cli->dialect == DIALECT_TUNL || !is_drivers_own(e->code)))
		fprintf(stderr, "%s\n", e->text);
}

void cli_refused(const struct cli *cli, const char *what, const char *base, const struct err *e)
{
	fprintf(stderr, "%s tunnel \"%s\" failed: %s\n", what, base, strerror(e->code));
	cli_cause(cli, e);
}

int tunnel_complain(const struct cli *cli, const struct err *e)
{
	if (e->code == ECANCELED)
		return usage_main(cli, 0, NULL);
	fprintf(stderr, "%s\n", e->text);
	return e->status ? e->status : EXIT_REFUSED;
}

/*
 * Without a daemon, and nothing for one to adopt, there are no tunnels: what
 * the driver would say of that.
 */
static void absent(const char *name, struct err *e)
{
	int code = name ? ENODEV : ENOENT;

	if (!ctl_is_admin())
		code = EPERM;
	else if (name && if_nametoindex(name))
		code = EOPNOTSUPP;
	err_set(e, code, "%s", "");
}

static int request(const char *verb, const char *target, struct tunnel_cfg *cfg, struct err *e)
{
	char line[GRAMMAR_LINE], dev[TUNL_NAME_LEN];
	const struct ctl_request req = {.verb = verb,
					.target = target ? dev_of(target, dev) : NULL,
					.config = line,
					.start = !strcmp(verb, "add")};
	int rc;

	dev_name(cfg);
	grammar_print(cfg, line, sizeof(line));
	rc = ctl_call(&req, e);
	if (rc == -ENOTCONN)
		absent(req.target, e);
	return rc;
}

static int add_main(const struct cli *cli, int argc, char **argv)
{
	const struct grammar g = {
		.dialect = cli->dialect, .verb = VERB_ADD, .ifindex = dev_ifindex};
	struct tunnel_cfg cfg;
	struct err e = {0};

	if (grammar_read(&g, argc, argv, &cfg, &e))
		return tunnel_complain(cli, &e);
	if (!request("add", NULL, &cfg, &e))
		return 0;
	cli_refused(cli, "add", mode_info(cfg.mode)->fallback, &e);
	return EXIT_REFUSED;
}

/* What `change NAME ...` knows: the tunnel that was loaded, by today's name. */
struct loaded {
	char name[TUNL_NAME_LEN];
	bool failed;
};

static int change_load(void *ctx, const char *name, struct tunnel_cfg *cfg, struct err *e)
{
	struct loaded *l = ctx;
	char dev[TUNL_NAME_LEN];
	struct tunnel_row row;

	text_copy(l->name, sizeof(l->name), name);
	if (row_get(dev_of(name, dev), NULL, &row, e)) {
		l->failed = true;
		return -e->code;
	}
	*cfg = row.cfg;
	text_copy(cfg->name, sizeof(cfg->name), dev);
	return 0;
}

static int change_main(const struct cli *cli, int argc, char **argv)
{
	struct loaded l = {0};
	const struct grammar g = {.dialect = cli->dialect,
				  .verb = VERB_CHANGE,
				  .load = change_load,
				  .ifindex = dev_ifindex,
				  .ctx = &l};
	struct tunnel_cfg cfg;
	struct err e = {0};

	if (grammar_read(&g, argc, argv, &cfg, &e)) {
		if (!l.failed)
			return tunnel_complain(cli, &e);
		cli_refused(cli, "get", l.name, &e);
		return EXIT_REFUSED;
	}
	if (!request("change", cfg.name[0] ? cfg.name : NULL, &cfg, &e))
		return 0;
	cli_refused(cli, "add", tunnel_base(&cfg), &e);
	return EXIT_REFUSED;
}

static int delete_main(const struct cli *cli, int argc, char **argv)
{
	const struct grammar g = {
		.dialect = cli->dialect, .verb = VERB_DELETE, .ifindex = dev_ifindex};
	const char *name;
	struct tunnel_cfg cfg;
	struct err e = {0};

	if (grammar_read(&g, argc, argv, &cfg, &e))
		return tunnel_complain(cli, &e);
	name = cfg.name[0] ? cfg.name : NULL;
	if (!name && !cfg.proto)
		err_set(&e, ENODEV, "%s", "");
	else if (!request("delete", name, &cfg, &e))
		return 0;
	cli_refused(cli, "delete", tunnel_base(&cfg), &e);
	return EXIT_REFUSED;
}

/* In the order in which beginnings are tried (spec cli 1.1). */
static const struct {
	const char *word;
	int (*main)(const struct cli *cli, int argc, char **argv);
} verbs[] = {
	{"add", add_main},   {"change", change_main}, {"delete", delete_main},
	{"show", show_main}, {"lst", show_main},      {"list", show_main},
	{"prl", prl_main},   {"6rd", sixrd_main},     {"help", usage_main},
};

int tunnel_main(const struct cli *cli, int argc, char **argv)
{
	if (argc < 1)
		return show_main(cli, 0, NULL);
	for (u32 i = 0; i < countof(verbs); i++)
		if (text_is_prefix(argv[0], verbs[i].word))
			return verbs[i].main(cli, argc - 1, argv + 1);
	fprintf(stderr, "Command \"%s\" is unknown, try \"%s help\"\n", argv[0], cli->me);
	return EXIT_SYNTAX;
}
