/* SPDX-License-Identifier: BSD-2-Clause */
#include <net/if.h>

#include "cli/trace.h"
#include "lib/addr.h"
#include "lib/text_json.h"

static json_t *outer_json(const struct trace_event *ev, const struct trace_packet *p)
{
	char src[ADDR4_TEXT], dst[ADDR4_TEXT];
	json_t *o =
		json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:b, s:i}", "src",
			  addr4_print(p->outer.src, src), "dst", addr4_print(p->outer.dst, dst),
			  "proto", p->outer.proto, "ttl", p->outer.ttl, "tos", p->outer.tos, "id",
			  be16_host(p->outer.id), "df", ip4_has_df(&p->outer), "len", (int)ev->len);

	if (p->has_gre && p->gre.flags & GRE_K)
		json_object_set_new(o, "key", json_integer(be32_host(p->gre.key)));
	if (p->has_gre && p->gre.flags & GRE_S)
		json_object_set_new(o, "seq", json_integer(p->gre.seq));
	if (p->has_spi)
		json_object_set_new(o, "spi", json_integer(p->spi));
	return o;
}

static json_t *addresses_json(const struct trace_packet *p)
{
	char src[ADDR6_TEXT], dst[ADDR6_TEXT];

	if (p->has_in4)
		return json_pack("{s:s, s:s, s:i, s:i, s:i}", "src", addr4_print(p->in4.src, src),
				 "dst", addr4_print(p->in4.dst, dst), "len", be16_host(p->in4.len),
				 "ttl", p->in4.ttl, "tos", p->in4.tos);
	return json_pack(
		"{s:s, s:s, s:i, s:i, s:i}", "src", addr6_print((const u8 *)&p->in6.src, src),
		"dst", addr6_print((const u8 *)&p->in6.dst, dst), "len",
		IP6_HLEN + be16_host(p->in6.len), "ttl", p->in6.hops, "tos", ip6_tclass(&p->in6));
}

static json_t *inner_json(const struct trace_packet *p)
{
	json_t *o;

	if (!p->has_in4 && !p->has_in6)
		return json_pack("{s:i}", "ethertype", p->ethertype);
	o = addresses_json(p);
	json_object_set_new(o, "proto", json_integer(p->upper));
	if (p->has_ports) {
		json_object_set_new(o, "sport", json_integer(p->sport));
		json_object_set_new(o, "dport", json_integer(p->dport));
	}
	if (p->has_icmp) {
		json_object_set_new(o, "type", json_integer(p->icmp_type));
		json_object_set_new(o, "code", json_integer(p->icmp_code));
	}
	return o;
}

static void put_why(json_t *o, struct trace_source *s, const struct trace_event *ev,
		    const struct trace_packet *p)
{
	struct trace_why why;

	if (ev->reason == R_NONE)
		return;
	trace_explain(s, ev, p, &why);
	json_object_set_new(o, "reason", json_string(reason_info((enum reason)ev->reason)->word));
	json_object_set_new(o, "text", text_json(why.text));
	json_object_set_new(o, "remedy", text_json(why.remedy));
}

json_t *trace_json(struct trace_source *s, const struct trace_event *ev,
		   const struct trace_packet *p)
{
	char dev[TUNL_NAME_LEN], link[IF_NAMESIZE];
	json_t *o =
		json_pack("{s:f, s:o, s:s, s:s, s:s}", "time",
			  (double)((s64)ev->time_ns + s->offset_ns) / 1e9, "dev",
			  text_json(trace_dev(s, ev, dev)), "direction",
			  ev->dir == TRACE_RX ? "rx" : "tx", "datapath", ev->bpf ? "bpf" : "user",
			  "verdict", ev->reason == R_NONE ? "carried" : "dropped");

	if (ev->link && if_indextoname(ev->link, link))
		json_object_set_new(o, "link", text_json(link));
	if (p->has_outer)
		json_object_set_new(o, "outer", outer_json(ev, p));
	if (p->ethertype)
		json_object_set_new(o, "inner", inner_json(p));
	put_why(o, s, ev, p);
	return o;
}
