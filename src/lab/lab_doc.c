/* SPDX-License-Identifier: BSD-2-Clause */
/* A story as one JSON document: what `-j` prints, and what the report is made of. */
#include <string.h>

#include "lab/lab_story_impl.h"

static json_t *topology_nets(const struct lab_topo *t)
{
	json_t *nets = json_array();

	for (int i = 0; i < t->n_nets; i++)
		json_array_append_new(nets, json_pack("{s:s, s:b}", "name", t->nets[i].role,
						      "forwards", t->nets[i].forwards));
	return nets;
}

static json_t *topology_devs(const struct lab_topo *t)
{
	json_t *devs = json_array(), *addrs;

	for (int i = 0; i < t->n_devs; i++) {
		const struct lab_dev *d = &t->devs[i];

		addrs = json_array();
		for (int k = 0; k < d->n_addrs; k++)
			json_array_append_new(addrs, json_string(d->addr[k]));
		json_array_append_new(devs, json_pack("{s:i, s:s, s:i, s:s?, s:o}", "net", d->net,
						      "name", d->name, "peer", d->peer, "tunnel",
						      d->tunnel, "addresses", addrs));
	}
	return devs;
}

static json_t *rtt_json(const struct story *s, bool bare)
{
	for (int i = 0; i < s->n_pings; i++)
		if (s->pings[i].step->bare == bare && s->pings[i].n_rtts)
			return json_real(s->pings[i].rtt[0]);
	return json_null();
}

static json_t *pings_json(const struct story *s)
{
	json_t *pings = json_array(), *rtts;

	for (int i = 0; i < s->n_pings; i++) {
		const struct story_ping *p = &s->pings[i];

		rtts = json_array();
		for (int k = 0; k < p->n_rtts; k++)
			json_array_append_new(rtts, json_real(p->rtt[k]));
		json_array_append_new(pings,
				      json_pack("{s:s, s:s, s:b, s:b, s:b, s:i, s:i, s:o}", "net",
						s->l.rec.topo->nets[p->step->net].role, "target",
						p->step->target, "bare", p->step->bare, "answered",
						p->answered, "series", p->series, "first",
						(int)p->first, "end", (int)p->end, "rtt_ms", rtts));
	}
	return pings;
}

/* What only a report has. */
static void add_report(const struct story *s, json_t *j)
{
	const struct lab_topo *t = s->l.rec.topo;
	const struct lab_step *c = lab_topo_capture(t);

	json_object_set_new(
		j, "topology",
		json_pack("{s:o, s:o}", "nets", topology_nets(t), "devices", topology_devs(t)));
	json_object_set_new(j, "path", story_path_json(s));
	json_object_set(j, "routes", s->routes);
	json_object_set_new(j, "source", json_string(t->text));
	if (c)
		json_object_set_new(
			j, "capture",
			json_pack("{s:s, s:s}", "net", t->nets[c->net].role, "dev", c->dev));
}

json_t *story_json(const struct story *s, int err, const struct err *e)
{
	const struct lab_topo *t = s->o->topo;
	bool packets = s->wire.packets && json_array_size(s->wire.packets);
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s?, s:b, s:O, s:O, s:{s:o, s:o}, s:s?}",
			      "lab", t->name, "title", t->title, "about", t->about, "id",
			      s->l.rec.id, "ok", !err, "error", err ? e->text : NULL, "standing",
			      !err && (s->o->keep || s->o->up), "steps", s->l.steps, "ends",
			      s->ends, "rtt_ms", "underlay", rtt_json(s, true), "tunnel",
			      rtt_json(s, false), "pcap", s->saved ? s->pcap : NULL);

	if (!j)
		return json_object();
	json_object_set_new(j, "pings", pings_json(s));
	json_object_set(j, "packets", packets ? s->wire.packets : json_null());
	json_object_set(j, "sums", packets ? s->wire.sums : json_null());
	if (s->o->report)
		add_report(s, j);
	return j;
}
