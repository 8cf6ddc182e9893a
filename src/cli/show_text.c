/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text (spec cli 2.2, 2.3). A tunnel is written into memory first: under -o the
 * line breaks within it become backslashes.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/show.h"
#include "lib/addr.h"
#include "lib/dsfield.h"
#include "model/modes.h"
#include "wire/ip4.h"

#define COLOR_NAME "\033[36m"
#define COLOR_ADDR "\033[35m"
#define COLOR_OFF  "\033[0m"

const struct show_flag show_flags[4] = {
	{true, TUNL_F_SEQ, "Drop packets out of sequence.", "rx_drop_ooseq"},
	{true, TUNL_F_CSUM, "Checksum in received packet is required.", "rx_csum"},
	{false, TUNL_F_SEQ, "Sequence packets on output.", "tx_seq"},
	{false, TUNL_F_CSUM, "Checksum output packets.", "tx_csum"},
};

const char *show_proto(u8 proto)
{
	switch (proto) {
	case PROTO_ANY:
		return "any";
	case PROTO_IPIP:
		return "ip";
	case PROTO_IPV6:
		return "ipv6";
	case PROTO_GRE:
		return "gre";
	case PROTO_MPLS:
		return "mpls";
	}
	return "unknown";
}

const char *show_tos(const struct cli *cli, u8 value, char buf[static 8])
{
	const char *name = cli->numeric ? NULL : dsfield_name(value);

	if (name)
		return name;
	snprintf(buf, 8, "0x%02x", value);
	return buf;
}

void show_keys(const struct tunnel_cfg *cfg, bool *in, bool *out)
{
	*in = cfg->mode == MODE_VTI || cfg->iflags & TUNL_F_KEY;
	*out = cfg->mode == MODE_VTI || cfg->oflags & TUNL_F_KEY;
}

/* `tail` has the address's colour too. */
static void text_addr(const struct cli *cli, const char *addr, const char *tail, FILE *out)
{
	const char *on = cli->color ? COLOR_ADDR : "", *off = cli->color ? COLOR_OFF : "";

	fprintf(out, "%s%s%s%s", on, addr, tail, off);
}

enum { HOST_TEXT = NI_MAXHOST };

/* Under -r an address by its host's name, where it has one. */
static const char *addr_named(const struct cli *cli, be32 addr, char buf[static HOST_TEXT])
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = addr.raw};

	if (cli->resolve && !be32_is_zero(addr) &&
	    !getnameinfo((struct sockaddr *)&sin, sizeof(sin), buf, HOST_TEXT, NULL, 0, 0))
		return buf;
	return addr4_any(addr, buf);
}

static void text_remote(const struct cli *cli, be32 addr, FILE *out)
{
	char buf[HOST_TEXT];

	text_addr(cli, addr_named(cli, addr, buf), " ", out);
}

/* The routers that an ISATAP tunnel believes; `pdr` is a default one. */
static void text_routers(const struct cli *cli, const struct tunnel_row *row, FILE *out)
{
	char buf[HOST_TEXT];

	if (!row_lists_routers(row))
		return;
	for (u32 i = 0; i < min_of(row->routers.n, (u32)PRL_SHOWN); i++) {
		const struct prl_entry *e = &row->routers.entry[i];

		fprintf(out, " %s %s", e->is_default ? "pdr" : "pr", addr_named(cli, e->addr, buf));
	}
}

static void text_tos(const struct cli *cli, u8 tos, FILE *out)
{
	char buf[8];

	if (tos == TUNL_TOS_INHERIT)
		fputs(" tos inherit", out);
	else if (tos)
		fprintf(out, " tos %s%s", tos & TUNL_TOS_INHERIT ? "inherit/" : "",
			show_tos(cli, tos & ~TUNL_TOS_INHERIT, buf));
}

static void text_6rd(const struct tunnel_cfg *cfg, FILE *out)
{
	const struct sixrd *s = &cfg->sixrd;
	char buf[ADDR6_TEXT];

	if (cfg->proto != PROTO_IPV6 || !s->prefix_len)
		return;
	fprintf(out, " 6rd-prefix %s/%u", addr6_print(s->prefix, buf), s->prefix_len);
	if (!be32_is_zero(s->relay))
		fprintf(out, " 6rd-relay_prefix %s/%u", addr4_print(s->relay, buf), s->relay_len);
}

