/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The samples of a family stand together, so all rows are read first. A struct page is one
 * exposition being made.
 */
#include "cli/metrics.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/conf_cmd.h"
#include "cli/row.h"
#include "lib/addr.h"
#include "model/modes.h"
#include "model/stats.h"

enum { NETNS_LEN = 64 };

struct tunnel_metrics {
	struct tunnel_row row;
	char netns[NETNS_LEN];
	double heard; /* seconds ago; < 0: not known */
	u32 pmtu;
	bool made, carrier;
};

struct page {
	FILE *out;
	bool answered;
	json_t *head; /* first row */
	struct tunnel_metrics *t;
	size_t n, room;
	json_int_t ino; /* of the namespace whose name was looked for last */
};

struct family {
	const char *name, *type, *help;
	bool unmade; /* it is said of tunnels that could not be made, too */
	/* The value, or -1: there is none. */
	double (*value)(const struct tunnel_metrics *m);
};

/* A name that `ip netns` gave to the namespace with that inode, "" for ours, or its number. */
static void netns_name(json_int_t ino, char buf[NETNS_LEN])
{
	DIR *dir = opendir("/run/netns");
	struct dirent *de;
	struct stat st;

	snprintf(buf, NETNS_LEN, "net:[%lld]", (long long)ino);
	if (!stat("/proc/self/ns/net", &st) && st.st_ino == (ino_t)ino)
		buf[0] = '\0';
	while (dir && (de = readdir(dir)))
		if (!fstatat(dirfd(dir), de->d_name, &st, 0) && st.st_ino == (ino_t)ino &&
		    strlen(de->d_name) < NETNS_LEN)
			strcpy(buf, de->d_name);
	if (dir)
		closedir(dir);
}

static struct tunnel_metrics *tunnel_new(struct page *p)
{
	if (p->n == p->room) {
		size_t room = p->room ? p->room * 2 : 64;
		struct tunnel_metrics *more = realloc(p->t, room * sizeof(*more));

		if (!more)
			return NULL;
		p->t = more;
		p->room = room;
	}
	memset(&p->t[p->n], 0, sizeof(p->t[0]));
	return &p->t[p->n++];
}

/* Many tunnels of one namespace stand in a row. */
static void name_netns(struct page *p, struct tunnel_metrics *m, json_int_t ino)
{
	if (p->n > 1 && ino == p->ino)
		memcpy(m->netns, m[-1].netns, sizeof(m->netns));
	else
		netns_name(ino, m->netns);
	p->ino = ino;
}

static int take_row(void *ctx, json_t *row)
{
	struct page *p = ctx;
	struct tunnel_metrics *m;
	struct err e;

	if (!p->head) {
		p->head = json_incref(row);
		return 0;
	}
	m = tunnel_new(p);
	if (!m)
		return -ENOMEM;
	if (row_read(row, &m->row, &e)) {
		p->n--;
		return 0;
	}
	m->made = true;
	m->carrier = json_is_true(json_object_get(row, "carrier"));
	m->pmtu = (u32)json_integer_value(json_object_get(row, "pmtu"));
	m->heard = json_number_value(json_object_get(row, "heard"));
	name_netns(p, m, json_integer_value(json_object_get(row, "netns")));
	return 0;
}

/* What the configuration asks for and is not there. */
static void take_unmade(struct page *p, const json_t *row)
{
	const char *name = json_string_value(json_object_get(row, "name"));
	const char *netns = json_string_value(json_object_get(row, "netns"));
	const char *config = json_string_value(json_object_get(row, "config"));
	struct tunnel_metrics *m;
	struct err e;

	if (!name || json_is_true(json_object_get(row, "made")))
		return;
	m = tunnel_new(p);
	if (!m)
		return;
	/* words for its device, which are no tunnel's, may stand in it */
	if (config && grammar_line(config, &m->row.cfg, &e))
		memset(&m->row.cfg, 0, sizeof(m->row.cfg));
	snprintf(m->row.ifname, sizeof(m->row.ifname), "%s", name);
	snprintf(m->netns, sizeof(m->netns), "%s", netns ? netns : "");
	m->heard = -1;
}

static void collect(struct page *p)
{
	const struct ctl_request req = {
		.verb = "metrics", .running = true, .row = take_row, .ctx = p};
	struct err e = {0};
	json_t *unmade, *row;
	size_t i;

	p->answered = ctl_call(&req, &e) == 0;
	unmade = p->answered ? conf_ask(true, NULL) : NULL;
	json_array_foreach(unmade, i, row) take_unmade(p, row);
	json_decref(unmade);
}

/* A label's value, with its quotes (Prometheus' text format: \\, \", \n). */
static void put_value(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '\n')
			fputs("\\n", out);
		else if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

