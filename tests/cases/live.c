/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live datapaths as backends: a namespace with TAPs for wires (net.h), in which
 * the tunnels are the kernel's own drivers', made by the real `ip` (driver), or
 * tunl's, made by its daemon (live-user, live-bpf).
 * What the world's lines say becomes devices, addresses and routes there.
 *
 * TUNL_TUNLD names the daemon that is meant, TUNL_RUNDIR its folder.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "cli/row.h"
#include "lib/addr.h"
#include "model/grammar.h"
#include "model/modes.h"
#include "live_world.h"
#include "net.h"
#include "runner.h"

enum { LIVE_POLL_MS = 1, LIVE_TURN_MS = 20, LIVE_PATIENCE_MS = 5000 };

struct live {
	struct net net;
	struct world *world;
	struct case_tunnel tunnel[CASE_TUNNELS];
	bool there[CASE_TUNNELS];
	const char *datapath; /* NULL: the drivers */
	struct mnl_socket *nl;
	u64 now_ms; /* the case's clock */
};

/* Ask tunl's daemon, which is started where none is. 0 or -errno. */
static int tunl(const char *verb, const char *target, const char *config)
{
	struct ctl_request req = {.verb = verb, .target = target, .config = config, .start = true};
	struct err e = {0};
	int err = ctl_call(&req, &e);

	if (err)
		fprintf(stderr, "# tunl %s %s: %s %s\n", verb, config ? config : target,
			strerror(-err), e.text);
	return err;
}

static int tunl_set(struct live *l, unsigned i, const struct tunnel_cfg *cfg)
{
	struct tunnel_cfg mine = *cfg;
	char line[GRAMMAR_LINE];

	/* not every tunnel is bpf's alone: auto then takes it for what it can do */
	if (!strcmp(l->datapath, "user"))
		mine.datapath = DATAPATH_USER;
	grammar_print(&mine, line, sizeof(line));
	if (!l->there[i])
		return tunl("add", NULL, line);
	if (!memcmp(&cfg->sixrd, &l->tunnel[i].cfg.sixrd, sizeof(cfg->sixrd)))
		return tunl("change", cfg->name, line);
	live_6rd_words(&cfg->sixrd, line, sizeof(line));
	return tunl("6rd", cfg->name, line);
}

/* Of the first tunnel: what README.md says is there before the first line. */
static void first_tunnel(struct live *l, const char *name)
{
	net_ip(&l->net, "addr add 10.0.0.1/24 dev %s", name);
}

static void bring_up(struct live *l, unsigned i, const struct case_tunnel *t)
{
	const char *name = t->cfg.name;

	/* to a group every packet goes, the kernel's own too */
	if (be32_host(t->cfg.remote) >> 28 == 0xe)
		net_sysctl6(name, "disable_ipv6", "1");
	/* what is delivered ends there: nobody answers */
	net_ip(&l->net, "rule add pref 5 iif %s blackhole", name);
	net_ip6(&l->net, "rule add pref 5 iif %s blackhole", name);
	net_ip(&l->net, "link set dev %s mtu %u up", name, t->mtu);
	if (i == 0)
		first_tunnel(l, name);
	/* what the kernel gives such a device itself is not in the case's world */
	if (be32_host(t->cfg.remote) >> 28 == 0xe)
		return;
	net_ip6(&l->net, "addr flush dev %s", name);
	net_ip6(&l->net, "route replace default dev %s metric %u", name, 9000 + i);
}

/*
 * The device that a driver has already where a tunnel has nothing to be known by.
 * It takes the tunnel's name, and has its own again when that is deleted.
 */
static const char *fallback(const struct live *l, const struct tunnel_cfg *cfg)
{
	static const char *const name[MODE__MAX] = {
		[MODE_IPIP] = "tunl0", [MODE_GRE] = "gre0", [MODE_SIT] = "sit0"};
	bool is_known = !be32_is_zero(cfg->remote) || !be32_is_zero(cfg->local) || cfg->dev[0] ||
			cfg->iflags & TUNL_F_KEY;

	return l->datapath || is_known ? NULL : name[cfg->mode];
}

