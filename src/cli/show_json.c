/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON (spec cli 2.4). The members and their order are iproute2's; tunl called
 * by its own name adds its own behind them, and its output is one valid text.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/show.h"
#include "lib/addr.h"
#include "wire/ip4.h"

static void put_addr(json_t *o, const char *key, be32 addr)
{
	char buf[ADDR4_TEXT];

	json_object_set_new(o, key, json_string(addr4_print(addr, buf)));
}

static void put_6rd(json_t *o, const struct tunnel_cfg *cfg)
{
	const struct sixrd *s = &cfg->sixrd;
	char buf[ADDR6_TEXT];

	if (cfg->proto != PROTO_IPV6 || !s->prefix_len)
		return;
	json_object_set_new(o, "6rd-prefix", json_string(addr6_print(s->prefix, buf)));
	json_object_set_new(o, "6rd-prefixlen", json_integer(s->prefix_len));
	if (be32_is_zero(s->relay))
		return;
	put_addr(o, "6rd-relay_prefix", s->relay);
	json_object_set_new(o, "6rd-relay_prefixlen", json_integer(s->relay_len));
}

/* iproute2 repeats the member for each; here several are an array. */
static void put_router(json_t *o, const struct prl_entry *e)
{
	const char *key = e->is_default ? "pdr" : "pr";
	json_t *there = json_object_get(o, key);
	char buf[ADDR4_TEXT];
	json_t *addr = json_string(addr4_print(e->addr, buf));

	if (!there)
		json_object_set_new(o, key, addr);
	else if (json_is_array(there))
		json_array_append_new(there, addr);
	else
		json_object_set_new(o, key, json_pack("[O, o]", there, addr));
}

static void put_routers(json_t *o, const struct tunnel_row *row)
{
	if (!row_lists_routers(row))
		return;
	for (u32 i = 0; i < min_of(row->routers.n, (u32)PRL_SHOWN); i++)
		put_router(o, &row->routers.entry[i]);
}

static void put_keys(json_t *o, const struct tunnel_cfg *cfg)
{
	bool in, out;

	show_keys(cfg, &in, &out);
	if (in && out && be32_eq(cfg->ikey, cfg->okey)) {
		json_object_set_new(o, "key", json_integer(be32_host(cfg->ikey)));
		return;
	}
	if (in)
		json_object_set_new(o, "ikey", json_integer(be32_host(cfg->ikey)));
	if (out)
		json_object_set_new(o, "okey", json_integer(be32_host(cfg->okey)));
}

static void put_flags(json_t *o, const struct tunnel_cfg *cfg)
{
	json_t *flags;

	if (cfg->proto != PROTO_GRE)
		return;
	flags = json_array();
	for (u32 i = 0; i < countof(show_flags); i++)
		if ((show_flags[i].input ? cfg->iflags : cfg->oflags) & show_flags[i].flag)
			json_array_append_new(flags, json_string(show_flags[i].json));
	json_object_set_new(o, "flags", flags);
}

/* The members of iproute2. */
static void put_tunnel(const struct cli *cli, json_t *o, const struct tunnel_row *row)
{
	const struct tunnel_cfg *cfg = &row->cfg;
	char buf[8];

	json_object_set_new(o, "ifname", json_string(row->ifname));
	json_object_set_new(o, "mode", json_sprintf("%s/ip", show_proto(cfg->proto)));
	put_addr(o, "remote", cfg->remote);
	put_addr(o, "local", cfg->local);
	put_routers(o, row);
	if (cfg->dev[0])
		json_object_set_new(o, "dev", json_string(cfg->dev));
	if (cfg->ttl)
		json_object_set_new(o, "ttl", json_integer(cfg->ttl));
	if (cfg->tos && cfg->tos != TUNL_TOS_INHERIT)
		json_object_set_new(o, "tos", json_string(show_tos(cli, cfg->tos, buf)));
	if (!cfg->pmtudisc)
		json_object_set_new(o, "nopmtudisc", json_null());
	put_6rd(o, cfg);
	put_keys(o, cfg);
	put_flags(o, cfg);
}

static const struct {
	const char *word;
	u32 counter;
} link_counters[] = {
	{"rx_errors", C_RX_ERRORS},	     {"rx_dropped", C_RX_DROPPED},
	{"rx_crc_errors", C_RX_CRC},	     {"rx_fifo_errors", C_RX_FIFO},
	{"rx_frame_errors", C_RX_FRAME},     {"rx_length_errors", C_RX_LENGTH},
	{"tx_errors", C_TX_ERRORS},	     {"tx_dropped", C_TX_DROPPED},
	{"tx_carrier_errors", C_TX_CARRIER}, {"collisions", C_TX_COLLISIONS},
	{"tx_fifo_errors", C_TX_FIFO},	     {"tx_aborted_errors", C_TX_ABORTED},
};

