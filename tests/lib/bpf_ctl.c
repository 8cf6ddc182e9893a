/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drives the loader of the bpf datapath by hand, for tests that want it without
 * a daemon. In the caller's namespace:
 *
 *	bpf_ctl up TUN UNDERLAY remote A local B via V [mtu N] [ttl N] [tos N] [df N]
 *						[mode ipip|gre|sit] [key N] [seq 1]
 *	bpf_ctl over TUN TUN2 UNDERLAY ...	the same for TUN2, upon the maps that TUN has
 *	bpf_ctl underlay TUN DEV		put the receiving program on DEV too
 *	bpf_ctl fill TUN N		add N tunnels of no device, so that the maps grow
 *	bpf_ctl stats TUN		the counters, one `word value` a line
 *	bpf_ctl down TUN UNDERLAY
 *
 * `up` adopts what a former `up` left on TUN. Exit status: errno of a failure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>

#include "bpf/loader.h"
#include "wire/gre.h"
#include "wire/ip4.h"

static int fail(const struct err *e)
{
	fprintf(stderr, "bpf_ctl: %s\n", e->text);
	return e->code;
}

static int open_ns(struct bpf_ns **b, const char *tun, struct err *e)
{
	int r = bpf_ns_adopt(b, if_nametoindex(tun), -1, e);

	return r == -ENOENT ? bpf_ns_load(b, -1, e) : r;
}

static be32 address(const char *text)
{
	be32 a = {0};

	if (inet_pton(AF_INET, text, &a) != 1) {
		fprintf(stderr, "bpf_ctl: no address: %s\n", text);
		exit(EINVAL);
	}
	return a;
}

struct setup {
	struct bpf_tx tx;
	struct bpf_rx_key key;
};

/* The mode's own, as src/mode has it. */
static void set_mode(struct setup *s, const char *mode)
{
	struct mode_fast *how = &s->tx.how;

	if (!strcmp(mode, "gre")) {
		how->proto4 = how->proto6 = s->key.proto = PROTO_GRE;
		how->hlen = GRE_HLEN;
	} else if (!strcmp(mode, "sit")) {
		how->proto6 = s->key.proto = PROTO_IPV6;
	} else {
		how->proto4 = PROTO_IPIP;
	}
}

static void set_key(struct setup *s, u32 key)
{
	s->key.key = s->tx.how.okey = be32_of(key);
	s->key.keyed = 1;
	s->tx.how.oflags |= GRE_K;
	s->tx.how.hlen += 4;
}

static void set_seq(struct setup *s)
{
	s->tx.how.oflags |= GRE_S;
	s->tx.how.iflags |= GRE_S;
	s->tx.how.hlen += 4;
}

static void parse(struct setup *s, char **arg)
{
	for (; *arg; arg += 2) {
		const char *v = arg[1] ? arg[1] : "";

		if (!strcmp(*arg, "remote"))
			s->key.remote = s->tx.hop.dst = address(v);
		else if (!strcmp(*arg, "local"))
			s->key.local = s->tx.hop.src = address(v);
		else if (!strcmp(*arg, "via"))
			s->tx.hop.via = address(v);
		else if (!strcmp(*arg, "mtu"))
			s->tx.hop.mtu = (u32)atoi(v);
		else if (!strcmp(*arg, "ttl"))
			s->tx.ttl = (u8)atoi(v);
		else if (!strcmp(*arg, "tos"))
			s->tx.tos = (u8)strtoul(v, 0, 0);
		else if (!strcmp(*arg, "df"))
			s->tx.df = (u8)atoi(v);
		else if (!strcmp(*arg, "mode"))
			set_mode(s, v);
		else if (!strcmp(*arg, "key"))
			set_key(s, (u32)atoi(v));
		else if (!strcmp(*arg, "seq"))
			set_seq(s);
		else
			exit(EINVAL);
		if (!arg[1])
			exit(EINVAL);
	}
}

static int fill_maps(struct bpf_ns *b, u32 tun, const struct setup *s)
{
	struct bpf_rx rx = {.candidate = tun};
	int r = bpf_ns_set_tx(b, tun, &s->tx);

	if (!r)
		r = bpf_ns_set_rx(b, &s->key, &rx);
	return r ? r : bpf_ns_set_local(b, s->key.local, true);
}

static int up(struct bpf_ns *b, char **arg, struct err *e)
{
	u32 tun = if_nametoindex(arg[0]), dev = if_nametoindex(arg[1]);
	struct setup s = {.tx = {.how = {.proto4 = PROTO_IPIP, .rules = FAST_SHORT},
				 .df = 1,
				 .hop = {.state = HOP_OK, .mtu = 1500}},
			  .key = {.proto = PROTO_IPIP}};
	int r;

	s.tx.hop.oif = dev;
	parse(&s, arg + 2);
	r = fill_maps(b, tun, &s);
	if (r)
		return err_set(e, -r, "maps: %s", strerror(-r));
	r = bpf_ns_attach_tunnel(b, tun, e);
	return r ? r : bpf_ns_attach_underlay(b, dev, e);
}

static int fill(struct bpf_ns *b, char **arg, struct err *e)
{
	struct bpf_tx tx = {.hop = {.state = HOP_UNREACHABLE}};
	int r = bpf_ns_attach_tunnel(b, if_nametoindex(arg[0]), e);

	for (u32 i = 0; !r && i < (u32)atoi(arg[1]); i++)
		r = bpf_ns_set_tx(b, 1000000 + i, &tx);
	return r;
}

static int print_stats(struct bpf_ns *b, const char *tun)
{
	struct tunnel_stats s;
	int r = bpf_ns_get_stats(b, if_nametoindex(tun), &s);

	if (r)
		return r;
	printf("rx_packets %llu\nrx_bytes %llu\ntx_packets %llu\ntx_bytes %llu\n", s.rx_packets,
	       s.rx_bytes, s.tx_packets, s.tx_bytes);
	for (u32 i = R_NONE + 1; i < R__MAX; i++)
		printf("%s %llu\n", reason_info((enum reason)i)->word, s.reason[i]);
	return 0;
}

static int run(struct bpf_ns *b, char **argv, int argc, struct err *e)
{
	const char *verb = argv[1];

	if (!strcmp(verb, "up") && argc >= 4)
		return up(b, argv + 2, e);
	if (!strcmp(verb, "over") && argc >= 5)
		return up(b, argv + 3, e);
	if (!strcmp(verb, "underlay") && argc == 4)
		return bpf_ns_attach_underlay(b, if_nametoindex(argv[3]), e);
	if (!strcmp(verb, "fill") && argc == 4)
		return fill(b, argv + 2, e);
	if (!strcmp(verb, "stats") && argc == 3)
		return print_stats(b, argv[2]);
	if (!strcmp(verb, "down") && argc == 4) {
		bpf_ns_detach(b, if_nametoindex(argv[2]));
		bpf_ns_detach(b, if_nametoindex(argv[3]));
		return 0;
	}
	return err_set(e, EINVAL, "what?");
}

int main(int argc, char **argv)
{
	struct err e = {};
	struct bpf_ns *b;

	if (argc < 3)
		return EINVAL;
	if (open_ns(&b, argv[2], &e) || run(b, argv, argc, &e)) {
		if (!e.code)
			err_set(&e, EIO, "failed");
		return fail(&e);
	}
	bpf_ns_close(b);
	return 0;
}
