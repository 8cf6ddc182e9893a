/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device is known again by the namespace and the index that the state file
 * has for it. Where it is not there it may have been moved while no daemon
 * watched: then one of our kind and with its last name is looked for everywhere.
 */
#include "daemon/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/datapath.h"
#include "daemon/netns.h"
#include "daemon/numbers.h"
#include "daemon/reconcile.h"
#include "daemon/rxmap.h"
#include "daemon/scan.h"
#include "daemon/state.h"
#include "daemon/tun.h"
#include "daemon/tunnel.h"
#include "lib/log.h"
#include "model/modes.h"

/* A namespace of this system. */
struct found {
	struct ns_identity id;
	int fd;
};

struct adoption {
	struct daemon *d;
	struct state_line *line;
	size_t nlines;
	struct found *ns;
	size_t nns;
	u32 adopted;
};

static void keep_line(const struct state_line *l, void *arg)
{
	struct adoption *a = arg;
	void *more = realloc(a->line, (a->nlines + 1) * sizeof(*a->line));

	if (!more)
		return;
	a->line = more;
	a->line[a->nlines++] = *l;
}

static bool is_found(const struct adoption *a, const struct ns_identity *id)
{
	for (size_t i = 0; i < a->nns; i++)
		if (netns_is(&a->ns[i].id, id))
			return true;
	return false;
}

static void keep_ns(int fd, void *arg)
{
	struct adoption *a = arg;
	void *more = realloc(a->ns, (a->nns + 1) * sizeof(*a->ns));
	struct found f;

	if (!more)
		return;
	a->ns = more;
	if (netns_identify(fd, &f.id) || is_found(a, &f.id))
		return;
	f.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (f.fd >= 0)
		a->ns[a->nns++] = f;
}

static struct ns *take(struct adoption *a, const struct ns_identity *id)
{
	struct ns *ns;
	struct err e;

	for (size_t i = 0; i < a->nns; i++) {
		if (!netns_is(&a->ns[i].id, id))
			continue;
		if (netns_take(a->d, a->ns[i].fd, &ns, &e) == 0)
			return ns;
		log_error("a namespace with tunnels is out of reach: %s", e.text);
	}
	return NULL;
}

/*
 * Whether the device is the one that the line is about: by its mark, which another
 * daemon's device of the same name has not. A device that could not be marked (in
 * a user namespace) is known by its index alone.
 */
static bool is_it(const struct rtnl_link *l, const struct state_line *line, bool by_name)
{
	const struct mode_info *m = mode_info(line->cfg.mode);

	if (!m || strcmp(l->kind, "tun") != 0 || l->type != m->link_type)
		return false;
	if (l->tun_group == tun_mark(&line->home, line->slot, line->order))
		return true;
	return !by_name && !l->tun_group;
}

/* A namespace whose tunnels all went while nobody watched: our programs go too. */
static void sweep(struct adoption *a, const struct state_line *line)
{
	struct ns *home = take(a, &line->home);

	if (!home)
		return;
	if (list_is_empty(&home->home))
		datapath_sweep(home);
	netns_drop_unused(home);
}

/* Where it should be. */
static bool is_there(struct ns *ns, const struct state_line *line)
{
	struct rtnl_link l;

	return rtnl_link_get(&ns->rtnl, line->ifindex, NULL, &l) == 0 && is_it(&l, line, false);
}

/* Whether another line is about that device. */
static bool is_taken(const struct adoption *a, const struct ns_identity *place, u32 ifindex)
{
	for (size_t i = 0; i < a->nlines; i++)
		if (a->line[i].ifindex == ifindex && netns_is(&a->line[i].place, place))
			return true;
	return false;
}

static struct ns *look_everywhere(struct adoption *a, struct state_line *line)
{
	for (size_t i = 0; i < a->nns; i++) {
		struct ns *ns = take(a, &a->ns[i].id);
		struct rtnl_link l;

		if (!ns)
			continue;
		if (rtnl_link_get(&ns->rtnl, 0, line->ifname, &l) == 0 && is_it(&l, line, true) &&
		    !is_taken(a, &ns->id, l.ifindex)) {
			line->ifindex = l.ifindex;
			line->place = ns->id;
			return ns;
		}
		netns_drop_unused(ns);
	}
	return NULL;
}

static void adopt_line(struct adoption *a, struct state_line *line)
{
	struct ns *home = take(a, &line->home), *place;

	if (!home)
		goto gone;
	home->busy++;
	place = take(a, &line->place);
	if (place && !is_there(place, line)) {
		netns_drop_unused(place);
		place = NULL;
	}
	if (!place)
		place = look_everywhere(a, line);
	home->busy--;
	if (place && tunnel_adopt(home, place, line) == 0) {
		a->adopted++;
		return;
	}
	rxmap_mark(home, &line->cfg); /* the maps may have it still */
	netns_drop_unused(home);
gone:
	log_info("%s: its device is gone", line->ifname);
	state_forget(a->d->state, line->slot);
	line->ifindex = 0;
}

/* Those with a name or a process; the others only where a line asks for one. */
static void find_namespaces(struct adoption *a)
{
	scan_each_ns(keep_ns, a);
	for (size_t i = 0; i < a->nlines; i++) {
		if (is_found(a, &a->line[i].home) && is_found(a, &a->line[i].place))
			continue;
		scan_each_held_ns(keep_ns, a);
		return;
	}
}

int adopt_all(struct daemon *d, struct err *e)
{
	struct adoption a = {.d = d};
	char path[PATH_LEN];
	int err;

	snprintf(path, sizeof(path), "%s/state", d->rundir);
	err = state_open(&d->state, path, keep_line, &a, e);
	if (!err && a.nlines)
		find_namespaces(&a);
	for (size_t i = 0; !err && i < a.nlines; i++)
		adopt_line(&a, &a.line[i]);
	numbers_settle(d);
	for (size_t i = 0; !err && i < a.nlines; i++)
		if (!a.line[i].ifindex)
			sweep(&a, &a.line[i]);
	for (size_t i = 0; i < a.nns; i++)
		close(a.ns[i].fd);
	if (a.nlines)
		log_info("%u of %zu tunnels taken over", a.adopted, a.nlines);
	free(a.ns);
	free(a.line);
	return err;
}
