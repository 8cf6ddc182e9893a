/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bpf datapath as a backend: each packet goes through the program (a test
 * run); what the program hands over goes to the engine's core, as the kernel
 * would bring it there. So every case says the same of both datapaths. What a
 * test run cannot express (merged packets, checksums left to be done, more than
 * a page) goes to the engine at once. The maps are kept as the daemon keeps them.
 */
#include <stdlib.h>

#include "../lib/bpf_run.h"
#include "mode/mode.h"
#include "model/lookup.h"
#include "runner.h"

#include <linux/rtnetlink.h>
#include <sys/mman.h>

enum { DEVS_MAX = 64, NUMBERS_BYTES = 4096 };

struct slot {
	struct lookup_node node; /* in dp.rx while there and up */
	struct case_tunnel t;
	bool there, in_rx;
};

struct dp {
	struct run run;
	struct world *world;
	void *engine;		     /* case_engine's */
	void *numbers;		     /* tunl_seq, mapped */
	struct lookup rx[MODE__MAX]; /* by driver */
	struct slot slot[CASE_TUNNELS];
};

/* Devices of this process's own namespace, made when they are first wanted; kept to its end. */
static int devs[DEVS_MAX];

static int make_dev(u32 ifindex)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};

	if (ifindex >= DEVS_MAX)
		return -EINVAL;
	if (devs[ifindex])
		return 0;
	devs[ifindex] = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (devs[ifindex] < 0 || ioctl(devs[ifindex], TUNSETIFINDEX, &ifindex) ||
	    ioctl(devs[ifindex], TUNSETIFF, &ifr)) {
		int err = -errno;

		devs[ifindex] = 0;
		return err;
	}
	return 0;
}

/* A namespace of its own and one CPU, since counters and ids are per CPU. Once a process. */
static int prepare(void)
{
	static bool done;
	cpu_set_t one;

	if (done)
		return 0;
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	if (unshare(CLONE_NEWNET) || sched_setaffinity(0, sizeof(one), &one))
		return -errno;
	done = true;
	return 0;
}

static void dp_close(void *dp)
{
	struct dp *d = dp;

	for (int i = 0; i < MODE__MAX; i++)
		lookup_free(&d->rx[i]);
	if (d->engine)
		case_engine.close(d->engine);
	if (d->numbers)
		munmap(d->numbers, NUMBERS_BYTES);
	bpf_object__close(d->run.obj);
	free(d);
}

/* As in the daemon, programs and engine count in one place. */
static bool share_numbers(struct dp *d)
{
	void *m = mmap(NULL, NUMBERS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		       run_map(&d->run, "tunl_seq_4"), 0);

	if (m == MAP_FAILED)
		return false;
	d->numbers = m;
	case_engine.numbers(d->engine, m);
	return true;
}

static void *dp_open(struct world *w, const char **why)
{
	struct dp *d = calloc(1, sizeof(*d));
	int err = d ? prepare() : -ENOMEM;

	if (!err)
		err = run_load(&d->run);
	if (err) {
		*why = err == -EPERM ? "a network namespace and BPF programs are not permitted here"
				     : strerror(-err);
		free(d);
		return NULL;
	}
	d->world = w;
	d->engine = case_engine.open(w, why);
	if (d->engine && share_numbers(d))
		return d;
	dp_close(d);
	return NULL;
}

/* What the parent's route lookup makes of the world's answer. */
static struct bpf_hop hop_of(const struct dp *d, const struct case_tunnel *t)
{
	struct route_key key = {
		.dst = t->cfg.remote,
		.src = t->cfg.local,
		.oif = t->cfg.link,
		.mark = t->cfg.fwmark,
		.tos = t->cfg.tos & TUNL_TOS_INHERIT ? 0 : t->cfg.tos & 0xfc,
		.proto = t->cfg.proto,
	};
	struct route rt = {};
	struct bpf_hop hop = {.state = HOP_SLOW};

