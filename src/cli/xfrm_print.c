/* SPDX-License-Identifier: BSD-2-Clause */
/* Associations and policies as `ip xfrm` 6.1 prints them. */
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <time.h>

#include "cli/xfrm.h"
#include "lib/addr.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum { LINE_WORDS = 8, MAP_BITS = 32 };

/* One entry being printed: its line ends are a newline, or with -o a backslash. */
struct out {
	const struct cli *cli;
	const char *end;
	const struct sa_cfg *cfg;
	bool keys;
};

static void end_entry(const struct out *o)
{
	if (o->cli->oneline)
		putchar('\n');
	fflush(stdout);
}

static const char *addr(const struct xfrm_addr *a, u16 family, char buf[static ADDR6_TEXT])
{
	struct text t;

	text_init(&t, buf, ADDR6_TEXT);
	text_addr(&t, a, family);
	return buf;
}

/* What stands of a state and of a template alike. */
struct named {
	u16 family;
	u8 proto, mode;
	bool spi_always;
	be32 spi;
	u32 reqid;
	const struct xfrm_addr *src, *dst;
};

static void print_named(const struct out *o, const struct named *n, const char *indent)
{
	char src[ADDR6_TEXT], dst[ADDR6_TEXT];
	bool stats = o->cli->stats;
	u32 spi = be32_host(n->spi);

	printf("src %s dst %s%s%s", addr(n->src, n->family, src), addr(n->dst, n->family, dst),
	       o->end, indent);
	printf("\tproto %s ", word_of_value(xfrm_protos, n->proto));
	if (stats || n->spi_always || spi) {
		printf("spi 0x%08x", spi);
		if (stats)
			printf("(%u)", spi);
		putchar(' ');
	}
	printf("reqid %u", n->reqid);
	if (stats)
		printf("(0x%08x)", n->reqid);
	printf(" mode %s%s", word_of_value(xfrm_modes, n->mode), o->end);
}

static void print_mask8(u32 flags)
{
	printf(" (0x");
	for (u32 bit = 0x80; bit; bit >>= 1)
		putchar(flags & bit ? '1' : '0');
	putchar(')');
}

static void print_words(const struct word_value *t, u32 flags)
{
	const char *blank = "";

	for (; t->word; t++)
		if (flags & t->value) {
			printf("%s%s", blank, t->word);
			blank = " ";
		}
}

static void print_flags(const struct out *o)
{
	bool stats = o->cli->stats;
	u32 flags = o->cfg->flags, extra = o->cfg->extra;

	if (stats || flags) {
		printf("flag ");
		print_words(sa_flags, flags);
		if (extra && stats) {
			printf("%sextra_flag ", flags ? " " : "");
			print_words(sa_extra_flags, extra);
		}
	}
	if (stats)
		print_mask8(flags);
	printf("%s", o->end);
}

static void print_algo(const struct out *o, const char *word, const struct xfrm_algo_cfg *a)
{
	printf("\t%s %s ", word, a->name);
	if (!o->keys) {
		printf("<<Keys hidden>>");
		return;
	}
	if (!a->key_len)
		return;
	printf("0x");
	for (u32 i = 0; i < a->key_len; i++)
		printf("%02x", a->key[i]);
	if (o->cli->stats)
		printf(" (%u bits)", a->key_len * 8);
}

/* The kernel tells the length of the ICV in any case; the defaults are RFC 2404's and 4868's. */
static u32 auth_bits(const struct sa_cfg *cfg)
{
	static const struct {
		const char *name;
		u32 bits;
	} defaults[] = {{"hmac(sha384)", 192}, {"hmac(sha512)", 256}};

	if (cfg->auth_trunc && cfg->auth.icv_bits)
		return cfg->auth.icv_bits;
	for (u32 i = 0; i < countof(defaults); i++)
		if (!__builtin_strcmp(cfg->auth.name, defaults[i].name))
			return defaults[i].bits;
	return 96;
}

static void print_algos(const struct out *o)
{
	const struct sa_cfg *c = o->cfg;

	if (c->auth.name[0]) {
		print_algo(o, "auth-trunc", &c->auth);
		printf(" %u%s", auth_bits(c), o->end);
	}
	if (c->aead.name[0]) {
		print_algo(o, "aead", &c->aead);
		printf(" %u%s", c->aead.icv_bits, o->end);
	}
	if (c->enc.name[0]) {
		print_algo(o, "enc", &c->enc);
		printf("%s", o->end);
	}
}

