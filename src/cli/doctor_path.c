/* SPDX-License-Identifier: BSD-2-Clause */
/* Of the way to the other end. */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "lib/addr.h"
#include "mode/mode.h"

enum {
	ECHO_WAIT_MS = 1000,
	ECHO_TRIES = 3,
	MTU_WAIT_MS = 400, /* of a remote that answers small ones at once */
	MTU_TRIES = 2,
	MTU_LEAST = 576,
};

static bool has_remote(const struct tunnel_row *row)
{
	return !be32_is_zero(row->cfg.remote) && !ip4_is_multicast(row->cfg.remote);
}

void check_device(struct doctor *d)
{
	const struct tunnel_row *row = d->patient->row;
	struct diagnosis g = {0};

	if (row->up)
		return;
	say_finding(&g, "the device is down");
	say_evidence(&g, "a tunnel that is down does not exist for what is received");
	say_remedy(&g, "`ip link set %s up`", row->ifname);
	doctor_tell(d, true, &g);
}

/* Whether this host has the address: it lets a socket have it. */
static bool is_own(be32 addr)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {addr.raw}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool own = fd >= 0 && !bind(fd, (struct sockaddr *)&sin, sizeof(sin));

	if (fd >= 0)
		close(fd);
	return own;
}

static void tell_not_own(struct doctor *d)
{
	const struct tunnel_row *row = d->patient->row;
	char local[ADDR4_TEXT];
	struct diagnosis g = {0};

	addr4_print(row->cfg.local, local);
	say_finding(&g, "the tunnel's local address is not this host's");
	say_evidence(&g, "a socket cannot be bound to %s", local);
	say_remedy(&g, "give this host the address %s, or `tunl change %s local ADDR`", local,
		   row->ifname);
	doctor_tell(d, true, &g);
}

static void tell_no_route(struct doctor *d, const struct route *rt)
{
	const struct tunnel_cfg *cfg = &d->patient->row->cfg;
	char remote[ADDR4_TEXT], local[ADDR4_TEXT];
	struct diagnosis g = {0};

	addr4_print(cfg->remote, remote);
	addr4_any(cfg->local, local);
	say_finding(&g, "there is no way to the other end");
	say_evidence(&g, "ip route get %s from %s: %s", remote, local, strerror(rt->error));
	say_remedy(&g, "a route to it: `ip route add %s via GATEWAY`", remote);
	doctor_tell(d, true, &g);
}

void check_route(struct doctor *d)
{
	struct patient *p = d->patient;
	const struct tunnel_cfg *cfg = &p->row->cfg;
	const struct route_key key = {
		.dst = cfg->remote,
		.src = cfg->local,
		.oif = cfg->link,
		.mark = cfg->fwmark,
	};
	struct diagnosis g = {0};

	if (!be32_is_zero(cfg->local) && !is_own(cfg->local)) {
		tell_not_own(d);
		return;
	}
	if (!has_remote(p->row) || rtnl_route_get(&d->rtnl, &key, &p->rt))
		return;
	if (p->rt.error) {
		tell_no_route(d, &p->rt);
		return;
	}
	if (p->rt.oif == p->row->ifindex) {
		say_finding(&g, "the way to the other end leads through the tunnel itself");
		say_evidence(&g, "ip route get to its remote: dev %s", p->row->ifname);
		say_remedy(&g, "a route of its own for the remote, by the underlay");
		doctor_tell(d, true, &g);
		return;
	}
	p->routed = p->row->up;
}

/* Until it is settled; the trace is heard meanwhile. */
static struct echo ask(struct doctor *d, const struct echo_ask *a, u32 tries)
{
	struct echo e = {.fate = ECHO_SILENT};

	for (u32 i = 0; i < tries && e.fate == ECHO_SILENT; i++) {
		e = probe_echo(&d->probe, a);
		doctor_listen(d);
	}
	return e;
}