static void put_names(FILE *out, const struct tunnel_metrics *m)
{
	fputs("name=", out);
	put_value(out, m->row.ifname);
	fputs(",netns=", out);
	put_value(out, m->netns);
}

static void put_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static double up(const struct tunnel_metrics *m)
{
	return m->row.up;
}

static double made(const struct tunnel_metrics *m)
{
	return m->made;
}

static double carrier(const struct tunnel_metrics *m)
{
	return m->carrier;
}

static double mtu(const struct tunnel_metrics *m)
{
	return m->row.mtu;
}

static double path_mtu(const struct tunnel_metrics *m)
{
	return m->pmtu ? (double)m->pmtu : -1;
}

static double heard(const struct tunnel_metrics *m)
{
	return m->heard < 0 ? -1 : (double)time(NULL) - m->heard;
}

static double rx_packets(const struct tunnel_metrics *m)
{
	return (double)m->row.stats.rx_packets;
}

static double rx_bytes(const struct tunnel_metrics *m)
{
	return (double)m->row.stats.rx_bytes;
}

static double tx_packets(const struct tunnel_metrics *m)
{
	return (double)m->row.stats.tx_packets;
}

static double tx_bytes(const struct tunnel_metrics *m)
{
	return (double)m->row.stats.tx_bytes;
}

static double rx_errors(const struct tunnel_metrics *m)
{
	return (double)stats_link_counter(&m->row.stats, C_RX_ERRORS);
}

static double tx_errors(const struct tunnel_metrics *m)
{
	return (double)stats_link_counter(&m->row.stats, C_TX_ERRORS);
}

static const struct family families[] = {
	/* clang-format off */
	{"tunl_tunnel_made", "gauge", "Whether the tunnel is there; 0: the configuration asks for it in vain.", true, made},
	{"tunl_tunnel_up", "gauge", "Whether the device is there and set up.", true, up},
	{"tunl_tunnel_carrier", "gauge", "0: the peer does not answer `keepalive`.", true, carrier},
	{"tunl_tunnel_mtu_bytes", "gauge", "MTU of the device.", false, mtu},
	{"tunl_tunnel_path_mtu_bytes", "gauge", "MTU of the path to the remote, as it is known.", false, path_mtu},
	{"tunl_tunnel_last_heard_timestamp_seconds", "gauge", "When a packet of the peer was last seen to have come.", false, heard},
	{"tunl_tunnel_receive_packets_total", "counter", "Packets received.", false, rx_packets},
	{"tunl_tunnel_receive_bytes_total", "counter", "Bytes of inner packets received.", false, rx_bytes},
	{"tunl_tunnel_receive_errors_total", "counter", "Packets refused: the device's receive errors.", false, rx_errors},
	{"tunl_tunnel_transmit_packets_total", "counter", "Packets sent.", false, tx_packets},
	{"tunl_tunnel_transmit_bytes_total", "counter", "Bytes of inner packets sent.", false, tx_bytes},
	{"tunl_tunnel_transmit_errors_total", "counter", "Packets not sent: the device's transmit errors.", false, tx_errors},
	/* clang-format on */
};

static void put_family(const struct page *p, const struct family *f)
{
	put_head(p->out, f->name, f->type, f->help);
	for (size_t i = 0; i < p->n; i++) {
		const struct tunnel_metrics *m = &p->t[i];
		double value = m->made || f->unmade ? f->value(m) : -1;

		if (value < 0)
			continue;
		fprintf(p->out, "%s{", f->name);
		put_names(p->out, m);
		fprintf(p->out, "} %.17g\n", value);
	}
}

static void put_info(const struct page *p)
{
	static const char name[] = "tunl_tunnel_info";

	put_head(p->out, name, "gauge", "What the tunnel is; always 1.");
	for (size_t i = 0; i < p->n; i++) {
		const struct tunnel_metrics *m = &p->t[i];
		const struct tunnel_cfg *cfg = &m->row.cfg;
		const struct mode_info *mode = mode_info(cfg->mode);
		char addr[ADDR4_TEXT];

		fprintf(p->out, "%s{", name);
		put_names(p->out, m);
		fprintf(p->out, ",mode=\"%s\"", mode ? mode->word : "");
		fprintf(p->out, ",remote=\"%s\"", addr4_print(cfg->remote, addr));
		fprintf(p->out, ",local=\"%s\"", addr4_print(cfg->local, addr));
		fprintf(p->out, ",datapath=\"%s\"} 1\n", m->row.datapath);
	}
}

static void put_drops(const struct page *p)
{
	static const char name[] = "tunl_tunnel_drops_total";

	put_head(p->out, name, "counter", "Packets not carried, by reason (tunl-reasons(7)).");
	for (size_t i = 0; i < p->n; i++)
		for (enum reason r = R_NONE + 1; r < R__MAX; r++) {
			if (!p->t[i].row.stats.reason[r])
				continue;
			fprintf(p->out, "%s{", name);
			put_names(p->out, &p->t[i]);
			fprintf(p->out, ",reason=\"%s\"} %llu\n", reason_info(r)->word,
				(unsigned long long)p->t[i].row.stats.reason[r]);
		}
}