static void rename_fallback(struct live *l, const char *from, const char *to)
{
	if (strcmp(from, to))
		net_ip(&l->net, "link set dev %s down\nlink set dev %s name %s", from, from, to);
}

static int configure(struct live *l, unsigned i, const struct case_tunnel *t)
{
	char line[GRAMMAR_LINE];

	if (fallback(l, &t->cfg) && !l->there[i]) {
		rename_fallback(l, fallback(l, &t->cfg), t->cfg.name);
		return net_do(&l->net);
	}
	if (!l->datapath && (t->cfg.mss || t->cfg.peers.n))
		return -EOPNOTSUPP; /* tunl's own words */
	if (!l->datapath) {
		net_ip(&l->net, "link %s dev %s %s", l->there[i] ? "change" : "add", t->cfg.name,
		       live_link_words(&t->cfg, line, sizeof(line)));
		return net_do(&l->net);
	}
	return tunl_set(l, i, &t->cfg);
}

/* The daemon hears of a device's state by itself: until it has. */
static int await_state(const struct case_tunnel *t)
{
	struct tunnel_row row = {0};
	struct err e;

	for (unsigned ms = 0; ms < LIVE_PATIENCE_MS; ms += LIVE_TURN_MS) {
		if (!row_get(t->cfg.name, NULL, &row, &e) && row.up == t->up && row.mtu)
			return poll(NULL, 0, LIVE_TURN_MS);
		poll(NULL, 0, LIVE_TURN_MS);
	}
	return -ETIMEDOUT;
}

static int live_set(void *dp, unsigned i, const struct case_tunnel *t)
{
	struct live *l = dp;
	bool fresh = !l->there[i];
	int err = 0;

	if (fresh || !cfg_equal(&l->tunnel[i].cfg, &t->cfg))
		err = configure(l, i, t);
	if (err)
		return err;
	if (fresh)
		bring_up(l, i, t);
	else if (l->tunnel[i].up != t->up)
		net_ip(&l->net, "link set dev %s %s", t->cfg.name, t->up ? "up" : "down");
	l->tunnel[i] = *t;
	l->there[i] = true;
	err = net_do(&l->net);
	if (!err && l->datapath)
		err = await_state(t);
	if (!err && fresh)
		err = net_watch(&l->net, i, if_nametoindex(t->cfg.name));
	return err;
}

static void live_del(void *dp, unsigned i)
{
	struct live *l = dp;
	const char *name = l->tunnel[i].cfg.name;

	net_unwatch(&l->net, i);
	l->there[i] = false;
	net_ip(&l->net, "rule del pref 5 iif %s", name);
	net_ip6(&l->net, "rule del pref 5 iif %s", name);
	net_do(&l->net);
	if (l->datapath) {
		tunl("delete", name, NULL);
		return;
	}
	if (fallback(l, &l->tunnel[i].cfg)) {
		rename_fallback(l, name, fallback(l, &l->tunnel[i].cfg));
	} else {
		net_ip(&l->net, "link del dev %s", name);
	}
	net_do(&l->net);
}

static void live_close(void *dp)
{
	struct live *l = dp;

	for (unsigned i = 0; i < CASE_TUNNELS; i++)
		if (l->there[i])
			live_del(l, i);
	if (l->nl)
		mnl_socket_close(l->nl);
	net_close(&l->net);
	free(l);
}

