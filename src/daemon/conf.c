/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/conf.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf_impl.h"
#include "daemon/conf_rows.h"
#include "daemon/netns.h"
#include "daemon/process.h"
#include "lib/confdir.h"
#include "lib/log.h"

enum {
	SLICE_MS = 20,	 /* of work at a time */
	REST_MS = 2,	 /* for others, between slices */
	RETRY_MS = 1000, /* after the first failure; doubled each time */
	RETRY_MAX_MS = 15000,
	EVENT_MS = 300, /* after an event, what failed is tried so soon */
	LOGGED = 20,	/* failures that are logged each */
	GATHER = 8,	/* so many tunnels at once are taken over together */
};

u64 conf_key(const char *netns, const char *name)
{
	u64 h = 0xcbf29ce484222325ULL;

	for (const char *s = netns; *s; s++)
		h = (h ^ (u8)*s) * 0x100000001b3ULL;
	h = (h ^ 0xff) * 0x100000001b3ULL;
	for (const char *s = name; *s; s++)
		h = (h ^ (u8)*s) * 0x100000001b3ULL;
	return h;
}

char *conf_text(const struct conf_tunnel *t)
{
	static char line[CONF_LINE];

	conf_print(t, line, sizeof(line));
	return strdup(line);
}

struct conf_tunnel *conf_of_text(struct conf *c, const char *text)
{
	struct conf_source src = {"", text, strlen(text), NULL, NULL};

	*c = (struct conf){0};
	return conf_read(c, &src) == 0 && c->n == 1 ? c->tunnel : NULL;
}

struct conf_entry *conf_find(struct confd *k, const struct conf_tunnel *t)
{
	struct hnode *n = htab_find(&k->entries, conf_key(t->netns, t->cfg.name));

	return n ? container_of(n, struct conf_entry, node) : NULL;
}

struct conf_entry *conf_entry_new(struct confd *k, const struct conf_tunnel *t)
{
	struct conf_entry *en = calloc(1, sizeof(*en));

	if (!en)
		return NULL;
	if (htab_add(&k->entries, &en->node, conf_key(t->netns, t->cfg.name))) {
		free(en);
		return NULL;
	}
	list_add(&k->order, &en->order);
	return en;
}

static void unqueue(struct confd *k, struct conf_entry *en)
{
	if (!en->queued)
		return;
	list_del(&en->queue);
	en->queued = false;
	if (en->retry_ms)
		k->nfailed--;
	else
		k->ntodo--;
	k->daemon->bulk = k->ntodo >= GATHER;
}

void conf_entry_free(struct confd *k, struct conf_entry *en)
{
	conf_look_forget(k, en);
	unqueue(k, en);
	htab_del(&k->entries, &en->node);
	list_del(&en->order);
	free(en->line);
	free(en->done);
	free(en->why);
	free(en->name_why);
	free(en);
}

static void on_round(uv_timer_t *timer);

static void arm(struct confd *k, u64 ms)
{
	if (k->ending)
		return;
	if (!uv_is_active((uv_handle_t *)&k->round) || uv_timer_get_due_in(&k->round) > ms)
		uv_timer_start(&k->round, on_round, ms, 0);
}

void conf_queue(struct confd *k, struct conf_entry *en)
{
	if (en->queued && !en->retry_ms)
		return;
	unqueue(k, en);
	en->retry_ms = 0;
	list_add(&k->todo, &en->queue);
	en->queued = true;
	k->ntodo++;
	k->daemon->bulk = k->ntodo >= GATHER;
	arm(k, 0);
}

static void set_why(struct conf_entry *en, const char *why)
{
	free(en->why);
	en->why = why ? strdup(why) : NULL;
}

static const char *name_of(const struct conf_entry *en)
{
	return en->line ? en->line : en->done ? en->done : "";
}

/* A failure is logged when it is new; of very many only so much. */
static void log_failure(struct confd *k, const struct conf_entry *en, const char *why)
{
	int n = (int)strcspn(name_of(en), " ");

	if ((en->why && !strcmp(en->why, why)) ||
	    (en->want && en->want->host && !en->name_why && be32_is_zero(en->remote)))
		return;
	if (k->logged < LOGGED)
		log_error("configuration: %.*s: %s; it is tried again", n, name_of(en), why);
	else if (k->logged == LOGGED)
		log_error("configuration: more cannot be had; `tunl show` tells of each");
	k->logged += k->logged <= LOGGED;
}

static void failed(struct confd *k, struct conf_entry *en, const struct err *e)
{
	u64 wait = (u64)RETRY_MS << min_of(en->tries, 10U);
	const char *why = e->text[0]	      ? e->text
			  : e->code == EEXIST ? "its name or its addresses are taken"
					      : strerror(e->code);

	log_failure(k, en, why);
	set_why(en, why);
	en->tries++;
	en->retry_ms = uv_now(&k->daemon->loop) + min_of(wait, (u64)RETRY_MAX_MS);
	list_add(&k->waiting, &en->queue);
	en->queued = true;
	k->nfailed++;
}

