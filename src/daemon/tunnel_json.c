/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/tunnel_json.h"

#include <stdio.h>
#include <string.h>

#include "daemon/datapath.h"
#include "daemon/link.h"
#include "lib/addr.h"
#include "lib/text_json.h"
#include "model/grammar.h"

json_t *reasons_json(const u64 *count)
{
	json_t *reasons = json_object();

	for (enum reason r = R_NONE + 1; r < R__MAX; r++)
		if (count[r])
			json_object_set_new(reasons, reason_info(r)->word,
					    json_integer((json_int_t)count[r]));
	return reasons;
}

json_t *stats_json(const struct tunnel_stats *s)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "rx_packets", (json_int_t)s->rx_packets,
			 "rx_bytes", (json_int_t)s->rx_bytes, "tx_packets",
			 (json_int_t)s->tx_packets, "tx_bytes", (json_int_t)s->tx_bytes,
			 "multicast", (json_int_t)s->multicast, "reasons", reasons_json(s->reason));
}

/* `dev` as it is called now; one that is gone is an ifN (spec cli 2.2). */
static void name_dev(const struct tunnel *t, struct tunnel_cfg *cfg)
{
	const struct link *l = cfg->link ? link_find(t->home, cfg->link) : NULL;

	if (l)
		memcpy(cfg->dev, l->l.name, sizeof(cfg->dev));
	else if (cfg->link)
		snprintf(cfg->dev, sizeof(cfg->dev), "if%u", cfg->link);
}

static json_t *routers_json(const struct prl *p)
{
	json_t *routers = json_array();
	char addr[ADDR4_TEXT];

	for (u32 i = 0; p && i < p->n; i++)
		json_array_append_new(routers, json_pack("{s:s, s:b}", "address",
							 addr4_print(p->entry[i].addr, addr),
							 "default", p->entry[i].is_default));
	return routers;
}

json_t *tunnel_json(struct tunnel *t)
{
	struct tunnel_cfg cfg = t->cfg;
	char line[GRAMMAR_LINE];
	struct tunnel_stats stats;

	name_dev(t, &cfg);
	grammar_print(&cfg, line, sizeof(line));
	datapath_stats(t, &stats);
	return json_pack("{s:o, s:o, s:i, s:b, s:i, s:s, s:o, s:o, s:o}", "config", text_json(line),
			 "ifname", text_json(t->ifname), "ifindex", (int)t->link.ifindex, "up",
			 t->link.up, "mtu", (int)t->link.mtu, "datapath", t->fast ? "bpf" : "user",
			 "why", text_json(t->why), "stats", stats_json(&stats), "routers",
			 routers_json(t->prl));
}