	if (be32_is_zero(key.dst))
		return hop;
	world_route(d->world, &key, &rt);
	if (rt.error)
		hop.state = HOP_UNREACHABLE;
	else if (rt.oif == t->ifindex)
		hop.state = HOP_LOOP;
	else if (rt.type == RTN_UNICAST)
		hop.state = HOP_OK;
	hop.oif = rt.oif;
	hop.dst = key.dst;
	hop.via = rt.via;
	hop.src = rt.src;
	hop.mtu = rt.mtu;
	hop.mtu_locked = rt.mtu_locked;
	return hop;
}

/* The entry of a tunnel, but for what the receiving program noted in it. */
static void write_tx(struct dp *d, const struct case_tunnel *t)
{
	struct bpf_tx old = {}, tx = {
					.hop = hop_of(d, t),
					.nbma = be32_is_zero(t->cfg.remote),
					.ttl = t->cfg.ttl,
					.tos = t->cfg.tos,
					.df = t->cfg.pmtudisc,
					.link = t->cfg.link,
					.peers = t->cfg.peers,
					.seq = (u32)(container_of(t, struct slot, t) - d->slot),
				};

	mode_by_id(t->cfg.mode)->fast(&t->cfg, &tx.how);
	if (t->cfg.mss)
		tx.how.rules |= FAST_MSS;
	if (!bpf_map_lookup_elem(run_map(&d->run, "tunl_tx_4"), &t->ifindex, &old))
		tx.slow_until = old.slow_until;
	run_set(&d->run, "tunl_tx_4", &t->ifindex, &tx);
}

/* The engine alone has the tunnels of the other modes. */
static bool is_carried(const struct slot *s)
{
	const struct mode *m = mode_by_id(s->t.cfg.mode);
	struct mode_fast how = {};

	return s->there && m->fast && m->fast(&s->t.cfg, &how);
}

static bool is_local(const struct world *w, be32 addr)
{
	for (u32 i = 0; i < w->naddresses; i++)
		if (be32_eq(w->address[i].addr, addr))
			return true;
	return false;
}

static struct slot *slot_of(struct lookup_node *n)
{
	return container_of(n, struct slot, node);
}

/* Whether the program may decide about n, of outer protocol proto. */
static bool is_decided(struct lookup_node *n, u8 proto)
{
	const struct tunnel_cfg *cfg = &slot_of(n)->t.cfg;

	return is_carried(slot_of(n)) && (!cfg->proto || cfg->proto == proto);
}

static u32 ifindex_of(struct lookup_node *n)
{
	const struct case_tunnel *t = &slot_of(n)->t;

	return t->ifindex | (t->cfg.peers.n || t->cfg.mss ? BPF_RX_LOOK : 0);
}

static void fill_rx(struct bpf_rx *rx, const struct lookup_rule *rule, u8 proto)
{
	bool slow = rule->nbound > BPF_RX_BOUND ||
		    (rule->candidate && !is_decided(rule->candidate, proto));

	rx->candidate = rule->candidate ? ifindex_of(rule->candidate) : 0;
	rx->nbound = rule->nbound;
	for (u32 i = 0; !slow && i < rule->nbound; i++) {
		slow = !is_decided(rule->bound[i], proto);
		rx->bound[i].link = rule->bound[i]->link;
		rx->bound[i].ifindex = ifindex_of(rule->bound[i]);
	}
	if (slow)
		*rx = (struct bpf_rx){.nbound = BPF_RX_SLOW};
}

static void write_rx_key(struct dp *d, const struct slot *s)
{
	enum mode_id driver = mode_info(s->t.cfg.mode)->driver;
	struct lookup_key k = lookup_key(&s->node);
	struct bpf_rx_key key = {.remote = k.remote,
				 .local = k.local,
				 .key = k.key,
				 .proto = mode_info(driver)->proto,
				 .keyed = k.keyed};
	struct lookup_rule rule;
	struct bpf_rx rx = {};

	if ((!be32_is_zero(k.local) && !is_local(d->world, k.local)) ||
	    !lookup_compile(&d->rx[driver], &k, &rule)) {
		run_unset(&d->run, "tunl_rx_4", &key);
		return;
	}
	fill_rx(&rx, &rule, key.proto);
	run_set(&d->run, "tunl_rx_4", &key, &rx);
}

