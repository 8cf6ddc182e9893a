/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loader: finding its maps again, growing, and what it says when it may not
 * or cannot. In a network namespace of its own, with TUN devices.
 */
#include "bpf_run.h"

#include <linux/capability.h>
#include <sys/syscall.h>

#include "bpf/loader.h"
#include "model/tunnel.h"

enum { NO_SUCH_DEVICE = 4242, FOR_TWO_GROWTHS = 600 };

static struct bpf_ns *load(void)
{
	struct bpf_ns *b;
	struct err e = {};

	if (bpf_ns_load(&b, -1, &e))
		fail_msg("%s", e.text);
	return b;
}

static void t_loader_adopts(void **state)
{
	struct run *r = *state;
	struct bpf_tx tx = {.hop = {.state = HOP_OK, .mtu = 1400}};
	struct tunnel_stats sum;
	struct bpf_ns *b = load();
	struct err e = {};

	assert_int_equal(bpf_ns_set_tx(b, r->dev[0], &tx), 0);
	assert_int_equal(bpf_ns_attach_tunnel(b, r->dev[0], &e), 0);
	bpf_ns_close(b);
	assert_int_equal(bpf_ns_adopt(&b, r->dev[0], -1, &e), 0);
	/* the stats that the first load made are there, without its tunnel being set again */
	assert_int_equal(bpf_ns_get_stats(b, r->dev[0], &sum), 0);
	assert_int_equal(sum.tx_packets, 0);
	bpf_ns_detach(b, r->dev[0]);
	bpf_ns_close(b);
	assert_int_equal(bpf_ns_adopt(&b, r->dev[0], -1, &e), -ENOENT);
	assert_null(b);
}

/* Two loads count in one map, however they grow, and it is found by the programs of either. */
static void t_loader_numbers(void **state)
{
	struct run *r = *state;
	struct bpf_tx tx = {.hop = {.state = HOP_OK}, .how = {.oflags = TUNL_F_SEQ}};
	struct mode_state st = {.next_seq = 77};
	int fd = bpf_seq_new(), found;
	struct bpf_ns *b[2];
	struct err e = {};
	u32 slot = BPF_SEQ_MAX - 1;

	assert_true(fd >= 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(bpf_ns_load(&b[i], fd, &e), 0);
		assert_int_equal(bpf_ns_set_tx(b[i], r->dev[i], &tx), 0);
		assert_int_equal(bpf_ns_attach_tunnel(b[i], r->dev[i], &e), 0);
	}
	tx.how.oflags = 0;
	for (u32 i = 0; i < FOR_TWO_GROWTHS; i++)
		assert_int_equal(bpf_ns_set_tx(b[0], 1000000 + i, &tx), 0);
	assert_int_equal(bpf_map_update_elem(fd, &slot, &st, BPF_ANY), 0);
	close(fd);
	for (int i = 0; i < 2; i++) {
		bpf_ns_close(b[i]);
		found = bpf_seq_of(r->dev[i]);
		assert_true(found >= 0);
		assert_int_equal(bpf_map_lookup_elem(found, &slot, &st), 0);
		assert_int_equal(st.next_seq, 77);
		close(found);
		bpf_ns_detach(NULL, r->dev[i]);
		assert_int_equal(bpf_seq_of(r->dev[i]), -ENOENT);
	}
}

/* A program of somebody else's under our handle is not taken for ours. */
static void t_loader_stranger(void **state)
{
	struct run *r = *state;
	struct bpf_insn code[] = {{.code = 0xb7}, {.code = 0x95}};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "stranger", "GPL", code, 2, 0);
	struct bpf_ns *b = load();
	struct err e = {};
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)r->dev[1], .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = fd, .priority = 0x746c, .handle = 0x746c02);

	assert_true(fd >= 0);
	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
	bpf_ns_close(b);
	assert_int_equal(bpf_ns_adopt(&b, r->dev[1], -1, &e), -ENOENT);
	assert_non_null(strstr(e.text, "other maps"));
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	bpf_tc_hook_destroy(&hook);
	close(fd);
}