static void put_reasons(FILE *out, const char *name, const u64 *count)
{
	for (enum reason r = R_NONE + 1; r < R__MAX; r++)
		if (count[r])
			fprintf(out, "%s{reason=\"%s\"} %llu\n", name, reason_info(r)->word,
				(unsigned long long)count[r]);
}

static void read_reasons(const json_t *o, u64 *count)
{
	const char *word;
	json_t *n;

	json_object_foreach((json_t *)o, word, n)
	{
		enum reason r = reason_by_word(word);

		if (r != R_NONE)
			count[r] += (u64)json_integer_value(n);
	}
}

static u64 number(const json_t *o, const char *key)
{
	return (u64)json_integer_value(json_object_get(o, key));
}

/* Of those that are there, and those that were. */
static void sum_up(const struct page *p, struct tunnel_stats *sum)
{
	const json_t *gone = json_object_get(p->head, "gone");

	*sum = (struct tunnel_stats){
		.rx_packets = number(gone, "rx_packets"),
		.rx_bytes = number(gone, "rx_bytes"),
		.tx_packets = number(gone, "tx_packets"),
		.tx_bytes = number(gone, "tx_bytes"),
	};
	read_reasons(json_object_get(gone, "reasons"), sum->reason);
	for (size_t i = 0; i < p->n; i++)
		stats_add(sum, &p->t[i].row.stats);
}

static void put_number(FILE *out, const char *name, const char *help, u64 value)
{
	size_t len = strlen(name);
	bool counts = len > 6 && !strcmp(name + len - 6, "_total");

	put_head(out, name, counts ? "counter" : "gauge", help);
	fprintf(out, "%s %llu\n", name, (unsigned long long)value);
}

static void put_totals(const struct page *p)
{
	u64 unmatched[R__MAX] = {0}, there = 0;
	struct tunnel_stats sum;
	FILE *out = p->out;

	sum_up(p, &sum);
	read_reasons(json_object_get(p->head, "unmatched"), unmatched);
	for (size_t i = 0; i < p->n; i++)
		there += p->t[i].made;
	put_number(out, "tunl_tunnels", "Tunnels that are there.", there);
	put_number(out, "tunl_tunnels_unmade", "Tunnels that are configured and cannot be had.",
		   p->n - there);
	put_number(out, "tunl_namespaces", "Network namespaces served.",
		   number(p->head, "namespaces"));
	put_number(out, "tunl_receive_packets_total", "Packets received by all tunnels.",
		   sum.rx_packets);
	put_number(out, "tunl_receive_bytes_total", "Bytes of inner packets received by all.",
		   sum.rx_bytes);
	put_number(out, "tunl_receive_errors_total", "Packets refused by all tunnels.",
		   stats_link_counter(&sum, C_RX_ERRORS));
	put_number(out, "tunl_transmit_packets_total", "Packets sent by all tunnels.",
		   sum.tx_packets);
	put_number(out, "tunl_transmit_bytes_total", "Bytes of inner packets sent by all.",
		   sum.tx_bytes);
	put_number(out, "tunl_transmit_errors_total", "Packets not sent by all tunnels.",
		   stats_link_counter(&sum, C_TX_ERRORS));
	put_head(out, "tunl_drops_total", "counter", "Packets that tunnels did not carry.");
	put_reasons(out, "tunl_drops_total", sum.reason);
	put_head(out, "tunl_unmatched_drops_total", "counter",
		 "Received packets that were no tunnel's.");
	put_reasons(out, "tunl_unmatched_drops_total", unmatched);
}

static void put_page(const struct page *p)
{
	const char *version = json_string_value(json_object_get(p->head, "version"));

	put_number(p->out, "tunl_up", "Whether tunld answers.", p->answered);
	if (!p->answered)
		return;
	put_head(p->out, "tunl_build_info", "gauge", "The version of tunld; always 1.");
	fputs("tunl_build_info{version=", p->out);
	put_value(p->out, version ? version : "");
	fputs("} 1\n", p->out);
	put_totals(p);
	put_info(p);
	for (size_t i = 0; i < countof(families); i++)
		put_family(p, &families[i]);
	put_drops(p);
}

char *metrics_text(size_t *len)
{
	struct page p = {0};
	char *text = NULL;

	p.out = open_memstream(&text, len);
	if (!p.out)
		return NULL;
	collect(&p);
	put_page(&p);
	json_decref(p.head);
	free(p.t);
	if (!fclose(p.out))
		return text;
	free(text);
	return NULL;
}
