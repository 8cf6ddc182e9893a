/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/metrics.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/datapath.h"
#include "daemon/hop.h"
#include "daemon/pulse.h"
#include "daemon/shared.h"
#include "daemon/tunnel.h"
#include "daemon/tunnel_json.h"

/* Slots; tunnels may go while the answer is sent. */
struct metrics {
	struct daemon *d;
	bool begun;
	size_t n, i;
	u32 slot[];
};

static json_t *head_row(struct daemon *d)
{
	json_int_t namespaces = 0;

	list_for_each (n, &d->namespaces)
		namespaces++;
	return json_pack("{s:s, s:I, s:o, s:o}", "version", TUNL_VERSION, "namespaces", namespaces,
			 "unmatched", reasons_json(shared_unmatched(d->shared)), "gone",
			 stats_json(&d->gone));
}

/* What the path to the remote carries; 0: there is none, or no remote. */
static u32 path_mtu(struct tunnel *t)
{
	struct bpf_hop hop;

	if (be32_is_zero(t->cfg.remote))
		return 0;
	hop = hop_lookup(t, t->cfg.remote, NULL);
	return hop.state == HOP_UNREACHABLE ? 0 : hop.mtu;
}

static json_t *tunnel_row(struct tunnel *t)
{
	json_t *row = tunnel_json(t);
	struct tunnel_stats s;
	s64 age;

	if (!row)
		return NULL;
	datapath_stats(t, &s);
	pulse_look(t, &s);
	age = pulse_age_ms(t);
	json_object_set_new(row, "netns", json_integer((json_int_t)t->place->id.ino));
	json_object_set_new(row, "carrier", json_boolean(!t->keep.down));
	json_object_set_new(row, "pmtu", json_integer(path_mtu(t)));
	json_object_set_new(row, "heard", json_real(age < 0 ? -1 : (double)age / 1000));
	return row;
}

static json_t *next_row(void *ctx)
{
	struct metrics *m = ctx;

	if (!m->begun) {
		m->begun = true;
		return head_row(m->d);
	}
	while (m->i < m->n) {
		struct tunnel *t = tunnel_by_slot(m->d, m->slot[m->i++]);

		if (t)
			return tunnel_row(t);
	}
	return NULL;
}

int metrics_rows(struct daemon *d, struct rows *rows, struct err *e)
{
	struct metrics *m;
	size_t n = 0;

	list_for_each (node, &d->tunnels)
		n++;
	m = calloc(1, sizeof(*m) + n * sizeof(m->slot[0]));
	if (!m)
		return err_set(e, ENOMEM, "out of memory");
	m->d = d;
	list_for_each (node, &d->tunnels)
		m->slot[m->n++] = list_entry(node, struct tunnel, node)->slot;
	*rows = (struct rows){.next = next_row, .done = free, .ctx = m};
	return 0;
}

void metrics_keep(struct tunnel *t)
{
	struct tunnel_stats s;

	datapath_stats(t, &s);
	stats_add(&t->home->daemon->gone, &s);
}