static void write_locals(struct dp *d)
{
	be32 key;
	u32 one = 1;

	while (!bpf_map_get_next_key(run_map(&d->run, "tunl_local_4"), NULL, &key))
		run_unset(&d->run, "tunl_local_4", &key);
	for (u32 i = 0; i < d->world->naddresses; i++)
		run_set(&d->run, "tunl_local_4", &d->world->address[i].addr, &one);
}

static void forget_prefixes(struct dp *d)
{
	struct bpf_peer_key key;
	const void *at = NULL;

	while (!bpf_map_get_next_key(run_map(&d->run, "tunl_peer_4"), at, &key)) {
		at = be32_is_zero(key.router) ? NULL : &key;
		if (!at)
			run_unset(&d->run, "tunl_peer_4", &key);
	}
}

/* The prefixes of a tunnel's device; its routers are there already. */
static void write_prefixes(struct dp *d, u32 ifindex)
{
	const struct world *w = d->world;
	u32 one = 1;

	for (u32 i = 0; i < w->naddresses6; i++) {
		struct bpf_peer_key key = {.ifindex = ifindex};

		if (w->address6[i].ifindex != ifindex || w->address6[i].len != 64)
			continue;
		memcpy(key.prefix, &w->address6[i].addr, sizeof(key.prefix));
		run_set(&d->run, "tunl_peer_4", &key, &one);
	}
}

/* All as the world and the tunnels are now. */
static void write_all(struct dp *d)
{
	struct bpf_ns_state st = {.gen = 1};
	u32 zero = 0;

	write_locals(d);
	forget_prefixes(d);
	for (unsigned i = 0; i < CASE_TUNNELS; i++) {
		if (!d->slot[i].there)
			continue;
		write_prefixes(d, d->slot[i].t.ifindex);
		if (is_carried(&d->slot[i]))
			write_tx(d, &d->slot[i].t);
		else
			run_unset(&d->run, "tunl_tx_4", &d->slot[i].t.ifindex);
		st.any_bound |= d->slot[i].node.link != 0;
		write_rx_key(d, &d->slot[i]);
	}
	run_set(&d->run, "tunl_state_4", &zero, &st);
}

static struct lookup *lookup_of(struct dp *d, const struct slot *s)
{
	enum mode_id driver = mode_info(s->t.cfg.mode)->driver;

	d->rx[driver].kind = mode_by_id(driver)->lookup;
	return &d->rx[driver];
}

static void leave(struct dp *d, struct slot *s)
{
	if (s->in_rx)
		lookup_del(lookup_of(d, s), &s->node);
	s->in_rx = false;
	if (s->there)
		write_rx_key(d, s);
}

static int dp_set(void *dp, unsigned i, const struct case_tunnel *t)
{
	struct dp *d = dp;
	struct slot *s = &d->slot[i];
	int err = make_dev(t->ifindex);

	if (err)
		return err;
	leave(d, s);
	if (!s->there)
		run_clear_stats(&d->run, t->ifindex);
	s->t = *t;
	s->there = true;
	s->node = lookup_node(&t->cfg, t->order);
	s->node.down = !t->up;
	s->in_rx = (t->up || lookup_has_down(lookup_of(d, s))) &&
		   lookup_add(lookup_of(d, s), &s->node) == 0;
	return case_engine.set(d->engine, i, t);
}

static void dp_del(void *dp, unsigned i)
{
	struct dp *d = dp;

	leave(d, &d->slot[i]);
	run_unset(&d->run, "tunl_tx_4", &d->slot[i].t.ifindex);
	d->slot[i].there = false;
	case_engine.del(d->engine, i);
}