static void succeeded(struct confd *k, struct conf_entry *en)
{
	if (en->why)
		log_info("configuration: %.*s is as it should be", (int)strcspn(name_of(en), " "),
			 name_of(en));
	set_why(en, NULL);
	en->tries = 0;
	if (!en->want) {
		conf_entry_free(k, en);
		return;
	}
	if (en->done && !strcmp(en->done, en->line))
		return;
	free(en->done);
	en->done = strdup(en->line);
}

static void do_one(struct confd *k)
{
	struct conf_entry *en = list_entry(k->todo.next, struct conf_entry, queue);
	struct err e = {0};

	unqueue(k, en);
	k->daemon->gather = k->ntodo >= GATHER;
	if (conf_apply(k, en, &e)) {
		failed(k, en, &e);
	} else {
		k->unsaved = true;
		succeeded(k, en);
	}
	k->daemon->gather = false;
}

/* Who has waited long enough; when the next one has. 0: nobody waits. */
static u64 wake(struct confd *k)
{
	u64 now = uv_now(&k->daemon->loop), next = 0;

	list_for_each_safe (n, &k->waiting) {
		struct conf_entry *en = list_entry(n, struct conf_entry, queue);

		if (en->retry_ms <= now)
			conf_queue(k, en);
		else if (!next || en->retry_ms < next)
			next = en->retry_ms;
	}
	return next ? next - now : 0;
}

static void on_round(uv_timer_t *timer)
{
	struct confd *k = timer->data;
	u64 begun = uv_hrtime(), next;

	next = wake(k);
	while (!list_is_empty(&k->todo) && uv_hrtime() - begun < SLICE_MS * 1000000ULL)
		do_one(k);
	uv_update_time(&k->daemon->loop);
	if (!list_is_empty(&k->todo)) {
		arm(k, REST_MS);
		return;
	}
	if (k->unsaved)
		conf_file_write(k);
	if (!list_is_empty(&k->waiting))
		arm(k, next ? next : RETRY_MS);
}

static void on_hup(uv_signal_t *sig, int signum)
{
	const struct conf_plan p = {0};
	struct err e = {0};

	(void)signum;
	log_info("reload: asked for by a signal");
	if (conf_reread(sig->data, &p, conf_log_mistake, NULL, &e))
		log_error("reload: %s", e.text);
}

void conf_note_home(struct daemon *d)
{
	if (!process_is_successor())
		netns_identify_self(&d->started_in);
}

int conf_start(struct daemon *d)
{
	struct confd *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	d->conf = k;
	k->daemon = d;
	k->dir = confdir_path();
	list_init(&k->order);
	list_init(&k->todo);
	list_init(&k->waiting);
	uv_timer_init(&d->loop, &k->round);
	uv_signal_init(&d->loop, &k->hup);
	k->round.data = k->hup.data = k;
	uv_signal_start(&k->hup, on_hup, SIGHUP);
	conf_look_start(k);
	k->home = d->started_in;
	conf_file_read(k);
	return conf_begin(k);
}

static void closed(uv_handle_t *h)
{
	struct confd *k = h->data;

	if (--k->njobs == 0)
		free(k);
}

void conf_end(struct daemon *d)
{
	struct confd *k = d->conf;

	if (!k)
		return;
	k->ending = true;
	if (k->unsaved)
		conf_file_write(k);
	conf_look_end(k);
	list_for_each_safe (n, &k->order)
		conf_entry_free(k, list_entry(n, struct conf_entry, order));
	htab_fini(&k->entries);
	conf_free(&k->conf);
	k->njobs = 3; /* handles to be closed */
	uv_close((uv_handle_t *)&k->round, closed);
	uv_close((uv_handle_t *)&k->look, closed);
	uv_close((uv_handle_t *)&k->hup, closed);
	d->conf = NULL;
}

void conf_event(struct ns *ns)
{
	struct confd *k = ns->daemon->conf;
	u64 soon = uv_now(&ns->daemon->loop) + EVENT_MS;

	if (!k || list_is_empty(&k->waiting) || !list_is_empty(&k->todo))
		return;
	list_for_each (n, &k->waiting) {
		struct conf_entry *en = list_entry(n, struct conf_entry, queue);

		en->retry_ms = min_of(en->retry_ms, soon);
	}
	arm(k, EVENT_MS);
}

void conf_addrs_changed(struct ns *ns)
{
	struct confd *k = ns->daemon->conf;

	if (!k)
		return;
	list_for_each (n, &k->order) {
		struct conf_entry *en = list_entry(n, struct conf_entry, order);

		if (en->want && en->want->local_dev[0])
			conf_queue(k, en);
	}
}

void conf_ns_ended(struct ns *ns)
{
	struct confd *k = ns->daemon->conf;

	if (!k)
		return;
	list_for_each (n, &k->order) {
		struct conf_entry *en = list_entry(n, struct conf_entry, order);

		if (!en->place.ino || !netns_is(&en->place, &ns->id))
			continue;
		en->place = (struct ns_identity){0};
		free(en->done);
		en->done = NULL;
		if (en->want)
			conf_queue(k, en);
	}
}