static json_t *stats_object(const struct tunnel_stats *s)
{
	json_t *o = json_object();

	json_object_set_new(o, "rx_packets", json_integer((json_int_t)s->rx_packets));
	json_object_set_new(o, "rx_bytes", json_integer((json_int_t)s->rx_bytes));
	json_object_set_new(o, "tx_packets", json_integer((json_int_t)s->tx_packets));
	json_object_set_new(o, "tx_bytes", json_integer((json_int_t)s->tx_bytes));
	json_object_set_new(o, "multicast", json_integer((json_int_t)s->multicast));
	for (u32 i = 0; i < countof(link_counters); i++)
		json_object_set_new(
			o, link_counters[i].word,
			json_integer((json_int_t)stats_link_counter(s, link_counters[i].counter)));
	return o;
}

static json_t *reasons_array(const struct tunnel_stats *s)
{
	json_t *a = json_array();

	for (u32 r = R_NONE + 1; r < R__MAX; r++) {
		const struct reason_info *info = reason_info((enum reason)r);

		if (s->reason[r])
			json_array_append_new(a, json_pack("{s:s, s:I, s:s, s:s}", "reason",
							   info->word, "packets",
							   (json_int_t)s->reason[r], "text",
							   info->text, "remedy", info->remedy));
	}
	return a;
}

/* The members that tunl has besides. */
static void put_own(json_t *o, const struct tunnel_row *row)
{
	char line[GRAMMAR_LINE];

	json_object_set_new(o, "ifindex", json_integer(row->ifindex));
	json_object_set_new(o, "up", json_boolean(row->up));
	json_object_set_new(o, "mtu", json_integer(row->mtu));
	json_object_set_new(o, "datapath", json_string(row->datapath));
	json_object_set_new(o, "datapath_asked", json_string(datapath_word(row->cfg.datapath)));
	json_object_set_new(o, "why", json_string(row->why));
	grammar_print(&row->cfg, line, sizeof(line));
	json_object_set_new(o, "config", json_string(line));
	json_object_set_new(o, "stats", stats_object(&row->stats));
	json_object_set_new(o, "reasons", reasons_array(&row->stats));
}

json_t *show_object(const struct cli *cli, const struct tunnel_row *row)
{
	json_t *o = json_object();

	put_tunnel(cli, o, row);
	if (cli->dialect == DIALECT_TUNL)
		put_own(o, row);
	return o;
}

/* An array within a member: `[ ]` or `[ "a","b" ]`. */
static void pretty_value(json_t *value, FILE *out)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	size_t len = text ? strlen(text) : 0;

	if (json_is_array(value) && len >= 2)
		fprintf(out, "[ %.*s%s]", (int)len - 2, text + 1, len > 2 ? " " : "");
	else
		fputs(text ? text : "null", out);
	free(text);
}

static void pretty_object(json_t *o, FILE *out)
{
	const char *key, *comma = "";
	json_t *value;

	fputs("{\n", out);
	json_object_foreach(o, key, value)
	{
		fprintf(out, "%s        \"%s\": ", comma, key);
		pretty_value(value, out);
		comma = ",\n";
	}
	fputs("\n    }\n", out);
}

static void compact_object(json_t *o, FILE *out)
{
	char *text = json_dumps(o, JSON_COMPACT);

	fprintf(out, "%s\n", text ? text : "{}");
	free(text);
}

static void print_object(const struct cli *cli, json_t *o, bool first, FILE *out)
{
	fputs(first ? "" : ",", out);
	if (cli->pretty)
		pretty_object(o, out);
	else
		compact_object(o, out);
	json_decref(o);
}

void show_json_with(const struct cli *cli, const struct tunnel_row *rows, size_t n, json_t *more,
		    FILE *out)
{
	size_t nmore = json_array_size(more);

	fputs(cli->pretty ? "[ " : "[", out);
	for (size_t i = 0; i < n; i++)
		print_object(cli, show_object(cli, &rows[i]), !i, out);
	for (size_t i = 0; i < nmore; i++)
		print_object(cli, json_incref(json_array_get(more, i)), !i && !n, out);
	fputs(cli->pretty && n + nmore ? " ]\n" : "]\n", out);
}

void show_json(const struct cli *cli, const struct tunnel_row *rows, size_t n, FILE *out)
{
	show_json_with(cli, rows, n, NULL, out);
}