/* Every tunnel is still there after the maps have grown, and can be taken out again. */
static void t_loader_grows(void **state)
{
	struct bpf_rx_key key = {.remote = run_addr(192, 0, 2, 2), .proto = PROTO_IPIP};
	struct bpf_tx tx = {.hop = {.state = HOP_OK}};
	struct bpf_rx rx = {.candidate = 1};
	struct tunnel_stats sum;
	struct bpf_ns *b = load();

	(void)state;
	for (u32 i = 1; i <= FOR_TWO_GROWTHS; i++) {
		key.local = be32_of(i);
		assert_int_equal(bpf_ns_set_tx(b, i, &tx), 0);
		assert_int_equal(bpf_ns_set_rx(b, &key, &rx), 0);
		assert_int_equal(bpf_ns_set_local(b, key.local, true), 0);
	}
	for (u32 i = 1; i <= FOR_TWO_GROWTHS; i++) {
		assert_int_equal(bpf_ns_get_stats(b, i, &sum), 0);
		assert_int_equal(bpf_ns_set_tx(b, i, NULL), 0);
		bpf_ns_del_stats(b, i);
		assert_int_equal(bpf_ns_get_stats(b, i, &sum), -ENOENT);
	}
	bpf_ns_close(b);
}

/* Next hops are a cache: what is stale makes room, and nothing is refused. */
static void t_loader_nbma_is_a_cache(void **state)
{
	struct bpf_hop hop = {.state = HOP_OK, .gen = 1};
	struct bpf_ns_state st = {.gen = 1};
	struct bpf_nbma_key key;
	struct bpf_ns *b = load();

	(void)state;
	assert_int_equal(bpf_ns_set_state(b, &st), 0);
	for (u32 i = 0; i < 2000; i++) {
		if (i == 100) {
			st.gen = hop.gen = 2;
			assert_int_equal(bpf_ns_set_state(b, &st), 0);
		}
		key = bpf_nbma_inner4(7, be32_of(i));
		assert_int_equal(bpf_ns_set_nbma(b, &key, &hop), 0);
	}
	bpf_ns_close(b);
}

struct seen_keys {
	struct bpf_ns *b;
	u32 n, sum;
};

static void see_and_delete(const void *key, void *arg)
{
	struct seen_keys *s = arg;
	be32 addr;

	memcpy(&addr, key, sizeof(addr));
	s->n++;
	s->sum += be32_host(addr);
	if (be32_host(addr) % 2)
		assert_int_equal(bpf_ns_set_local(s->b, addr, false), 0);
}

/* Each key once, though some are deleted on the way. */
static void t_loader_each_key(void **state)
{
	struct bpf_ns *b = load();
	struct seen_keys first = {.b = b}, then = {.b = b};

	(void)state;
	for (u32 i = 1; i <= 20; i++)
		assert_int_equal(bpf_ns_set_local(b, be32_of(i), true), 0);
	bpf_ns_each_key(b, BPF_KEYS_LOCAL, see_and_delete, &first);
	assert_int_equal(first.n, 20);
	assert_int_equal(first.sum, 210);
	bpf_ns_each_key(b, BPF_KEYS_LOCAL, see_and_delete, &then);
	assert_int_equal(then.n, 10);
	bpf_ns_each_key(b, BPF_KEYS_RX, see_and_delete, &then);
	assert_int_equal(then.n, 10);
	bpf_ns_close(b);
}

static void t_loader_no_device(void **state)
{
	struct bpf_ns *b = load();
	struct err e = {};

	(void)state;
	assert_int_equal(bpf_ns_attach_underlay(b, NO_SUCH_DEVICE, &e), -ENODEV);
	assert_non_null(strstr(e.text, "4242"));
	assert_int_equal(bpf_ns_attach_tunnel(b, NO_SUCH_DEVICE, &e), -ENODEV);
	bpf_ns_detach(b, NO_SUCH_DEVICE);
	bpf_ns_close(b);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {};

	syscall(SYS_capset, &h, none);
}

/* Without capabilities the refusal says which ones are wanted. In a child: they do not return. */
static void t_loader_not_permitted(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct bpf_ns *b;
		struct err e = {};

		drop_capabilities();
		_exit(bpf_ns_load(&b, -1, &e) == -EPERM && strstr(e.text, "CAP_BPF") && !b ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_loader_adopts),
		cmocka_unit_test(t_loader_numbers),
		cmocka_unit_test(t_loader_stranger),
		cmocka_unit_test(t_loader_grows),
		cmocka_unit_test(t_loader_nbma_is_a_cache),
		cmocka_unit_test(t_loader_each_key),
		cmocka_unit_test(t_loader_no_device),
		cmocka_unit_test(t_loader_not_permitted),
	};

	if (!run_is_permitted())
		return 0;
	return cmocka_run_group_tests_name("bpf loader", tests, run_setup, run_teardown);
}