static int dp_router(void *dp, unsigned i, const struct prl_entry *router)
{
	struct dp *d = dp;
	struct bpf_peer_key key = {.ifindex = d->slot[i].t.ifindex, .router = router->addr};
	u32 one = 1;

	run_set(&d->run, "tunl_peer_4", &key, &one);
	return case_engine.router(d->engine, i, router);
}

static void dp_flush(void *dp)
{
	case_engine.flush(((struct dp *)dp)->engine);
}

/* Whether a test run can stand for what the kernel would do with the packet. */
static bool can_run(const struct case_packet *p)
{
	u32 least = p->ethertype == ETH_P_IPV6 ? IP6_HLEN : IP4_HLEN;

	return p->len >= least && p->len + ETH_HLEN <= RUN_MAX && !p->vnet.gso_type &&
	       !p->vnet.flags;
}

static void dp_tx(void *dp, unsigned i, struct case_packet *p)
{
	struct dp *d = dp;
	struct run_frame f = {.ifindex = d->slot[i].t.ifindex, .ethertype = p->ethertype};
	int verdict = HANDED_OVER;

	write_all(d);
	if (can_run(p) && is_carried(&d->slot[i]))
		verdict = run_prog(&d->run, "tunl_egress_l2", &f, p->data, p->len);
	if (verdict == TC_ACT_REDIRECT)
		case_output(CASE_WIRE, 0, d->run.out, d->run.len);
	else if (verdict == HANDED_OVER)
		case_engine.tx(d->engine, i, p);
}

/* Which tunnel's count of received packets is not what it was. */
static unsigned who_got(struct dp *d, const u64 before[CASE_TUNNELS])
{
	unsigned i;

	for (i = 0; i < CASE_TUNNELS; i++)
		if (d->slot[i].there &&
		    run_stats(&d->run, d->slot[i].t.ifindex).rx_packets != before[i])
			break;
	return i;
}

/* How many a tunnel has got. The next oddity is logged: the program's second is not the case's. */
static u64 before_packet(struct dp *d, const struct slot *s)
{
	run_log_again(&d->run, s->t.ifindex);
	return run_stats(&d->run, s->t.ifindex).rx_packets;
}

static void dp_rx(void *dp, u32 iif, struct case_packet *p)
{
	struct dp *d = dp;
	struct run_frame f = {.ifindex = iif, .ethertype = p->ethertype};
	u64 before[CASE_TUNNELS] = {};
	int verdict = HANDED_OVER;

	write_all(d);
	for (unsigned i = 0; i < CASE_TUNNELS; i++)
		if (d->slot[i].there)
			before[i] = before_packet(d, &d->slot[i]);
	if (can_run(p) && !make_dev(iif))
		verdict = run_prog(&d->run, "tunl_ingress", &f, p->data, p->len);
	if (verdict == TC_ACT_REDIRECT)
		case_output(CASE_TUN, who_got(d, before), d->run.out, d->run.len);
	else if (verdict == HANDED_OVER)
		case_engine.rx(d->engine, iif, p);
}

static void dp_clock(void *dp, u64 now_ms)
{
	case_engine.clock(((struct dp *)dp)->engine, now_ms);
}

static void dp_stats(void *dp, unsigned i, struct tunnel_stats *st)
{
	struct dp *d = dp;
	struct tunnel_stats bpf;

	case_engine.stats(d->engine, i, st);
	if (i >= CASE_TUNNELS || !d->slot[i].there)
		return;
	bpf = run_stats(&d->run, d->slot[i].t.ifindex);
	stats_add(st, &bpf);
}

const struct case_backend case_bpf = {
	.name = "bpf",
	.open = dp_open,
	.close = dp_close,
	.set = dp_set,
	.router = dp_router,
	.del = dp_del,
	.flush = dp_flush,
	.tx = dp_tx,
	.rx = dp_rx,
	.clock = dp_clock,
	.stats = dp_stats,
};
