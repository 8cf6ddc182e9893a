/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/keepalive.h"

#include <string.h>

#include "daemon/datapath.h"
#include "daemon/engtell.h"
#include "daemon/monitor.h"
#include "daemon/pulse.h"
#include "daemon/tun.h"
#include "lib/log.h"

enum { TICK_MS = 250 };

static void set_carrier(struct tunnel *t, bool on)
{
	int err = t->queue < 0 ? -ENODEV : tun_carrier(t->queue, on);

	if (err)
		log_error("%s: its carrier cannot be set: %s", t->ifname, strerror(-err));
	t->keep.down = !on;
}

static void forget(struct tunnel *t)
{
	if (t->keep.down)
		set_carrier(t, true);
	t->keep = (struct keep){0};
}

static void back(struct tunnel *t)
{
	log_info("%s: its peer answers again", t->ifname);
	set_carrier(t, true);
	monitor_peer(t, 0);
}

static void lost(struct tunnel *t)
{
	log_info("%s: its peer does not answer: no carrier", t->ifname);
	set_carrier(t, false);
	monitor_peer(t, (u32)t->cfg.keep_s * t->cfg.keep_n);
}

/* What came since the last probe. */
static void judge(struct tunnel *t)
{
	struct keep *k = &t->keep;
	struct tunnel_stats s;
	bool heard;

	datapath_stats(t, &s);
	heard = k->heard || s.rx_packets != k->rx;
	k->rx = s.rx_packets;
	k->heard = false;
	if (!k->asked)
		return;
	k->missed = heard ? 0 : k->missed + 1;
	if (heard && k->down)
		back(t);
	else if (k->missed >= t->cfg.keep_n && !k->down)
		lost(t);
}

static void tick(struct tunnel *t, u64 now)
{
	struct keep *k = &t->keep;

	if (!t->cfg.keep_s || !t->link.up) {
		forget(t);
		return;
	}
	if (now < k->due_ms)
		return;
	judge(t);
	k->due_ms = now + (u64)t->cfg.keep_s * 1000;
	k->asked = !engtell_probe(t);
}

static void on_timer(uv_timer_t *timer)
{
	struct daemon *d = timer->data;
	bool any = false;

	list_for_each (n, &d->tunnels) {
		struct tunnel *t = list_entry(n, struct tunnel, node);

		if (!t->cfg.keep_s && !t->keep.down)
			continue;
		any |= t->cfg.keep_s;
		tick(t, uv_now(&d->loop));
	}
	if (!any)
		uv_timer_stop(timer);
}

void keepalive_follow(struct tunnel *t)
{
	struct daemon *d = t->home->daemon;

	if (!t->cfg.keep_s && !t->keep.down)
		return;
	if (!d->keep.data) {
		uv_timer_init(&d->loop, &d->keep);
		d->keep.data = d;
	}
	if (!uv_is_active((uv_handle_t *)&d->keep))
		uv_timer_start(&d->keep, on_timer, 0, TICK_MS);
}

void keepalive_heard(struct tunnel *t, be32 from)
{
	if (!be32_eq(from, t->cfg.remote))
		return;
	t->keep.heard = true;
	pulse_heard(t);
	if (t->keep.down)
		back(t); /* not first with the next probe */
}

void keepalive_end(struct daemon *d)
{
	if (d->keep.data)
		uv_close((uv_handle_t *)&d->keep, NULL);
}
