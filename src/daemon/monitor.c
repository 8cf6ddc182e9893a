/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "daemon/netns.h"
#include "daemon/pulse.h"
#include "daemon/tunnel_json.h"
#include "lib/addr.h"
#include "lib/text_json.h"
#include "model/grammar.h"

struct subscriber {
	struct list node;
	struct daemon *daemon;
	struct client *client;
	bool all;
	struct ns_identity who;
	json_t *queue[MONITOR_QUEUE]; /* a ring; each owned */
	u32 first, n;
	u64 lost; /* since the last that was queued */
};

struct monitor {
	struct list subscribers;
	u32 n;
};

bool monitor_watched(const struct daemon *d)
{
	return d->monitor;
}

static json_t *lost_row(struct subscriber *s)
{
	json_t *row = json_pack("{s:s, s:I}", "event", "lost", "count", (json_int_t)s->lost);

	s->lost = 0;
	return row;
}

static json_t *next_event(void *ctx)
{
	struct subscriber *s = ctx;
	json_t *row;

	if (!s->n)
		return s->lost ? lost_row(s) : NULL;
	row = s->queue[s->first];
	s->first = (s->first + 1) % MONITOR_QUEUE;
	s->n--;
	return row;
}

static void subscriber_end(void *ctx)
{
	struct subscriber *s = ctx;
	struct monitor *m = s->daemon->monitor;

	for (; s->n; s->n--, s->first++)
		json_decref(s->queue[s->first % MONITOR_QUEUE]);
	list_del(&s->node);
	if (!--m->n) {
		s->daemon->monitor = NULL;
		free(m);
		pulse_follow(s->daemon);
	}
	free(s);
}

static void put(struct subscriber *s, json_t *row)
{
	s->queue[(s->first + s->n++) % MONITOR_QUEUE] = row;
}

/* An event that is dropped leaves a gap, and where the gap was is told. */
static void enqueue(struct subscriber *s, json_t *row)
{
	json_t *lost = NULL;

	if (s->n + (s->lost ? 2 : 1) > MONITOR_QUEUE) {
		s->lost++;
		return;
	}
	if (s->lost)
		lost = lost_row(s);
	if (lost)
		put(s, lost);
	put(s, json_incref(row));
	control_wake(s->client);
}

static struct monitor *monitor_get(struct daemon *d)
{
	if (!d->monitor) {
		d->monitor = calloc(1, sizeof(*d->monitor));
		if (d->monitor)
			list_init(&d->monitor->subscribers);
	}
	return d->monitor;
}

int monitor_subscribe(struct daemon *d, const struct ns_identity *who, struct client *c,
		      struct rows *rows, struct err *e)
{
	struct subscriber *s;
	struct monitor *m;

	if (d->monitor && d->monitor->n >= MONITOR_SUBSCRIBERS)
		return err_set(e, EBUSY, "%d others monitor already", MONITOR_SUBSCRIBERS);
	s = calloc(1, sizeof(*s));
	m = s ? monitor_get(d) : NULL;
	if (!m) {
		free(s);
		return err_set(e, ENOMEM, "out of memory");
	}
	*s = (struct subscriber){.daemon = d, .client = c, .all = !who};
	if (who)
		s->who = *who;
	list_add(&m->subscribers, &s->node);
	m->n++;
	put(s, json_pack("{s:s, s:i}", "event", "begin", "pid", (int)getpid()));
	*rows = (struct rows){.next = next_event, .done = subscriber_end, .ctx = s, .waits = true};
	pulse_follow(d);
	return 0;
}

static bool concerns(const struct subscriber *s, const struct tunnel *t)
{
	return s->all || netns_is(&s->who, &t->place->id) || netns_is(&s->who, &t->home->id);
}

/* What every event begins with. */
static json_t *event_of(const struct tunnel *t, const char *what)
{
	struct timespec ts;
	double now;

	clock_gettime(CLOCK_REALTIME, &ts);
	now = (double)ts.tv_sec + (double)(ts.tv_nsec / 1000) / 1e6;
	return json_pack("{s:s, s:f, s:I, s:i, s:o}", "event", what, "time", now, "netns",
			 (json_int_t)t->place->id.ino, "ifindex", (int)t->link.ifindex, "ifname",
			 text_json(t->ifname));
}

/* row is ours; NULL where there was no memory for it: nobody is told. */
static void tell(const struct tunnel *t, json_t *row)
{
	struct monitor *m = t->home->daemon->monitor;

	list_for_each (n, &m->subscribers) {
		struct subscriber *s = list_entry(n, struct subscriber, node);

		if (row && concerns(s, t))
			enqueue(s, row);
	}
	json_decref(row);
}

static bool untold(const struct tunnel *t)
{
	return !t->home->daemon->monitor || !t->announced;
}

void monitor_tunnel(struct tunnel *t, const char *what)
{
	char line[GRAMMAR_LINE];
	json_t *row;

	if (untold(t))
		return;
	row = event_of(t, what);
	if (row) {
		grammar_print(&t->cfg, line, sizeof(line));
		json_object_set_new(row, "config", text_json(line));
		json_object_set_new(row, "up", json_boolean(t->link.up));
		json_object_set_new(row, "mtu", json_integer(t->link.mtu));
	}
	tell(t, row);
}

void monitor_pmtu(const struct tunnel *t, be32 dst, u32 mtu)
{
	char addr[ADDR4_TEXT];
	json_t *row;

	if (untold(t))
		return;
	row = event_of(t, "pmtu");
	if (row) {
		json_object_set_new(row, "remote", json_string(addr4_print(dst, addr)));
		json_object_set_new(row, "pmtu", json_integer(mtu));
	}
	tell(t, row);
}

void monitor_peer(const struct tunnel *t, u32 silent_s)
{
	char addr[ADDR4_TEXT];
	json_t *row;

	if (untold(t))
		return;
	row = event_of(t, silent_s ? "silent" : "back");
	if (row && !be32_is_zero(t->cfg.remote))
		json_object_set_new(row, "remote", json_string(addr4_print(t->cfg.remote, addr)));
	if (row && silent_s)
		json_object_set_new(row, "seconds", json_integer(silent_s));
	tell(t, row);
}

void monitor_drops(const struct tunnel *t, enum reason r, u64 n)
{
	json_t *row;

	if (untold(t))
		return;
	row = event_of(t, "drops");
	if (row) {
		json_object_set_new(row, "reason", json_string(reason_info(r)->word));
		json_object_set_new(row, "count", json_integer((json_int_t)n));
		json_object_set_new(row, "text", json_string(reason_info(r)->text));
		json_object_set_new(row, "remedy", json_string(reason_info(r)->remedy));
	}
	tell(t, row);
}

void monitor_datapath(const struct tunnel *t)
{
	json_t *row;

	if (untold(t))
		return;
	row = event_of(t, "datapath");
	if (row) {
		json_object_set_new(row, "datapath", json_string(t->fast ? "bpf" : "user"));
		json_object_set_new(row, "why", text_json(t->why));
	}
	tell(t, row);
}
