/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/row.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/text.h"
#include "model/grammar.h"

static void row_text(json_t *json, const char *key, char *buf, size_t size)
{
	const char *s = json_string_value(json_object_get(json, key));

	text_copy(buf, size, s ? s : "");
}

static u64 row_number(json_t *json, const char *key)
{
	return (u64)json_integer_value(json_object_get(json, key));
}

static void row_stats(json_t *json, struct tunnel_stats *s)
{
	const char *word;
	json_t *value;

	s->rx_packets = row_number(json, "rx_packets");
	s->rx_bytes = row_number(json, "rx_bytes");
	s->tx_packets = row_number(json, "tx_packets");
	s->tx_bytes = row_number(json, "tx_bytes");
	s->multicast = row_number(json, "multicast");
	json_object_foreach(json_object_get(json, "reasons"), word, value)
	{
		enum reason r = reason_by_word(word);

		if (r != R_NONE)
			s->reason[r] = (u64)json_integer_value(value);
	}
}

/* In the daemon's order, newest first: each is put before those behind it. */
static void row_routers(json_t *json, struct prl *p)
{
	for (size_t i = json_array_size(json); i--;) {
		json_t *entry = json_array_get(json, i);
		const char *text = json_string_value(json_object_get(entry, "address"));
		be32 addr;

		if (text && addr4_parse(text, &addr))
			prl_add(p, addr, json_is_true(json_object_get(entry, "default")));
	}
}

int row_read(json_t *json, struct tunnel_row *row, struct err *e)
{
	const char *config = json_string_value(json_object_get(json, "config"));

	memset(row, 0, sizeof(*row));
	if (!config || grammar_line(config, &row->cfg, e))
		return err_set(e, EPROTO,
			       "tunld told of a tunnel in words unknown here: do tunl "
			       "and tunld belong together?");
	row_text(json, "ifname", row->ifname, sizeof(row->ifname));
	row->ifindex = (u32)row_number(json, "ifindex");
	row->mtu = (u32)row_number(json, "mtu");
	row->up = json_is_true(json_object_get(json, "up"));
	row_text(json, "datapath", row->datapath, sizeof(row->datapath));
	row_text(json, "why", row->why, sizeof(row->why));
	row_stats(json_object_get(json, "stats"), &row->stats);
	row_routers(json_object_get(json, "routers"), &row->routers);
	return 0;
}

struct rows {
	struct tunnel_row *row;
	size_t n, room;
	struct err *e;
};

static int rows_take(void *ctx, json_t *json)
{
	struct rows *rs = ctx;

	if (rs->n == rs->room) {
		size_t room = rs->room ? rs->room * 2 : 16;
		void *more = realloc(rs->row, room * sizeof(*rs->row));

		if (!more)
			return err_set(rs->e, ENOMEM, "%s", "");
		rs->row = more;
		rs->room = room;
	}
	return row_read(json, &rs->row[rs->n++], rs->e);
}

static int by_ifindex(const void *a, const void *b)
{
	const struct tunnel_row *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

int row_list(struct tunnel_row **rows, size_t *n, struct err *e)
{
	struct rows rs = {.e = e};
	const struct ctl_request req = {.verb = "list", .row = rows_take, .ctx = &rs};
	int rc = ctl_call(&req, e);

	*rows = NULL;
	*n = 0;
	if (rc) {
		free(rs.row);
		return rc;
	}
	if (rs.n)
		qsort(rs.row, rs.n, sizeof(*rs.row), by_ifindex);
	*rows = rs.row;
	*n = rs.n;
	return 0;
}

struct one {
	struct tunnel_row *row;
	bool seen;
	struct err *e;
};

static int one_take(void *ctx, json_t *json)
{
	struct one *o = ctx;

	o->seen = true;
	return row_read(json, o->row, o->e);
}

/* No daemon and nothing to adopt: what there is are other people's devices. */
static int get_absent(const char *name, struct err *e)
{
	if (!name)
		return err_set(e, ENOENT, "%s", "");
	return err_set(e, if_nametoindex(name) ? EOPNOTSUPP : ENODEV, "%s", "");
}

int row_get(const char *name, const struct tunnel_cfg *by, struct tunnel_row *row, struct err *e)
{
	char line[GRAMMAR_LINE] = "";
	struct one o = {.row = row, .e = e};
	struct ctl_request req = {.verb = "get", .target = name, .row = one_take, .ctx = &o};
	int rc;

	if (!name) {
		grammar_print(by, line, sizeof(line));
		req.config = line;
	}
	rc = ctl_call(&req, e);
	if (rc == -ENOTCONN)
		return get_absent(name, e);
	if (!rc && !o.seen)
		return err_set(e, name ? ENODEV : ENOENT, "%s", "");
	return rc;
}
