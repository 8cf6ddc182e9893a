/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/pulse.h"

#include <stdlib.h>

#include "daemon/datapath.h"
#include "daemon/monitor.h"

enum { SHARE = 20 }; /* of our time, looking takes one part in so many at most */

static u64 now_ms(const struct tunnel *t)
{
	return uv_now(&t->home->daemon->loop);
}

static struct pulse *pulse_of(struct tunnel *t)
{
	if (!t->pulse)
		t->pulse = calloc(1, sizeof(*t->pulse));
	return t->pulse;
}

static void heard(struct tunnel *t, struct pulse *p)
{
	p->heard_ms = now_ms(t);
	p->asked_ms = 0;
	if (p->silent)
		monitor_peer(t, 0);
	p->silent = false;
}

void pulse_heard(struct tunnel *t)
{
	struct pulse *p = pulse_of(t);

	if (p)
		heard(t, p);
}

/* Silence is told of a peer that was heard once: of others there is nothing to expect. */
static void look_at_peer(struct tunnel *t, struct pulse *p, const struct tunnel_stats *s)
{
	u64 now = now_ms(t);

	if (s->rx_packets != p->rx) {
		heard(t, p);
		return;
	}
	if (s->tx_packets != p->tx && !p->asked_ms)
		p->asked_ms = now;
	if (t->cfg.keep_s) /* which tells for itself */
		return;
	if (p->silent || !p->heard_ms || !p->asked_ms || now - p->asked_ms < PULSE_SILENT_MS)
		return;
	p->silent = true;
	monitor_peer(t, (u32)((now - p->heard_ms) / 1000));
}

static void look_at_drops(struct tunnel *t, struct pulse *p, const struct tunnel_stats *s)
{
	u64 now = now_ms(t);

	for (enum reason r = R_NONE + 1; r < R__MAX; r++) {
		if (s->reason[r] == p->reason[r])
			continue;
		if (s->reason[r] > p->reason[r] &&
		    (!p->reason_ms[r] || now - p->reason_ms[r] >= PULSE_AGAIN_MS))
			monitor_drops(t, r, s->reason[r] - p->reason[r]);
		p->reason[r] = s->reason[r];
		p->reason_ms[r] = now;
	}
}

/* The first look learns where the counters stand; what moved before is not news. */
static void begin(struct pulse *p, const struct tunnel_stats *s)
{
	for (enum reason r = R_NONE; r < R__MAX; r++)
		p->reason[r] = s->reason[r];
	p->looked = true;
}

void pulse_look(struct tunnel *t, const struct tunnel_stats *s)
{
	struct pulse *p = pulse_of(t);

	if (!p)
		return;
	if (p->looked) {
		look_at_peer(t, p, s);
		look_at_drops(t, p, s);
	} else {
		begin(p, s);
	}
	p->rx = s->rx_packets;
	p->tx = s->tx_packets;
}

s64 pulse_age_ms(const struct tunnel *t)
{
	return t->pulse && t->pulse->heard_ms ? (s64)(now_ms(t) - t->pulse->heard_ms) : -1;
}

static void on_timer(uv_timer_t *timer)
{
	struct daemon *d = timer->data;
	u64 begun = uv_hrtime(), took_ms;

	list_for_each (n, &d->tunnels) {
		struct tunnel *t = list_entry(n, struct tunnel, node);
		struct tunnel_stats s;

		datapath_stats(t, &s);
		pulse_look(t, &s);
	}
	took_ms = (uv_hrtime() - begun) / 1000000;
	uv_timer_start(timer, on_timer, max_of((u64)PULSE_MS, took_ms * SHARE), 0);
}

void pulse_follow(struct daemon *d)
{
	if (d->ending)
		return;
	if (!d->pulse.data) {
		uv_timer_init(&d->loop, &d->pulse);
		d->pulse.data = d;
	}
	if (!monitor_watched(d))
		uv_timer_stop(&d->pulse);
	else if (!uv_is_active((uv_handle_t *)&d->pulse))
		uv_timer_start(&d->pulse, on_timer, 0, 0);
}

void pulse_end(struct daemon *d)
{
	d->ending = true;
	if (d->pulse.data)
		uv_close((uv_handle_t *)&d->pulse, NULL);
}