static u64 number(const json_t *live, const char *what)
{
	return (u64)json_integer_value(json_object_get(live, what));
}

static void print_esn(const struct out *o, const json_t *live)
{
	u64 seq = number(live, "seq"), oseq = number(live, "oseq");
	u32 words = (o->cfg->window + MAP_BITS - 1) / MAP_BITS;
	const json_t *map = json_object_get(live, "map");

	printf("\tanti-replay esn context:%s", o->end);
	printf("\t seq-hi 0x%x, seq 0x%x, oseq-hi 0x%x, oseq 0x%x%s", (u32)(seq >> 32), (u32)seq,
	       (u32)(oseq >> 32), (u32)oseq, o->end);
	printf("\t replay_window %u, bitmap-length %u", o->cfg->window, words);
	for (u32 i = 0; i < words; i++) {
		if (i % LINE_WORDS == 0)
			printf("%s\t ", o->end);
		printf("%08x ", (u32)json_integer_value(json_array_get(map, words - 1 - i)));
	}
	printf("%s", o->end);
}

static void print_replay(const struct out *o, const json_t *live)
{
	if (o->cfg->flags & SA_ESN || o->cfg->window > MAP_BITS)
		print_esn(o, live);
	else
		printf("\tanti-replay context: seq 0x%x, oseq 0x%x, bitmap 0x%08x%s",
		       (u32)number(live, "seq"), (u32)number(live, "oseq"),
		       (u32)number(live, "bitmap"), o->end);
}

static const char *limit(u64 n, char buf[static 32])
{
	if (n == XFRM_INFINITE)
		return "(INF)";
	snprintf(buf, 32, "%llu", n);
	return buf;
}

static void print_limits(const struct out *o, const struct xfrm_limits *l)
{
	char a[32], b[32];

	printf("\tlifetime config:%s", o->end);
	printf("\t  limit: soft %s(bytes), hard %s(bytes)%s", limit(l->soft_bytes, a),
	       limit(l->hard_bytes, b), o->end);
	printf("\t  limit: soft %s(packets), hard %s(packets)%s", limit(l->soft_packets, a),
	       limit(l->hard_packets, b), o->end);
	printf("\t  expire add: soft %llu(sec), hard %llu(sec)%s", l->soft_add, l->hard_add,
	       o->end);
	printf("\t  expire use: soft %llu(sec), hard %llu(sec)%s", l->soft_use, l->hard_use,
	       o->end);
}

static const char *when(u64 seconds, char buf[static 32])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!seconds || !localtime_r(&t, &tm) || !strftime(buf, 32, "%Y-%m-%d %T", &tm))
		return "-";
	return buf;
}

static void print_current(const struct out *o, const json_t *live, u64 added)
{
	char add[32], use[32];

	printf("\tlifetime current:%s\t  %llu(bytes), %llu(packets)%s", o->end,
	       number(live, "bytes"), number(live, "packets"), o->end);
	printf("\t  add %s use %s%s", when(added, add), when(number(live, "use"), use), o->end);
}

static void print_encap(const struct out *o)
{
	char oa[ADDR6_TEXT];

	if (o->cfg->encap.type)
		printf("\tencap type espinudp sport %u dport %u addr %s%s", o->cfg->encap.sport,
		       o->cfg->encap.dport, addr(&o->cfg->encap.oa, o->cfg->family, oa), o->end);
}

static void print_ports(const struct xfrm_sel *s)
{
	bool types = s->proto == PROTO_ICMP || s->proto == PROTO_ICMPV6;

	if (s->proto == PROTO_GRE && s->sport_mask) {
		printf("key %u ", (u32)s->sport << 16 | s->dport);
		return;
	}
	if (s->sport_mask)
		printf("%s %u ", types ? "type" : "sport", s->sport);
	if (s->dport_mask)
		printf("%s %u ", types ? "code" : "dport", s->dport);
}

