/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/demux.h"

#include "engine/segment.h"
#include "engine/vrf.h"

/*
 * Whether the checksum over all of the payload is right. Of merged packets the
 * kernel has seen to that before it merged them; one that is left to be filled in
 * inside is filled in first.
 */
static bool sum_is_right(const struct demux_ask *ask)
{
	struct packet *p = ask->p;

	if (p->vnet.gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return true;
	return packet_checksum(p) && csum_ok(csum_add(0, ask->payload.p, cur_left(&ask->payload)));
}

static struct engine_tunnel *find(struct engine_ns *ns, enum mode_id driver,
				  const struct demux_ask *ask, const struct mode_head *head)
{
	const struct lookup *l = &ns->lookup[driver];
	u32 vrf = l->count ? vrf_of(ns, ask->iif) : 0;
	struct lookup_node *n = lookup_find(l, &(struct lookup_ask){
						       .src = ask->src,
						       .dst = ask->dst,
						       .iif = vrf ? vrf : ask->iif,
						       .slave = vrf ? ask->iif : 0,
						       .key = head->key,
						       .keyed = head->flags & TUNL_F_KEY,
					       });

	return n ? container_of(n, struct engine_tunnel, node) : NULL;
}

/* What one of the modes makes of the packet's header. */
static enum reason parse(const struct mode *m, const struct mode_proto *row,
			 const struct demux_ask *ask, struct mode_head *head)
{
	struct cur c = ask->payload;
	enum reason r;

	*head = (struct mode_head){.ethertype = row->ethertype};
	if (ask->p && cur_left(&c) < row->min_payload)
		return R_RX_OUTER_SHORT;
	r = m->parse ? m->parse(&c, row, head) : R_NONE;
	if (r != R_NONE)
		return r;
	return ask->p && head->summed && !sum_is_right(ask) ? R_RX_CSUM : R_NONE;
}

static enum reason look_up(struct engine_ns *ns, const struct demux_ask *ask, struct demux *d)
{
	const struct mode_proto *row;
	const struct mode *m;
	u32 i;

	d->t = NULL;
	for (i = 0; (m = mode_receiver(ask->proto, i, &row)); i++) {
		enum reason r = parse(m, row, ask, &d->head);

		if (r != R_NONE)
			return r;
		if (!d->head.nobody)
			d->t = find(ns, m->id, ask, &d->head);
		if (d->t)
			return R_NONE;
	}
	return i ? R_RX_NO_TUNNEL : R_NONE;
}

enum reason demux(struct engine_ns *ns, const struct demux_ask *ask, struct demux *d)
{
	enum reason r = look_up(ns, ask, d);

	if (r != R_RX_NO_TUNNEL || !ask->p || !ns->engine->io->risen ||
	    !ns->engine->io->risen(ns, ask))
		return r;
	return look_up(ns, ask, d);
}