void check_remote(struct doctor *d)
{
	struct patient *p = d->patient;
	const struct echo_ask a = {
		.dst = p->row->cfg.remote,
		.src = p->row->cfg.local,
		.wait_ms = ECHO_WAIT_MS,
	};
	char remote[ADDR4_TEXT], from[ADDR4_TEXT];
	struct diagnosis g = {0};

	if (!p->routed)
		return;
	p->plain = ask(d, &a, ECHO_TRIES);
	if (p->plain.fate == ECHO_ANSWERED || p->heard)
		return;
	addr4_print(a.dst, remote);
	say_finding(&g, "the other end's address does not answer");
	if (p->plain.fate == ECHO_UNREACHABLE)
		say_evidence(&g, "echo requests to %s: %s says unreachable (code %u)", remote,
			     addr4_print(p->plain.from, from), p->plain.code);
	else
		say_evidence(&g, "%d echo requests to %s: %s", ECHO_TRIES, remote,
			     p->plain.fate == ECHO_UNSENT ? strerror(-p->plain.error)
							  : "no answer");
	say_remedy(&g,
		   "is that host up, and is the address right? One that answers no echo may carry "
		   "all the same");
	doctor_tell(d, p->plain.fate != ECHO_SILENT, &g);
}

/* The line of /proc/net/arp about an address on a device: its flags; -1: there is none. */
static int arp_flags(be32 addr, const char *dev)
{
	char line[256], text[ADDR4_TEXT], ip[64], on[64];
	FILE *f = fopen("/proc/net/arp", "re");
	unsigned flags;
	int found = -1;

	addr4_print(addr, text);
	while (f && found < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %*s 0x%x %*s %*s %63s", ip, &flags, on) == 3 &&
		    !strcmp(ip, text) && !strcmp(on, dev))
			found = (int)flags;
	if (f)
		fclose(f);
	return found;
}

void check_neighbour(struct doctor *d)
{
	const struct route *rt = &d->patient->rt;
	char dev[IF_NAMESIZE], via[ADDR4_TEXT];
	struct diagnosis g = {0};

	if (!d->patient->routed || rt->via6 || !if_indextoname(rt->oif, dev) ||
	    arp_flags(rt->via, dev) != 0)
		return;
	addr4_print(rt->via, via);
	say_finding(&g, "the next hop %s does not answer on %s", via, dev);
	say_evidence(&g,
		     "its neighbour entry is incomplete after an echo request (`ip neigh show %s`)",
		     via);
	say_remedy(&g, "is it up, on that link, and its address right?");
	doctor_tell(d, true, &g);
}

static u32 overhead(const struct tunnel_row *row)
{
	return (u32)IP4_HLEN + mode_hlen(&row->cfg);
}

static u32 link_mtu(struct doctor *d, u32 ifindex)
{
	struct rtnl_link l;

	return rtnl_link_get(&d->rtnl, ifindex, NULL, &l) ? 0 : l.mtu;
}

void check_mtu(struct doctor *d)
{
	const struct tunnel_row *row = d->patient->row;
	u32 under = d->patient->routed ? link_mtu(d, d->patient->rt.oif) : 0;
	char dev[IF_NAMESIZE] = "?";
	struct diagnosis g = {0};

	/* a lower bound of the mode's may keep the device from being any smaller */
	if (!under || row->mtu + overhead(row) <= under ||
	    row->mtu <= mode_info(row->cfg.mode)->mtu_min)
		return;
	if_indextoname(d->patient->rt.oif, dev);
	say_finding(&g, "the device's MTU is more than the underlay carries");
	say_evidence(&g, "%s has %u, and with %u bytes around it more than the %u of %s",
		     row->ifname, row->mtu, overhead(row), under, dev);
	say_remedy(&g, "`ip link set %s mtu %u`", row->ifname, under - overhead(row));
	doctor_tell(d, false, &g);
}

static struct echo ask_size(struct doctor *d, u32 len)
{
	const struct tunnel_cfg *cfg = &d->patient->row->cfg;
	const struct echo_ask a = {
		.dst = cfg->remote,
		.src = cfg->local,
		.len = len,
		.df = true,
		.wait_ms = MTU_WAIT_MS,
	};

