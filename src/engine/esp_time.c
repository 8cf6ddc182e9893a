/* SPDX-License-Identifier: BSD-2-Clause */
/* What time does to security associations: limits, and keepalives through NAT (RFC 3948 4). */
#include <linux/rtnetlink.h>

#include "engine/esp.h"
#include "wire/esp.h"
#include "wire/udp.h"

enum { KEEPALIVE_MS = 20000, TTL_DEFAULT = 64 };

void esp_check_limits(struct engine_ns *ns, struct sa *sa)
{
	struct engine_event ev = {.op = ENGINE_SA_LIMIT, .slot = sa->slot};

	if (!esp_limits(sa, ns->engine->now_s))
		return;
	db_changed(&ns->xfrm); /* a younger one takes over */
	ev.active = sa->live->dead;
	ns->engine->io->event(ns, &ev);
}

static bool has_time_limit(const struct sa *sa)
{
	const struct xfrm_limits *l = &sa->cfg.limits;

	return l->soft_add || l->hard_add || l->soft_use || l->hard_use;
}

bool esp_needs_tick(const struct engine_ns *ns)
{
	list_for_each (n, &ns->xfrm.sas) {
		const struct sa *sa = list_entry(n, struct sa, node);

		if (has_time_limit(sa) || sa->cfg.encap.type)
			return true;
	}
	return false;
}

static bool is_local(struct engine_ns *ns, be32 addr)
{
	const struct route *rt = route_get(ns, &(struct route_key){.dst = addr}, NULL);

	return !rt->error && rt->type == RTN_LOCAL;
}

/* One byte that keeps the NAT's memory of us. */
static void send_keepalive(struct engine_ns *ns, const struct sa *sa)
{
	struct outgoing *o = ns->engine->io->out(ns);
	struct ip4_fields outer = {
		.src = xfrm_addr4(&sa->cfg.src),
		.dst = xfrm_addr4(&sa->cfg.dst),
		.len = IP4_HLEN + UDP_HLEN + 1,
		.frag = IP4_DF,
		.ttl = TTL_DEFAULT,
		.proto = PROTO_UDP,
	};
	struct udp udp = {
		.sport = be16_of(sa->cfg.encap.sport),
		.dport = be16_of(sa->cfg.encap.dport),
		.len = be16_of(UDP_HLEN + 1),
	};

	o->tunnel = NULL;
	o->src = outer.src;
	o->dst = outer.dst;
	o->mark = sa->cfg.has_out_mark ? sa->cfg.out_mark.value & sa->cfg.out_mark.mask : 0;
	o->oif = 0;
	o->tos = 0;
	o->account = 0;
	ip4_build((struct ip4 *)o->head, &outer);
	__builtin_memcpy(o->head + IP4_HLEN, &udp, sizeof(udp));
	o->head[IP4_HLEN + UDP_HLEN] = ESP_KEEPALIVE;
	o->head_len = outer.len;
	o->body = o->head;
	o->body_len = 0;
	ns->engine->io->send(ns, o);
}

static void keep_alive(struct engine_ns *ns, struct sa *sa)
{
	u64 now = ns->engine->now_ms;

	if (sa->cfg.encap.type != ENCAP_ESPINUDP || sa->live->dead ||
	    now < sa->sent_ms + KEEPALIVE_MS || !is_local(ns, xfrm_addr4(&sa->cfg.src)))
		return;
	sa->sent_ms = now;
	send_keepalive(ns, sa);
}

void esp_tick(struct engine_ns *ns)
{
	list_for_each (n, &ns->xfrm.sas) {
		struct sa *sa = list_entry(n, struct sa, node);

		if (has_time_limit(sa))
			esp_check_limits(ns, sa);
		keep_alive(ns, sa);
	}
	ns->engine->io->flush(ns);
}
