/* SPDX-License-Identifier: BSD-2-Clause */
/* What a tunnel looks like: the examples of spec cli 2, text and JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "cli/row.h"
#include "cli/show.h"
#include "lib/text.h"

static const struct cli ip = {.dialect = DIALECT_IP, .me = "ip tunnel"};
static const struct cli own = {.dialect = DIALECT_TUNL, .me = "tunl"};

static struct tunnel_row row_of(const char *config)
{
	json_t *json = json_pack(
		"{s:s, s:s, s:i, s:b, s:i, s:s, s:s, s:{s:i, s:i, s:i, s:i, s:{s:i, s:i}}}",
		"config", config, "ifname", "t1", "ifindex", 7, "up", 1, "mtu", 1480, "datapath",
		"bpf", "why", "it works", "stats", "rx_packets", 1, "rx_bytes", 84, "tx_packets", 3,
		"tx_bytes", 252, "reasons", "rx-ecn", 2, "nosuch-reason", 9);
	struct tunnel_row row;
	struct err e;

	assert_non_null(json);
	assert_int_equal(row_read(json, &row, &e), 0);
	json_decref(json);
	return row;
}

/* Print into memory, the caller frees. */
static char *text_of(const struct cli *cli, const char *config)
{
	struct tunnel_row row = row_of(config);
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	show_text(cli, &row, f);
	fclose(f);
	return text;
}

static void expect_text(const struct cli *cli, const char *config, const char *want)
{
	char *text = text_of(cli, config);

	assert_string_equal(text, want);
	free(text);
}

static void t_show_text(void **state)
{
	static const struct {
		const char *config, *text;
	} rows[] = {
		{"x mode ipip remote 2.2.2.2 local 1.1.1.1",
		 "t1: ip/ip remote 2.2.2.2 local 1.1.1.1 ttl inherit\n"},
		{"x mode ipip local 1.1.1.1 dev d0 ttl 64 tos 0xc0",
		 "t1: ip/ip remote any local 1.1.1.1 dev d0 ttl 64 tos CS6\n"},
		{"x mode ipip remote 2.2.2.2 tos inherit nopmtudisc",
		 "t1: ip/ip remote 2.2.2.2 local any ttl inherit tos inherit nopmtudisc\n"},
		{"x mode ipip tos inherit/0xfe",
		 "t1: ip/ip remote any local any ttl inherit tos inherit/0xfe\n"},
		{"x mode ipip tos 8", "t1: ip/ip remote any local any ttl inherit tos 0x08\n"},
		{"x mode ipip proto any", "t1: any/ip remote any local any ttl inherit\n"},
		{"x mode gre remote 2.2.2.7 local 1.1.1.1 ttl 64 tos inherit key 1 seq csum",
		 "t1: gre/ip remote 2.2.2.7 local 1.1.1.1 ttl 64 tos inherit key 1\n"
		 "  Drop packets out of sequence.\n"
		 "  Checksum in received packet is required.\n"
		 "  Sequence packets on output.\n"
		 "  Checksum output packets.\n"},
		{"x mode gre remote 2.2.2.2 local 1.1.1.1 ikey 5 okey 6",
		 "t1: gre/ip remote 2.2.2.2 local 1.1.1.1 ttl inherit ikey 5 okey 6\n"},
		{"x mode gre key 0", "t1: gre/ip remote any local any ttl inherit key 0\n"},
		{"x mode sit local 10.0.0.1 6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.0.0.0/8",
		 "t1: ipv6/ip remote any local 10.0.0.1 ttl inherit 6rd-prefix 2001:db8::/32 "
		 "6rd-relay_prefix 10.0.0.0/8\n"},
		{"x mode sit",
		 "t1: ipv6/ip remote any local any ttl inherit 6rd-prefix 2002::/16\n"},
		{"x mode sit proto any", "t1: any/ip remote any local any ttl inherit\n"},
		{"x mode vti remote 2.2.2.2 local 1.1.1.1 ikey 10 okey 9",
		 "t1: ip/ip remote 2.2.2.2 local 1.1.1.1 ttl inherit ikey 10 okey 9\n"},
		{"x mode vti", "t1: ip/ip remote any local any ttl inherit key 0\n"},
		{"x mode vti ikey 5", "t1: ip/ip remote any local any ttl inherit ikey 5 okey 0\n"},
	};

	(void)state;
	for (u32 i = 0; i < countof(rows); i++)
		expect_text(&ip, rows[i].config, rows[i].text);
}

/* Routers of isatap: newest first, at most 15; of other modes none are shown. */
static void t_show_routers(void **state)
{
	struct tunnel_row row = row_of("x mode isatap local 1.1.1.1");
	json_t *o;

	(void)state;
	assert_int_equal(prl_add(&row.routers, be32_of(0x01010102), true), 0);
	o = show_object(&ip, &row);
	assert_string_equal(json_string_value(json_object_get(o, "pdr")), "1.1.1.2");
	json_decref(o);
	for (u32 i = 0; i < PRL_SHOWN; i++)
		assert_int_equal(prl_add(&row.routers, be32_of(0x02000001 + i), false), 0);
	o = show_object(&ip, &row);
	assert_null(json_object_get(o, "pdr"));
	assert_int_equal(json_array_size(json_object_get(o, "pr")), PRL_SHOWN);
	assert_string_equal(json_string_value(json_array_get(json_object_get(o, "pr"), 0)),
			    "2.0.0.15");
	json_decref(o);
	row.cfg.mode = MODE_SIT;
	o = show_object(&ip, &row);
	assert_null(json_object_get(o, "pr"));
	json_decref(o);
}

