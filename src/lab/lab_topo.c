/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_topo.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Two hosts with a router between them. All devices are made within the
 * namespaces: the namespace that the command is called in sees nothing of it.
 */
static const struct lab_step ipip_steps[] = {
	{"Two hosts and a router between them", "ip netns add {a}", "ip netns del {a}"},
	{NULL, "ip netns add {r}", "ip netns del {r}"},
	{NULL, "ip netns add {b}", "ip netns del {b}"},
	/* no router solicitations or the like between what we want to see */
	{NULL, "ip netns exec {a} sysctl -eqw net.ipv6.conf.default.disable_ipv6=1", NULL},
	{NULL,
	 "ip netns exec {r} sysctl -eqw net.ipv6.conf.default.disable_ipv6=1 net.ipv4.ip_forward=1",
	 NULL},
	{NULL, "ip netns exec {b} sysctl -eqw net.ipv6.conf.default.disable_ipv6=1", NULL},
	{NULL, "ip -n {a} link add v1 type veth peer name v1_p netns {r}", NULL},
	{NULL, "ip -n {b} link add v2 type veth peer name v2_p netns {r}", NULL},
	{NULL, "ip -n {r} addr add 10.10.10.1/24 dev v1_p", NULL},
	{NULL, "ip -n {r} addr add 10.10.20.1/24 dev v2_p", NULL},
	{NULL, "ip -n {r} link set v1_p up", NULL},
	{NULL, "ip -n {r} link set v2_p up", NULL},
	{NULL, "ip -n {a} addr add 10.10.10.2/24 dev v1", NULL},
	{NULL, "ip -n {a} link set v1 up", NULL},
	{NULL, "ip -n {a} route add 10.10.20.0/24 via 10.10.10.1", NULL},
	{NULL, "ip -n {b} addr add 10.10.20.2/24 dev v2", NULL},
	{NULL, "ip -n {b} link set v2 up", NULL},
	{NULL, "ip -n {b} route add 10.10.10.0/24 via 10.10.20.1", NULL},

	{"The tunnel",
	 "ip netns exec {a} tunl add tun1 mode ipip remote 10.10.20.2 local 10.10.10.2 {datapath}",
	 "ip netns exec {a} tunl del tun1"},
	{NULL, "ip -n {a} link set tun1 up", NULL},
	{NULL, "ip -n {a} addr add 10.10.100.1 peer 10.10.200.1 dev tun1", NULL},
	{NULL,
	 "ip netns exec {b} tunl add tun1 mode ipip remote 10.10.10.2 local 10.10.20.2 {datapath}",
	 "ip netns exec {b} tunl del tun1"},
	{NULL, "ip -n {b} link set tun1 up", NULL},
	{NULL, "ip -n {b} addr add 10.10.200.1 peer 10.10.100.1 dev tun1", NULL},
};

static const char *const ipip_picture[] = {
	"┌─ {a:16─}┐    ┌─ {r:24─}┐    ┌─ {b:16─}┐",
	"│ v1               ├────┤ v1_p                v2_p ├────┤               v2 │",
	"│ 10.10.10.2/24    │    │ 10.10.10.1    10.10.20.1 │    │    10.10.20.2/24 │",
	"│                  │    └──────────────────────────┘    │                  │",
	"│ tun1          ╔══╧════════════════════════════════════╧══╗          tun1 │",
	"│ 10.10.100.1   ║      the tunnel: IPv4 within IPv4        ║   10.10.200.1 │",
	"│               ╚══╤════════════════════════════════════╤══╝               │",
	"└──────────────────┘                                    └──────────────────┘",
	NULL,
};

static const char *const ipip_look[] = {
	"ip -n {a} route",
	"ip -n {b} route",
	NULL,
};

static const struct lab_topo lab_ipip = {
	.name = "ipip",
	.title = "an ipip tunnel between two hosts with a router between them",
	.roles = "arb",
	.steps = ipip_steps,
	.n_steps = sizeof(ipip_steps) / sizeof(ipip_steps[0]),
	.picture = ipip_picture,
	.end = {{"a", "tun1", "10.10.100.1"}, {"b", "tun1", "10.10.200.1"}},
	.look = ipip_look,
	.ping_underlay = "ip netns exec {b} ping -n -c 1 -W 2 10.10.10.2",
	.ping_tunnel = "ip netns exec {b} ping -n -c 1 -W 2 10.10.100.1",
	.capture_role = "r",
	.capture_dev = "v1_p",
	.overhead = "the outer IP header",
};

const struct lab_topo *const lab_topos[] = {&lab_ipip, NULL};

const struct lab_topo *lab_topo_find(const char *name)
{
	for (size_t i = 0; lab_topos[i]; i++)
		if (!strcmp(lab_topos[i]->name, name))
			return lab_topos[i];
	return NULL;
}

bool lab_id_is_valid(const char *id)
{
	size_t n = strlen(id);

	return n >= 1 && n <= LAB_ID_MAX && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789") == n;
}

char *lab_ns_name(char *buf, size_t len, const char *id, char role)
{
	snprintf(buf, len, "tunl-%s-%c", id, role);
	return buf;
}

/* Bytes of the UTF-8 character at s. */
static size_t glyph_len(const char *s)
{
	size_t n = 1;

	while (((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

struct sink {
	char *p, *end;
	bool full;
};

static void sink_put(struct sink *s, const char *text, size_t n)
{
	if (n >= (size_t)(s->end - s->p)) {
		s->full = true;
		return;
	}
	memcpy(s->p, text, n);
	s->p += n;
	*s->p = '\0';
}

/* "{a}" or "{a:15-}" at text: the name of the namespace. Returns what follows it. */
static const char *fill_ns(struct sink *s, const char *text, const struct lab_vars *v)
{
	char name[32];
	char *pad = NULL;
	size_t n, width;

	n = strlen(lab_ns_name(name, sizeof(name), v->id, text[1]));
	sink_put(s, name, n);
	text += 2;
	if (*text == ':') {
		width = strtoul(text + 1, &pad, 10);
		if (n < width)
			sink_put(s, " ", 1);
		for (n++; n < width; n++)
			sink_put(s, pad, glyph_len(pad));
		text = pad + glyph_len(pad);
	}
	return text + 1;
}

static const char *fill_datapath(struct sink *s, const char *text, const struct lab_vars *v)
{
	char buf[32];

	if (v->datapath) {
		snprintf(buf, sizeof(buf), "datapath %s", v->datapath);
		sink_put(s, buf, strlen(buf));
	}
	return text + strlen("{datapath}");
}

bool lab_text_fill(char *buf, size_t len, const char *text, const struct lab_vars *v)
{
	struct sink s = {.p = buf, .end = buf + len};

	*buf = '\0';
	while (*text) {
		if (!strncmp(text, "{datapath}", strlen("{datapath}"))) {
			text = fill_datapath(&s, text, v);
		} else if (*text == '{' && islower((unsigned char)text[1])) {
			text = fill_ns(&s, text, v);
		} else {
			sink_put(&s, text, 1);
			text++;
		}
	}
	return !s.full;
}

bool lab_words_make(struct lab_words *w, const char *text, const struct lab_vars *v)
{
	char *save = NULL;

	w->n = 0;
	if (!lab_text_fill(w->buf, sizeof(w->buf), text, v))
		return false;
	for (char *s = strtok_r(w->buf, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
		if (w->n == LAB_WORDS)
			return false;
		w->v[w->n++] = s;
	}
	w->v[w->n] = NULL;
	return w->n > 0;
}
