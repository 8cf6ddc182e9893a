/* SPDX-License-Identifier: BSD-2-Clause */
#include "recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/tcp.h"

static const char *const kind_word[] = {"ip4", "ip6", "udp", "tcp", "icmp", "gre", "fill", "hex"};

static const struct {
	const char *word;
	bool flag; /* has no value */
} field_word[] = {
	[F_LEN] = {"len"},     [F_TOS] = {"tos"},	  [F_TTL] = {"ttl"},
	[F_ID] = {"id"},       [F_DF] = {"df", true},	  [F_MF] = {"mf", true},
	[F_RF] = {"rf", true}, [F_OFF] = {"off"},	  [F_PROTO] = {"proto"},
	[F_CHECK] = {"check"}, [F_LIE] = {"lie"},	  [F_IHL] = {"ihl"},
	[F_VER] = {"ver"},     [F_CLASS] = {"class"},	  [F_HOPS] = {"hops"},
	[F_NEXT] = {"next"},   [F_SPORT] = {"sport"},	  [F_DPORT] = {"dport"},
	[F_SEQ] = {"seq"},     [F_ACK] = {"ack"},	  [F_PARTIAL] = {"partial", true},
	[F_TYPE] = {"type"},   [F_CODE] = {"code"},	  [F_MTU] = {"mtu"},
	[F_FROM] = {"from"},   [F_CSUM] = {"csum", true}, [F_KEY] = {"key"},
	[F_BITS] = {"bits"},
};

static struct {
	const char *name, *text;
} builtin[] = {
	{"U", "ip4 len 100 / udp"},
	{"D", "ip4 len 100 df / udp"},
	{"S", "ip6 len 100 / udp"},
	{"B", "ip4 src 10.0.0.2 dst 10.0.0.1 len 100 / udp"},
	/* our own outer packet as routers quote it */
	{"QG", "ip4 src 192.0.2.1 dst 192.0.2.2 proto 47 df len 124 / gre / ip4 len 100 / udp"},
	{"Q", "ip4 src 192.0.2.1 dst 192.0.2.2 proto 4 df len 120 / ip4 len 100 / udp"},
};

static const char *parse_hex(struct layer *l, const char *hex)
{
	unsigned b;

	for (; hex[0] && hex[1] && l->nopt < OPT_ROOM; hex += 2) {
		if (sscanf(hex, "%2x", &b) != 1)
			return "hex digits wanted";
		l->opt[l->nopt++] = (u8)b;
	}
	return *hex ? "odd or too many hex digits" : NULL;
}

static u32 parse_flags(const char *s)
{
	static const char letters[] = "FSRPAUEC";
	u32 flags = 0;

	for (; *s; s++)
		if (strchr(letters, *s))
			flags |= 1U << (strchr(letters, *s) - letters);
	return flags;
}

static const char *parse_named(struct recipe *r, const char *name)
{
	static char text[128], *words[32]; /* one level deep */
	unsigned n = 0;

	for (size_t i = 0; i < countof(builtin); i++) {
		if (strcmp(builtin[i].name, name))
			continue;
		snprintf(text, sizeof(text), "%s", builtin[i].text);
		for (char *s = strtok(text, " "); s; s = strtok(NULL, " "))
			words[n++] = s;
		return recipe_read(r, words, n);
	}
	return "no packet of that name";
}

static const char *set_value(struct layer *l, enum field f, const char *value)
{
	char *end;

	l->has[f] = true;
	if (!strcmp(value, "*")) {
		l->free[f] = true;
		return NULL;
	}
	if (f == F_ID)
		l->relative_id = value[0] == '+';
	l->v[f] = (u32)strtoul(value, &end, 0);
	return *end || end == value ? "a number wanted" : NULL;
}

/* A field of layer l at w[*i]; *i goes beyond it. */
static const char *parse_field(struct layer *l, char **w, unsigned n, unsigned *i)
{
	const char *word = w[(*i)++], *value = *i < n ? w[*i] : "";

	for (unsigned f = 0; f < F__MAX; f++) {
		if (strcmp(field_word[f].word, word))
			continue;
		if (field_word[f].flag) {
			l->v[f] = 1;
			l->has[f] = true;
			return NULL;
		}
		(*i)++;
		return set_value(l, (enum field)f, value);
	}
	(*i)++;
	if (!strcmp(word, "src"))
		return snprintf(l->src, sizeof(l->src), "%s", value), NULL;
	if (!strcmp(word, "dst"))
		return snprintf(l->dst, sizeof(l->dst), "%s", value), NULL;
	if (!strcmp(word, "opt"))
		return parse_hex(l, value);
	if (!strcmp(word, "flags"))
		return l->flags = parse_flags(value), NULL;
	return "no such field";
}

static const char *parse_annotation(struct recipe *r, char **w, unsigned n, unsigned *i)
{
	char *word = w[(*i)++] + 1;
	char *value = *i < n ? w[*i] : word;
	u32 number = (u32)strtoul(value, NULL, 0);

	if (!strcmp(word, "partial]"))
		return r->partial = true, NULL;
	(*i)++;
	if (!strcmp(word, "cut"))
		return r->cut = number, r->has_cut = true, NULL;
	if (!strcmp(word, "pad"))
		return r->pad = number, NULL;
	if (!strcmp(word, "only"))
		return r->only = number, NULL;
	if (!strcmp(word, "type"))
		return r->ethertype = (u16)strtoul(value, NULL, 16), NULL;
	if (strcmp(word, "gso") || *i >= n)
		return "no such annotation";
	r->gso_type = !strcmp(value, "tcp4")   ? VIRTIO_NET_HDR_GSO_TCPV4
		      : !strcmp(value, "tcp6") ? VIRTIO_NET_HDR_GSO_TCPV6
					       : 5 /* VIRTIO_NET_HDR_GSO_UDP_L4 */;
	r->gso_size = (u32)strtoul(w[(*i)++], NULL, 0);
	r->partial = true;
	return NULL;
}

static const char *new_layer(struct recipe *r, char **w, unsigned n, unsigned *i)
{
	const char *word = w[(*i)++];
	struct layer *l = &r->layer[r->n];

	if (word[0] == '@') {
		return parse_named(r, word + 1);
	}
	if (r->n == PACKET_LAYERS)
		return "too many layers";
	for (unsigned k = 0; k < countof(kind_word); k++)
		if (!strcmp(kind_word[k], word)) {
			*l = (struct layer){.kind = (enum kind)k, .flags = TCP_F_PSH | TCP_F_ACK};
			r->n++;
			if (k == HEX && *i < n)
				return parse_hex(l, w[(*i)++]);
			return NULL;
		}
	return "no such layer";
}

const char *recipe_read(struct recipe *r, char **w, unsigned n)
{
	const char *bad = NULL;
	u32 first = r->n;
	bool fresh = true;

	for (unsigned i = 0; i < n && !bad;) {
		if (!strcmp(w[i], "/")) {
			fresh = true;
			i++;
		} else if (w[i][0] == '[') {
			bad = parse_annotation(r, w, n, &i);
		} else if (fresh) {
			first = r->n;
			bad = new_layer(r, w, n, &i);
			fresh = false;
		} else {
			bad = parse_field(&r->layer[first], w, n, &i);
		}
	}
	return bad ? bad : r->n ? NULL : "no layer";
}
