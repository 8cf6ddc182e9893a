/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs single BPF programs on made-up packets (BPF_PROG_TEST_RUN): the embedded
 * object loaded with maps for a few tunnels, in a network namespace of its own
 * with some TUN devices to stand for tunnels and underlays. There packets have an
 * Ethernet header, hence the programs for devices with one.
 */
#ifndef TUNL_TESTS_BPF_RUN_H
#define TUNL_TESTS_BPF_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/maps.h"
#include "wire/ip4.h"

extern const char bpf_blob[], bpf_blob_end[];

enum { RUN_DEVS = 3, RUN_MAX = 2048, HANDED_OVER = -1 };

struct run {
	struct bpf_object *obj;
	int tun[RUN_DEVS];
	u32 dev[RUN_DEVS]; /* ifindexes */
	u8 out[RUN_MAX];   /* what came of the last packet, from the IP header on */
	u32 len;
};

static inline int run_map(const struct run *r, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(r->obj, name);

	assert_true(fd >= 0);
	return fd;
}

static inline void run_set(const struct run *r, const char *map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(run_map(r, map), key, value, BPF_ANY), 0);
}

static inline void run_unset(const struct run *r, const char *map, const void *key)
{
	bpf_map_delete_elem(run_map(r, map), key);
}

/* Zero the counters of a tunnel, which makes them. */
static inline void run_clear_stats(const struct run *r, u32 ifindex)
{
	size_t n = (size_t)libbpf_num_possible_cpus();
	struct bpf_stats *zero = calloc(n, sizeof(*zero));

	assert_non_null(zero);
	run_set(r, "tunl_stats_4", &ifindex, zero);
	free(zero);
}

static inline struct tunnel_stats run_stats(const struct run *r, u32 ifindex)
{
	size_t n = (size_t)libbpf_num_possible_cpus();
	struct bpf_stats *all = calloc(n, sizeof(*all));
	struct tunnel_stats sum = {};

	assert_non_null(all);
	assert_int_equal(bpf_map_lookup_elem(run_map(r, "tunl_stats_4"), &ifindex, all), 0);
	for (size_t i = 0; i < n; i++)
		stats_add(&sum, &all[i].s);
	free(all);
	return sum;
}

/* Let a tunnel's next oddity go to the engine, however short the last one is ago. */
static inline void run_log_again(const struct run *r, u32 ifindex)
{
	size_t n = (size_t)libbpf_num_possible_cpus();
	struct bpf_stats *all = calloc(n, sizeof(*all));

	assert_non_null(all);
	assert_int_equal(bpf_map_lookup_elem(run_map(r, "tunl_stats_4"), &ifindex, all), 0);
	for (size_t i = 0; i < n; i++)
		all[i].log_next = 0;
	run_set(r, "tunl_stats_4", &ifindex, all);
	free(all);
}

static inline int run_make_dev(struct run *r, int i)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};

	r->tun[i] = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (r->tun[i] < 0 || ioctl(r->tun[i], TUNSETIFF, &ifr))
		return -errno;
	r->dev[i] = if_nametoindex(ifr.ifr_name);
	return 0;
}

static inline int run_load(struct run *r)
{
	struct bpf_program *p;
	struct bpf_map *m;

	libbpf_set_print(0);
	r->obj = bpf_object__open_mem(bpf_blob, (size_t)(bpf_blob_end - bpf_blob), 0);
	if (!r->obj)
		return -errno;
	bpf_object__for_each_program(p, r->obj) bpf_program__set_autoload(p, true);
	bpf_object__for_each_map(m, r->obj) if (!strstr(bpf_map__name(m), "state"))
		bpf_map__set_max_entries(m, 64);
	return bpf_object__load(r->obj);
}

static inline int run_open(struct run *r)
{
	int err = unshare(CLONE_NEWNET) ? -errno : 0;

	for (int i = 0; !err && i < RUN_DEVS; i++)
		err = run_make_dev(r, i);
	return err ? err : run_load(r);
}

static inline int run_setup(void **state)
{
	struct run *r = calloc(1, sizeof(*r));
	int err = r ? run_open(r) : -ENOMEM;

	*state = r;
	if (err)
		fprintf(stderr, "set-up: %s\n", strerror(-err));
	return err;
}

/* Whether BPF is permitted here, found out by trying in a child. False: a skip is printed. */
static inline bool run_is_permitted(void)
{
	struct run r = {};
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		int err = run_open(&r);

		_exit(err == -EPERM || err == -EACCES);
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || !WEXITSTATUS(status))
		return true;
	printf("1..1\nok 1 # SKIP a network namespace and BPF programs are not permitted here\n");
	return false;
}

static inline int run_teardown(void **state)
{
	struct run *r = *state;

	bpf_object__close(r->obj);
	for (int i = 0; i < RUN_DEVS; i++)
		close(r->tun[i]);
	free(r);
	return 0;
}

/* What stands before the packet: to this host, or not. */
struct run_frame {
	u32 ifindex;
	u16 ethertype;
	bool stranger; /* to another link-layer address */
	u32 gso_size;
};

/* Run a program on an IP packet. Its verdict; r->out has what came of the packet. */
static inline int run_prog(struct run *r, const char *prog, const struct run_frame *f,
			   const void *packet, u32 len)
{
	u8 in[RUN_MAX] = {}, out[RUN_MAX];
	struct __sk_buff ctx = {.ifindex = f->ifindex, .gso_size = f->gso_size};
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = in, .data_size_in = ETH_HLEN + len,
		    .data_out = out, .data_size_out = sizeof(out), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));
	struct bpf_program *p = bpf_object__find_program_by_name(r->obj, prog);
	be16 type = be16_of(f->ethertype ? f->ethertype : ETH_P_IP);
	int err;

	assert_non_null(p);
	assert_true(ETH_HLEN + len <= sizeof(in));
	in[0] = f->stranger ? 2 : 0;
	memcpy(in + 12, &type, 2);
	memcpy(in + ETH_HLEN, packet, len);
	err = bpf_prog_test_run_opts(bpf_program__fd(p), &o);
	if (err)
		fail_msg("test run: %s", strerror(-err));
	r->len = o.data_size_out - ETH_HLEN;
	memcpy(r->out, out + ETH_HLEN, r->len);
	return (int)o.retval;
}

static inline be32 run_addr(u8 a, u8 b, u8 c, u8 d)
{
	return be32_of((u32)a << 24 | (u32)b << 16 | (u32)c << 8 | d);
}

/* An IPv4 packet of f.len bytes at p, its payload a pattern. */
static inline void run_packet(u8 *p, const struct ip4_fields *f)
{
	for (u32 i = IP4_HLEN; i < f->len; i++)
		p[i] = (u8)(i * 7);
	ip4_build((struct ip4 *)p, f);
}

#endif