static void print_sel(const struct out *o, const struct xfrm_sel *s)
{
	char src[ADDR6_TEXT], dst[ADDR6_TEXT], name[IF_NAMESIZE];
	const struct protoent *p = s->proto ? getprotobynumber(s->proto) : NULL;

	printf("src %s/%u dst %s/%u ", addr(&s->src, s->family, src), s->src_len,
	       addr(&s->dst, s->family, dst), s->dst_len);
	if (p)
		printf("proto %s ", p->p_name);
	else if (s->proto)
		printf("proto %u ", s->proto);
	print_ports(s);
	if (s->ifindex && if_indextoname(s->ifindex, name))
		printf("dev %s ", name);
	else if (s->ifindex)
		printf("dev if%u ", s->ifindex);
	if (o->cli->stats)
		printf("uid 0");
	printf("%s", o->end);
}

static void print_mark(const struct out *o, const struct xfrm_markmask *m)
{
	if (m->mask)
		printf("\tmark 0x%x/0x%x %s", m->value, m->mask, o->end);
}

void xfrm_print_state(const struct cli *cli, const struct sa_cfg *c, const json_t *live, bool keys)
{
	struct out o = {cli, cli->oneline ? "\\" : "\n", c, keys};
	struct named n = {c->family, c->proto, c->mode, true, c->spi, c->reqid, &c->src, &c->dst};

	print_named(&o, &n, "");
	printf("\treplay-window %u ", c->flags & SA_ESN || c->window > MAP_BITS ? 0 : c->window);
	if (cli->stats)
		printf("seq 0x%08u ", c->seq);
	print_flags(&o);
	print_mark(&o, &c->mark);
	if (c->has_out_mark)
		printf("\toutput-mark 0x%x/0x%x%s", c->out_mark.value, c->out_mark.mask, o.end);
	print_algos(&o);
	print_encap(&o);
	print_replay(&o, live);
	if (c->if_id)
		printf("\tif_id 0x%x%s", c->if_id, o.end);
	if (c->sel.family) {
		printf("\tsel ");
		print_sel(&o, &c->sel);
	}
	if (cli->stats) {
		print_limits(&o, &c->limits);
		print_current(&o, live, number(live, "add"));
		printf("\tstats:%s\t  replay-window %llu replay %llu failed %llu%s", o.end,
		       number(live, "late"), number(live, "replayed"), number(live, "failed"),
		       o.end);
	}
	end_entry(&o);
}

static void print_tmpl(const struct out *o, const struct xfrm_tmpl *t)
{
	struct named n = {t->family, t->proto, t->mode, false, t->spi, t->reqid, &t->src, &t->dst};

	printf("\ttmpl ");
	print_named(o, &n, "\t");
	if (o->cli->stats)
		printf("\t\tlevel %s share any %s\t\tenc-mask ffffffff auth-mask ffffffff "
		       "comp-mask ffffffff%s",
		       t->use ? "use" : "required", o->end, o->end);
	else if (t->use)
		printf("\t\tlevel use %s", o->end);
}

static void print_policy_flags(const struct out *o, u32 flags)
{
	if (o->cli->stats || flags) {
		printf("flag ");
		print_words(policy_flags, flags);
	}
	if (o->cli->stats)
		print_mask8(flags);
	printf("%s", o->end);
}

void xfrm_print_policy(const struct cli *cli, const struct policy_cfg *c, u64 added)
{
	struct out o = {cli, cli->oneline ? "\\" : "\n", NULL, false};

	print_sel(&o, &c->sel);
	printf("\tdir %s ", word_of_value(xfrm_dirs, c->dir));
	if (c->action == POLICY_BLOCK || cli->stats)
		printf("action %s ", word_of_value(xfrm_actions, c->action));
	if (cli->stats)
		printf("index %u ", c->index);
	printf("priority %u ptype %s ", c->priority, c->sub ? "sub" : "main");
	if (cli->stats)
		printf("share any ");
	print_policy_flags(&o, c->flags);
	if (cli->stats) {
		print_limits(&o, &c->limits);
		print_current(&o, NULL, added);
	}
	print_mark(&o, &c->mark);
	for (u32 i = 0; i < c->ntmpls; i++)
		print_tmpl(&o, &c->tmpl[i]);
	if (c->if_id)
		printf("\tif_id 0x%x%s", c->if_id, o.end);
	end_entry(&o);
}