static void text_keys(const struct tunnel_cfg *cfg, FILE *out)
{
	bool has_in, has_out;

	show_keys(cfg, &has_in, &has_out);
	if (has_in && has_out && be32_eq(cfg->ikey, cfg->okey)) {
		fprintf(out, " key %u", be32_host(cfg->ikey));
		return;
	}
	if (has_in)
		fprintf(out, " ikey %u", be32_host(cfg->ikey));
	if (has_out)
		fprintf(out, " okey %u", be32_host(cfg->okey));
}

static void text_flags(const struct tunnel_cfg *cfg, FILE *out)
{
	if (cfg->proto != PROTO_GRE)
		return;
	for (u32 i = 0; i < countof(show_flags); i++)
		if ((show_flags[i].input ? cfg->iflags : cfg->oflags) & show_flags[i].flag)
			fprintf(out, "\n  %s", show_flags[i].text);
}

static void text_line(const struct cli *cli, const struct tunnel_row *row, FILE *out)
{
	const struct tunnel_cfg *cfg = &row->cfg;
	char buf[ADDR4_TEXT];

	fprintf(out, "%s%s: %s%s/ip remote ", cli->color ? COLOR_NAME : "", row->ifname,
		cli->color ? COLOR_OFF : "", show_proto(cfg->proto));
	text_remote(cli, cfg->remote, out);
	fputs("local ", out);
	text_addr(cli, addr4_any(cfg->local, buf), "", out);
	text_routers(cli, row, out);
	if (cfg->dev[0])
		fprintf(out, " dev %s", cfg->dev);
	if (cfg->ttl)
		fprintf(out, " ttl %u", cfg->ttl);
	else
		fputs(" ttl inherit", out);
	text_tos(cli, cfg->tos, out);
	if (!cfg->pmtudisc)
		fputs(" nopmtudisc", out);
	text_6rd(cfg, out);
	text_keys(cfg, out);
	text_flags(cfg, out);
}

/* tunl's own -d: who carries the packets, and what was not carried and why. */
static void text_details(const struct tunnel_row *row, FILE *out)
{
	fprintf(out, "\n  datapath %s (asked: %s)%s%s", row->datapath,
		datapath_word(row->cfg.datapath), row->why[0] ? ": " : "", row->why);
	for (u32 r = R_NONE + 1; r < R__MAX; r++) {
		const struct reason_info *info = reason_info((enum reason)r);

		if (row->stats.reason[r])
			fprintf(out, "\n  %s %llu: %s; %s", info->word,
				(unsigned long long)row->stats.reason[r], info->text, info->remedy);
	}
}

static unsigned long long counter(const struct tunnel_row *row, u32 which)
{
	return stats_link_counter(&row->stats, which);
}

static void text_stats(const struct tunnel_row *row, FILE *out)
{
	const struct tunnel_stats *s = &row->stats;

	fputs("\nRX: Packets    Bytes        Errors CsumErrs OutOfSeq Mcasts", out);
	fprintf(out, "\n    %-10llu %-12llu %-6llu %-8llu %-8llu %-8llu",
		(unsigned long long)s->rx_packets, (unsigned long long)s->rx_bytes,
		counter(row, C_RX_ERRORS), counter(row, C_RX_FRAME), counter(row, C_RX_FIFO),
		(unsigned long long)s->multicast);
	fputs("\nTX: Packets    Bytes        Errors DeadLoop NoRoute  NoBufs", out);
	fprintf(out, "\n    %-10llu %-12llu %-6llu %-8llu %-8llu %-6llu",
		(unsigned long long)s->tx_packets, (unsigned long long)s->tx_bytes,
		counter(row, C_TX_ERRORS), counter(row, C_TX_COLLISIONS),
		counter(row, C_TX_CARRIER), counter(row, C_TX_DROPPED));
}

void show_text(const struct cli *cli, const struct tunnel_row *row, FILE *out)
{
	char *text = NULL;
	size_t len;
	FILE *mem = open_memstream(&text, &len);

	if (!mem)
		return;
	text_line(cli, row, mem);
	if (cli->details && cli->dialect == DIALECT_TUNL)
		text_details(row, mem);
	if (cli->stats)
		text_stats(row, mem);
	fclose(mem);
	for (char *p = text; cli->oneline && (p = strchr(p, '\n'));)
		*p = '\\';
	fprintf(out, "%s\n", text);
	free(text);
}
