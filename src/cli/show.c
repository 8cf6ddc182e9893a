/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which tunnels are shown (spec cli 2.1). Where the words or the name tell a
 * mode, one is asked for (direct path), else all are looked through.
 */
#include "cli/show.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "cli/conf_cmd.h"
#include "cli/tunnel.h"
#include "model/conf.h"
#include "model/modes.h"

/* A filter that is zero fits all. */
static bool is_wanted(const struct tunnel_cfg *filter, const struct tunnel_row *row)
{
	const struct tunnel_cfg *cfg = &row->cfg;

	if (filter->name[0] && strcmp(filter->name, row->ifname))
		return false;
	if (!be32_is_zero(filter->local) && !be32_eq(filter->local, cfg->local))
		return false;
	if (!be32_is_zero(filter->remote) && !be32_eq(filter->remote, cfg->remote))
		return false;
	return !filter->link || filter->link == dev_ifindex(NULL, cfg->dev);
}

/* --config: the lines that make these tunnels again. */
static void print_config(const struct tunnel_row *row)
{
	struct tunnel_cfg cfg = row->cfg;
	struct conf_tunnel t = {.up = false};
	static char line[CONF_LINE];
	struct prl routers = row->routers;

	memcpy(cfg.name, row->ifname, sizeof(cfg.name));
	t.cfg = cfg;
	t.routers = routers.n ? &routers : NULL;
	conf_print(&t, line, sizeof(line));
	puts(line);
}

static void print_rows(const struct cli *cli, const struct tunnel_row *rows, size_t n)
{
	if (cli->json && !cli->config) {
		show_json(cli, rows, n, stdout);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (cli->config)
			print_config(&rows[i]);
		else
			show_text(cli, &rows[i], stdout);
}

static bool has_filter(const struct tunnel_cfg *f)
{
	return !be32_is_zero(f->local) || !be32_is_zero(f->remote) || f->link;
}

/* Behind the tunnels those that the configuration asks for and cannot have. */
static void print_with_missing(const struct cli *cli, const struct tunnel_row *rows, size_t n,
			       const char *name)
{
	json_t *missing = conf_missing(name);

	if (cli->json) {
		show_json_with(cli, rows, n, missing, stdout);
	} else {
		print_rows(cli, rows, n);
		conf_print_missing(missing);
	}
	json_decref(missing);
}

static int show_list(const struct cli *cli, const struct tunnel_cfg *filter)
{
	struct tunnel_row *rows;
	size_t n, kept = 0;
	struct err e = {0};
	int rc = row_list(&rows, &n, &e);

	if (rc && rc != -ENOTCONN) {
		fprintf(stderr, "%s: %s\n", cli->me, e.text[0] ? e.text : strerror(e.code));
		return EXIT_REFUSED;
	}
	for (size_t i = 0; i < n; i++)
		if (is_wanted(filter, &rows[i]))
			rows[kept++] = rows[i];
	if (cli->dialect == DIALECT_TUNL && !cli->config && !has_filter(filter))
		print_with_missing(cli, rows, kept, filter->name);
	else
		print_rows(cli, rows, kept);
	free(rows);
	return 0;
}

/*
 * Plain text even under -j, and never statistics: so does iproute2, as whom we
 * may be called. Without a match the driver's fallback device would be shown;
 * there is none (doc/compat.md).
 */
static int show_direct(const struct cli *cli, const struct tunnel_cfg *cfg)
{
	char dev[TUNL_NAME_LEN];
	const char *name = cfg->name[0] ? dev_of(cfg->name, dev) : NULL;
	struct tunnel_row row;
	struct cli plain = *cli;
	struct err e = {0};
	int rc = row_get(name, cfg, &row, &e);

	if (rc == -ENOENT && !name) {
		if (cli->json && cli->dialect == DIALECT_TUNL)
			show_json(cli, NULL, 0, stdout);
		return 0;
	}
	if (rc) {
		cli_refused(cli, "get", tunnel_base(cfg), &e);
		return EXIT_REFUSED;
	}
	if (cli->dialect == DIALECT_IP)
		plain.json = plain.stats = false;
	print_rows(&plain, &row, 1);
	return 0;
}

int show_main(const struct cli *cli, int argc, char **argv)
{
	const struct grammar g = {
		.dialect = cli->dialect, .verb = VERB_SHOW, .ifindex = dev_ifindex};
	struct tunnel_cfg cfg;
	struct err e = {0};

	if (grammar_read(&g, argc, argv, &cfg, &e))
		return tunnel_complain(cli, &e);
	return cfg.proto ? show_direct(cli, &cfg) : show_list(cli, &cfg);
}