static int start(struct live *l)
{
	static const struct {
		const char *name, *addr;
		u32 ifindex;
	} dev[] = {{"eth0", "192.0.2.1/24", 2}, {"eth1", "198.51.100.1/24", 3}};
	int err = net_open(&l->net);

	for (size_t i = 0; i < countof(dev) && !err; i++) {
		/* the drivers' own devices may have these indexes */
		err = net_tap(&l->net, dev[i].name, 0, 1500);
		net_ip(&l->net, "addr add %s dev %s", dev[i].addr, dev[i].name);
	}
	/* in front of it stands what is said of tunnels: bring_up() */
	net_ip(&l->net, "rule add pref 100 lookup local\nrule del pref 0");
	net_ip6(&l->net, "rule add pref 100 lookup local\nrule del pref 0");
	net_ip6(&l->net, "addr add 2001:db8::1/128 dev lo");
	if (!err)
		err = net_do(&l->net);
	l->nl = mnl_socket_open(NETLINK_ROUTE);
	if (!err && (!l->nl || mnl_socket_bind(l->nl, 0, MNL_SOCKET_AUTOPID)))
		err = -errno;
	return err;
}

static void *live_open(struct world *w, const char **why, const char *datapath)
{
	struct live *l = calloc(1, sizeof(*l));
	int err = l ? 0 : -ENOMEM;

	if (!err) {
		l->world = w;
		l->datapath = datapath;
		err = start(l);
	}
	if (!err)
		return l;
	*why = strerror(-err);
	if (l)
		live_close(l);
	return NULL;
}

static void *driver_open(struct world *w, const char **why)
{
	return live_open(w, why, NULL);
}

static void *user_open(struct world *w, const char **why)
{
	return live_open(w, why, "user");
}

static void *bpf_open(struct world *w, const char **why)
{
	return live_open(w, why, "bpf");
}

static int live_router(void *dp, unsigned i, const struct prl_entry *router)
{
	struct live *l = dp;
	const char *name = l->tunnel[i].cfg.name;
	char line[128], addr[ADDR4_TEXT];

	snprintf(line, sizeof(line), "prl-%s %s", router->is_default ? "default" : "nodefault",
		 addr4_print(router->addr, addr));
	if (l->datapath) {
		int err = tunl("prl", name, line);

		/* the engine is told behind the answer */
		return err ? err : poll(NULL, 0, LIVE_TURN_MS);
	}
	net_ip(&l->net, "tunnel prl %s dev %s", line, name);
	return net_do(&l->net);
}

static void live_flush(void *dp)
{
	(void)dp;
}

static void to_case(int way, unsigned i, const void *data, u32 len)
{
	case_output((enum case_way)way, i, data, len);
}

static void live_more(void *dp, unsigned ms)
{
	struct live *l = dp;

	for (unsigned waited = 0;; waited += LIVE_POLL_MS) {
		net_drain(&l->net, to_case);
		if (waited >= ms)
			return;
		poll(NULL, 0, LIVE_POLL_MS);
	}
}

/* The case's time is the kernel's: it passes. */
static void live_clock(void *dp, u64 now_ms)
{
	struct live *l = dp;
	u64 ms = l->now_ms && now_ms > l->now_ms ? now_ms - l->now_ms : 0;

	l->now_ms = now_ms;
	if (ms)
		live_more(l, (unsigned)ms);
}

/* The packet may be larger than the device takes by itself: it grows for the moment. */
static int send_large(struct live *l, unsigned i, const struct net_packet *p)
{
	const char *name = l->tunnel[i].cfg.name;
	int err;

	net_ip(&l->net, "link set dev %s mtu %u", name, p->len);
	err = net_do(&l->net);
	if (!err)
		err = net_send(&l->net, l->net.tunnel[i].ifindex, p);
	net_ip(&l->net, "link set dev %s mtu %u", name, l->tunnel[i].mtu);
	return net_do(&l->net) ? -EINVAL : err;
}

static void live_tx(void *dp, unsigned i, struct case_packet *p)
{
	struct live *l = dp;
	struct net_packet q = {p->data, p->len, p->ethertype, &p->vnet};
	int err = net_send(&l->net, l->net.tunnel[i].ifindex, &q);

	if (err == -EMSGSIZE)
		err = send_large(l, i, &q);
	if (err)
		case_skip("the kernel does not give a tunnel such a packet");
}