static void t_show_options(void **state)
{
	struct cli cli = ip;

	(void)state;
	cli.numeric = true;
	expect_text(&cli, "x mode ipip tos 0xc0",
		    "t1: ip/ip remote any local any ttl inherit tos 0xc0\n");
	cli.oneline = true;
	expect_text(&cli, "x mode gre seq",
		    "t1: gre/ip remote any local any ttl inherit\\  Drop packets out of sequence."
		    "\\  Sequence packets on output.\n");
	cli = ip;
	cli.color = true;
	expect_text(
		&cli, "x mode ipip local 1.1.1.1",
		"\033[36mt1: \033[0mip/ip remote \033[35many \033[0mlocal \033[35m1.1.1.1\033[0m "
		"ttl inherit\n");
	cli = ip;
	cli.stats = true;
	expect_text(&cli, "x mode ipip",
		    "t1: ip/ip remote any local any ttl inherit\n"
		    "RX: Packets    Bytes        Errors CsumErrs OutOfSeq Mcasts\n"
		    "    1          84           2      2        0        0       \n"
		    "TX: Packets    Bytes        Errors DeadLoop NoRoute  NoBufs\n"
		    "    3          252          0      0        0        0     \n");
	cli = own;
	cli.details = true;
	expect_text(&cli, "x mode ipip datapath bpf",
		    "t1: ip/ip remote any local any ttl inherit\n"
		    "  datapath bpf (asked: bpf): it works\n"
		    "  rx-ecn 2: congestion was marked on the outer header of a packet that is not "
		    "ECN-capable; find the router that marks without looking (RFC 6040)\n");
}

/* show_json() of one row, or of none; the caller frees. */
static char *json_of(const struct cli *cli, const char *config)
{
	struct tunnel_row row;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (config)
		row = row_of(config);
	show_json(cli, &row, config ? 1 : 0, f);
	fclose(f);
	return text;
}

static void expect_json(const struct cli *cli, const char *config, const char *want)
{
	char *text = json_of(cli, config);

	assert_string_equal(text, want);
	free(text);
}

static void t_show_json_ip(void **state)
{
	struct cli pretty = ip;

	(void)state;
	pretty.pretty = true;
	expect_json(&ip, NULL, "[]\n");
	expect_json(&pretty, NULL, "[ ]\n");
	expect_json(&ip, "x mode gre local 1.1.1.1 key 5 csum",
		    "[{\"ifname\":\"t1\",\"mode\":\"gre/"
		    "ip\",\"remote\":\"0.0.0.0\",\"local\":\"1.1.1.1\","
		    "\"key\":5,\"flags\":[\"rx_csum\",\"tx_csum\"]}\n]\n");
	expect_json(&ip, "x mode ipip dev d0 ttl 5 tos inherit/10 nopmtudisc",
		    "[{\"ifname\":\"t1\",\"mode\":\"ip/"
		    "ip\",\"remote\":\"0.0.0.0\",\"local\":\"0.0.0.0\","
		    "\"dev\":\"d0\",\"ttl\":5,\"tos\":\"0x11\",\"nopmtudisc\":null}\n]\n");
	expect_json(&pretty, "x mode gre csum",
		    "[ {\n        \"ifname\": \"t1\",\n        \"mode\": \"gre/ip\",\n"
		    "        \"remote\": \"0.0.0.0\",\n        \"local\": \"0.0.0.0\",\n"
		    "        \"flags\": [ \"rx_csum\",\"tx_csum\" ]\n    }\n ]\n");
	expect_json(&pretty, "x mode gre",
		    "[ {\n        \"ifname\": \"t1\",\n        \"mode\": \"gre/ip\",\n"
		    "        \"remote\": \"0.0.0.0\",\n        \"local\": \"0.0.0.0\",\n"
		    "        \"flags\": [ ]\n    }\n ]\n");
}

static long long number_at(json_t *o, const char *object, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(o, object), key));
}

static void t_show_json_own(void **state)
{
	char *text = json_of(&own, "x mode ipip local 1.1.1.1 datapath bpf");
	json_t *array = json_loads(text, 0, NULL), *o = json_array_get(array, 0), *reason;

	(void)state;
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "datapath")), "bpf");
	assert_string_equal(json_string_value(json_object_get(o, "why")), "it works");
	assert_int_equal(number_at(o, "stats", "rx_errors"), 2);
	assert_int_equal(number_at(o, "stats", "tx_bytes"), 252);
	reason = json_array_get(json_object_get(o, "reasons"), 0);
	assert_string_equal(json_string_value(json_object_get(reason, "reason")), "rx-ecn");
	assert_int_equal(json_integer_value(json_object_get(reason, "packets")), 2);
	assert_non_null(json_string_value(json_object_get(reason, "remedy")));
	json_decref(array);
	free(text);
}

/* A daemon of another version, or one that lies: told, not believed. */
static void t_row_refuses(void **state)
{
	static const char *const rows[] = {"{}", "{\"config\":7}", "{\"config\":\"t1 t2\"}",
					   "{\"config\":\"t1 mode nosuch\"}"};
	struct tunnel_row row;
	struct err e;

	(void)state;
	for (u32 i = 0; i < countof(rows); i++) {
		json_t *json = json_loads(rows[i], 0, NULL);

		assert_int_equal(row_read(json, &row, &e), -EPROTO);
		assert_true(e.text[0] != '\0');
		json_decref(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_show_text),	   cmocka_unit_test(t_show_options),
		cmocka_unit_test(t_show_routers),  cmocka_unit_test(t_show_json_ip),
		cmocka_unit_test(t_show_json_own), cmocka_unit_test(t_row_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
