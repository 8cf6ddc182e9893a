/* SPDX-License-Identifier: BSD-2-Clause */
#include <linux/if_ether.h>
#include <stdio.h>
#include <time.h>

#include "cli/trace.h"
#include "lib/addr.h"
#include "model/modes.h"

enum { LINE = 1280 };

static const struct {
	u8 type, type6;
	const char *word;
} icmp_words[] = {
	{ICMP4_T_ECHO, ICMP6_T_ECHO, "echo request"},
	{ICMP4_T_ECHOREPLY, ICMP6_T_ECHOREPLY, "echo reply"},
	{ICMP4_T_UNREACH, ICMP6_T_UNREACH, "unreachable"},
	{ICMP4_T_EXCEEDED, ICMP6_T_EXCEEDED, "time exceeded"},
	{ICMP4_T_PARAM, ICMP6_T_PARAM, "parameter problem"},
	{ICMP4_T_REDIRECT, ICMP6_T_REDIRECT, "redirect"},
	/* ICMPv6 alone: 0xff is no type of ICMP */
	{0xff, ICMP6_T_TOOBIG, "packet too big"},
	{0xff, ICMP6_T_RS, "router solicitation"},
	{0xff, ICMP6_T_RA, "router advertisement"},
	{0xff, ICMP6_T_NS, "neighbour solicitation"},
	{0xff, ICMP6_T_NA, "neighbour advertisement"},
};

const char *trace_icmp(const struct trace_packet *p)
{
	for (size_t i = 0; p->has_icmp && i < countof(icmp_words); i++)
		if (p->icmp_type == (p->has_in6 ? icmp_words[i].type6 : icmp_words[i].type))
			return icmp_words[i].word;
	return NULL;
}

static void add_time(struct text *t, const struct trace_source *s, u64 boot_ns)
{
	s64 ns = (s64)boot_ns + s->offset_ns;
	time_t sec = (time_t)(ns / 1000000000);
	struct tm tm;
	char clock[16];

	localtime_r(&sec, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	text_add(t, "%s.%06u", clock, (unsigned)(ns % 1000000000 / 1000));
}

static void add_between(struct text *t, const struct trace_packet *p)
{
	if (p->has_gre && p->gre.flags & GRE_K)
		text_add(t, " key %u", be32_host(p->gre.key));
	if (p->has_gre && p->gre.flags & GRE_S)
		text_add(t, " seq %u", p->gre.seq);
	if (p->has_spi)
		text_add(t, " spi 0x%08x", p->spi);
	if (p->has_outer && ip4_is_fragment(&p->outer))
		text_add(t, " fragment at %u", ip4_offset(&p->outer));
}

static void add_outer(struct text *t, const struct trace_event *ev, const struct trace_packet *p,
		      const struct tunnel_row *row)
{
	char src[ADDR4_TEXT], dst[ADDR4_TEXT], proto[8];

	if (p->has_outer)
		text_add(t, "%s > %s %s", addr4_print(p->outer.src, src),
			 addr4_print(p->outer.dst, dst), trace_proto(p->outer.proto, proto));
	else if (row) /* it never had one: what the tunnel would have given it */
		text_add(t, "%s > %s %s", addr4_any(row->cfg.local, src),
			 addr4_any(row->cfg.remote, dst), mode_info(row->cfg.mode)->word);
	else
		text_add(t, "?");
	add_between(t, p);
	if (p->has_outer)
		text_add(t, " %u", ev->len);
}

static void add_upper(struct text *t, const struct trace_packet *p)
{
	const char *icmp = trace_icmp(p);

	if (p->has_ports)
		text_add(t, " %s %u > %u", p->upper == PROTO_TCP ? "tcp" : "udp", p->sport,
			 p->dport);
	else if (icmp)
		text_add(t, " icmp%s %s", p->has_in6 ? "6" : "", icmp);
	else if (p->has_icmp)
		text_add(t, " icmp%s %u/%u", p->has_in6 ? "6" : "", p->icmp_type, p->icmp_code);
	else
		text_add(t, " protocol %u", p->upper);
}

static void add_inner(struct text *t, const struct trace_packet *p)
{
	char src[ADDR6_TEXT], dst[ADDR6_TEXT];

	if (p->has_in4) {
		text_add(t, ": %s > %s", addr4_print(p->in4.src, src),
			 addr4_print(p->in4.dst, dst));
		add_upper(t, p);
		text_add(t, " %u", be16_host(p->in4.len));
	} else if (p->has_in6) {
		text_add(t, ": %s > %s", addr6_print((const u8 *)&p->in6.src, src),
			 addr6_print((const u8 *)&p->in6.dst, dst));
		add_upper(t, p);
		text_add(t, " %u", IP6_HLEN + be16_host(p->in6.len));
	} else if (p->ethertype && p->ethertype != ETH_P_IP && p->ethertype != ETH_P_IPV6) {
		text_add(t, ": ethertype 0x%04x", p->ethertype);
	}
}

void trace_print(struct trace_source *s, const struct trace_event *ev, const struct trace_packet *p)
{
	char line[LINE], dev[TUNL_NAME_LEN];
	struct trace_why why;
	struct text t;

	text_init(&t, line, sizeof(line));
	add_time(&t, s, ev->time_ns);
	text_add(&t, " %s %s %s ", trace_dev(s, ev, dev), ev->dir == TRACE_RX ? "rx" : "tx",
		 ev->bpf ? "bpf" : "user");
	add_outer(&t, ev, p, trace_row(s, ev));
	add_inner(&t, p);
	if (ev->reason == R_NONE) {
		text_add(&t, ": carried");
	} else {
		trace_explain(s, ev, p, &why);
		text_add(&t, ": dropped, %s: %s: %s", reason_info((enum reason)ev->reason)->word,
			 why.text, why.remedy);
	}
	puts(line);
}