static void live_rx(void *dp, u32 iif, struct case_packet *p)
{
	struct live *l = dp;
	const char *name = NULL;

	for (u32 i = 0; i < l->world->ndevices; i++)
		if (l->world->device[i].ifindex == iif)
			name = l->world->device[i].name;
	if (p->vnet.flags || p->vnet.gso_type)
		case_skip("a merged or unfinished outer packet is made inside of a kernel only");
	else if (!name || !net_tap_named(&l->net, name) ||
		 net_arrive(net_tap_named(&l->net, name), p->ethertype, p->data, p->len))
		case_skip("the wire does not take it");
}

static int take_stats(const struct nlattr *a, void *arg)
{
	if (mnl_attr_get_type(a) == IFLA_STATS64 &&
	    mnl_attr_get_payload_len(a) >= sizeof(struct rtnl_link_stats64))
		memcpy(arg, mnl_attr_get_payload(a), sizeof(struct rtnl_link_stats64));
	return MNL_CB_OK;
}

static int link_stats(struct live *l, u32 ifindex, struct rtnl_link_stats64 *st)
{
	_Alignas(struct nlmsghdr) u8 buf[16384];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi;
	ssize_t got;

	h->nlmsg_type = RTM_GETLINK;
	h->nlmsg_flags = NLM_F_REQUEST;
	ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	ifi->ifi_index = (int)ifindex;
	if (mnl_socket_sendto(l->nl, h, h->nlmsg_len) < 0)
		return -errno;
	got = mnl_socket_recvfrom(l->nl, buf, sizeof(buf));
	if (got < (ssize_t)sizeof(*h) || h->nlmsg_type != RTM_NEWLINK)
		return -ENODEV;
	mnl_attr_parse(h, sizeof(*ifi), take_stats, st);
	return 0;
}

static void driver_links(void *dp, unsigned i, struct counts *c)
{
	struct rtnl_link_stats64 s = {0};
	struct live *l = dp;

	link_stats(l, l->net.tunnel[i].ifindex, &s);
	/* in the order of counts.c */
	const u64 link[COUNTS_LINK] = {
		s.rx_errors,	    s.rx_crc_errors,  s.rx_fifo_errors, s.rx_frame_errors,
		s.rx_length_errors, s.rx_dropped,     s.tx_errors,	s.tx_carrier_errors,
		s.collisions,	    s.tx_fifo_errors, s.tx_dropped,	s.tx_aborted_errors,
	};

	memcpy(c->link, link, sizeof(link));
	c->st.rx_packets = s.rx_packets;
	c->st.rx_bytes = s.rx_bytes;
	c->st.tx_packets = s.tx_packets;
	c->st.tx_bytes = s.tx_bytes;
	c->st.multicast = s.multicast;
}

static void tunl_stats(void *dp, unsigned i, struct tunnel_stats *st)
{
	struct live *l = dp;
	struct tunnel_row row = {0};
	struct err e;

	*st = (struct tunnel_stats){0};
	if (i < CASE_TUNNELS && !row_get(l->tunnel[i].cfg.name, NULL, &row, &e))
		*st = row.stats;
}

static const char *live_world(void *dp, char **words, unsigned n)
{
	struct live *l = dp;

	return live_world_line(&l->net, l->world, words, n);
}

#define LIVE(name_, open_)                                                                         \
	.name = name_, .open = open_, .close = live_close, .set = live_set, .del = live_del,       \
	.router = live_router, .flush = live_flush, .tx = live_tx, .rx = live_rx,                  \
	.clock = live_clock, .world = live_world, .more = live_more

const struct case_backend case_driver = {LIVE("driver", driver_open), .links = driver_links};
const struct case_backend case_live_user = {LIVE("live-user", user_open), .stats = tunl_stats};
const struct case_backend case_live_bpf = {LIVE("live-bpf", bpf_open), .stats = tunl_stats};