	return ask(d, &a, MTU_TRIES);
}

/* The largest that is answered, from one that is to one that is not. */
static u32 search(struct doctor *d, u32 good, u32 bad)
{
	while (bad - good > 1) {
		u32 mid = good + (bad - good) / 2;

		if (ask_size(d, mid).fate == ECHO_ANSWERED)
			good = mid;
		else
			bad = mid;
	}
	return good;
}

static void tell_black_hole(struct doctor *d, u32 says, u32 real)
{
	const struct tunnel_row *row = d->patient->row;
	char remote[ADDR4_TEXT];
	struct diagnosis g = {0};

	addr4_print(row->cfg.remote, remote);
	say_finding(&g, "the path swallows large packets without a word (a PMTU black hole)");
	say_evidence(
		&g,
		"the route says %u bytes; of echo requests with DF those up to %u are answered, "
		"larger ones draw neither answer nor ICMP 3/4",
		says, real);
	say_remedy(&g,
		   "let ICMP 3/4 through on the path; or `ip route add %s ... mtu %u` and `ip link "
		   "set "
		   "%s mtu %u`",
		   remote, real, row->ifname, real - min_of(real, overhead(row)));
	doctor_tell(d, true, &g);
}

static void tell_smaller(struct doctor *d, u32 says, u32 real)
{
	const struct tunnel_row *row = d->patient->row;
	struct diagnosis g = {0};

	if (row->mtu + overhead(row) <= real)
		return;
	say_finding(&g, "the path carries less than the device's MTU");
	say_evidence(&g, "a router tells %u bytes, the route says %u, and %s takes %u and adds %u",
		     real, says, row->ifname, row->mtu, overhead(row));
	say_remedy(
		&g,
		"nothing, if all senders do path MTU discovery; else `ip link set %s mtu %u`, or "
		"`tunl change %s mss auto`",
		row->ifname, real - min_of(real, overhead(row)), row->ifname);
	doctor_tell(d, false, &g);
}

void check_path_mtu(struct doctor *d)
{
	const struct patient *p = d->patient;
	u32 says;
	struct echo e;

	if (!p->routed || p->plain.fate != ECHO_ANSWERED)
		return;
	says = link_mtu(d, p->rt.oif);
	if (says <= MTU_LEAST || says > 9216)
		return;
	e = ask_size(d, says);
	if (e.fate == ECHO_TOO_BIG && e.mtu >= MTU_LEAST && e.mtu < says)
		tell_smaller(d, p->rt.mtu, e.mtu);
	else if (e.fate == ECHO_SILENT && ask_size(d, MTU_LEAST).fate == ECHO_ANSWERED &&
		 ask_size(d, says).fate == ECHO_SILENT)
		tell_black_hole(d, p->rt.mtu, search(d, MTU_LEAST, says));
}

void check_rp_filter(struct doctor *d)
{
	const char *dev = d->patient->row->ifname;
	long all = doctor_sysctl("/proc/sys/net/ipv4/conf/all/rp_filter");
	long mine = doctor_sysctl("/proc/sys/net/ipv4/conf/%s/rp_filter", dev);
	unsigned long long n =
		doctor_counter("/proc/net/netstat", "TcpExt:", "IPReversePathFilter");
	struct diagnosis g = {0};

	if (max_of(all, mine) != 1 || !n)
		return;
	say_finding(&g, "source validation is strict, and drops packets");
	say_evidence(
		&g,
		"rp_filter is %ld for all devices and %ld for %s; %llu packets came in by another "
		"way than the one back to their source (IPReversePathFilter)",
		all, mine, dev, n);
	say_remedy(&g,
		   "routes back through %s for what comes out of it; or `sysctl "
		   "net.ipv4.conf.%s.rp_filter=2`",
		   dev, dev);
	doctor_tell(d, false, &g);
}
