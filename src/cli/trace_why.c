/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The texts are those of model/reasons.def, with what this packet says put in. For a
 * packet that no tunnel takes, the tunnels are looked through for the one that was
 * probably meant.
 */
#include <stdio.h>
#include <string.h>

#include "cli/trace.h"
#include "lib/addr.h"
#include "model/modes.h"

/* A stranger's packet beside a tunnel. */
struct beside {
	const struct trace_packet *p;
	const struct tunnel_row *row;
	char src[ADDR4_TEXT], dst[ADDR4_TEXT];
};

static void say(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void say(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, size, fmt, ap);
	va_end(ap);
}

/* text, with the words NAME, REMOTE and LOCAL made the tunnel's own. */
static void fill_in(char *buf, size_t size, const char *text, const struct tunnel_row *row)
{
	char remote[ADDR4_TEXT], local[ADDR4_TEXT];
	const struct {
		const char *word, *value;
	} known[] = {
		{"NAME", row ? row->ifname : "NAME"},
		{"REMOTE",
		 row && row->cfg.remote.raw ? addr4_print(row->cfg.remote, remote) : "REMOTE"},
		{"LOCAL", row && row->cfg.local.raw ? addr4_print(row->cfg.local, local) : "LOCAL"},
	};
	struct text t;

	text_init(&t, buf, size);
	while (*text) {
		size_t i;

		for (i = 0; i < countof(known); i++)
			if (!strncmp(text, known[i].word, strlen(known[i].word)))
				break;
		if (i < countof(known)) {
			text_add(&t, "%s", known[i].value);
			text += strlen(known[i].word);
		} else {
			text_add(&t, "%c", *text++);
		}
	}
}

/* The mode whose own outer protocol that is; NULL: none's. */
static const struct mode_info *mode_of(u8 proto)
{
	for (int id = MODE_NONE + 1; id < MODE__MAX; id++) {
		const struct mode_info *m = mode_info((enum mode_id)id);

		if (m->driver == m->id && m->proto == proto)
			return m;
	}
	return NULL;
}

const char *trace_proto(u8 proto, char buf[static 8])
{
	const struct mode_info *m = mode_of(proto);

	if (proto == PROTO_ESP)
		return "esp";
	if (!m)
		snprintf(buf, 8, "%u", proto);
	return m ? m->word : buf;
}

static void key_text(char buf[32], bool keyed, be32 key)
{
	if (keyed)
		snprintf(buf, 32, "key %u", be32_host(key));
	else
		snprintf(buf, 32, "no key");
}

static bool same_proto(const struct beside *b)
{
	const struct mode_info *m = mode_info(b->row->cfg.mode);

	return m->proto == b->p->outer.proto ||
	       (b->p->outer.proto == PROTO_ESP && m->driver == MODE_VTI);
}

static bool same_local(const struct beside *b)
{
	return be32_is_zero(b->row->cfg.local) || be32_eq(b->row->cfg.local, b->p->outer.dst);
}

static bool same_key(const struct beside *b)
{
	bool has = b->row->cfg.iflags & TUNL_F_KEY, bears = b->p->gre.flags & GRE_K;

	return !b->p->has_gre ||
	       (has == bears && (!has || be32_eq(b->row->cfg.ikey, b->p->gre.key)));
}

static bool explain_key(const struct beside *b, struct trace_why *w)
{
	char bears[32], wants[32];

	if (!same_proto(b) || !same_local(b) || same_key(b))
		return false;
	key_text(bears, b->p->gre.flags & GRE_K, b->p->gre.key);
	key_text(wants, b->row->cfg.iflags & TUNL_F_KEY, b->row->cfg.ikey);
	say(w->text, sizeof(w->text),
	    "%s has these addresses, but takes %s, and the packet bears %s", b->row->ifname, wants,
	    bears);
	if (b->p->gre.flags & GRE_K)
		say(w->remedy, sizeof(w->remedy),
		    "give both ends the same key: `tunl change %s i%s`, or change the other end's",
		    b->row->ifname, bears);
	else
		say(w->remedy, sizeof(w->remedy),
		    "give both ends the same key: have the other end send key %u",
		    be32_host(b->row->cfg.ikey));
	return true;
}

static bool explain_mode(const struct beside *b, struct trace_why *w)
{
	const struct mode_info *mine = mode_info(b->row->cfg.mode);
	char proto[8];

	if (same_proto(b))
		return false;
	say(w->text, sizeof(w->text),
	    "%s has these addresses, but is of mode %s, and the packet is %s", b->row->ifname,
	    mine->word, trace_proto(b->p->outer.proto, proto));
	say(w->remedy, sizeof(w->remedy), "give both ends the same mode");
	return true;
}

static bool explain_down(const struct beside *b, struct trace_why *w)
{
	if (b->row->up || !same_proto(b) || !same_local(b))
		return false;
	say(w->text, sizeof(w->text), "%s has these addresses, but is down", b->row->ifname);
	say(w->remedy, sizeof(w->remedy), "`ip link set %s up`", b->row->ifname);
	return true;
}

static bool explain_local(const struct beside *b, struct trace_why *w)
{
	char local[ADDR4_TEXT];

	if (same_local(b) || !same_proto(b))
		return false;
	say(w->text, sizeof(w->text),
	    "%s has %s as remote, but %s as local, and the packet is for %s", b->row->ifname,
	    b->src, addr4_print(b->row->cfg.local, local), b->dst);
	say(w->remedy, sizeof(w->remedy),
	    "`tunl change %s local %s`, or have the other end send to %s", b->row->ifname, b->dst,
	    local);
	return true;
}

/* The smallest difference first. */
static bool (*const differences[])(const struct beside *b, struct trace_why *w) = {
	explain_key,
	explain_down,
	explain_local,
	explain_mode,
};

/* No tunnel has to do with that source. */
static void explain_unknown(const struct beside *b, struct trace_why *w)
{
	const struct mode_info *m = mode_of(b->p->outer.proto);
	char key[40] = "";

	say(w->text, sizeof(w->text), "outer source %s is no peer of any tunnel", b->src);
	if (b->p->has_gre && b->p->gre.flags & GRE_K)
		snprintf(key, sizeof(key), " key %u", be32_host(b->p->gre.key));
	if (m)
		say(w->remedy, sizeof(w->remedy),
		    "`tunl add NAME mode %s remote %s local %s%s`, or one without remote and "
		    "`peers "
		    "%s`; or leave it: strangers are refused",
		    m->word, b->src, b->dst, key, b->src);
	else
		say(w->remedy, sizeof(w->remedy), "leave it: strangers are refused");
}

/* Whether the k-th difference is what keeps the packet from one of the tunnels. */
static bool explain_difference(const struct trace_source *s, size_t k, struct beside *b,
			       struct trace_why *w)
{
	for (size_t i = 0; i < s->n; i++) {
		b->row = &s->row[i];
		if (be32_eq(b->row->cfg.remote, b->p->outer.src) && differences[k](b, w))
			return true;
	}
	return false;
}

void trace_stranger(const struct trace_source *s, const struct trace_packet *p, struct trace_why *w)
{
	struct beside b = {.p = p};

	addr4_print(p->outer.src, b.src);
	addr4_print(p->outer.dst, b.dst);
	for (size_t k = 0; k < countof(differences); k++)
		if (explain_difference(s, k, &b, w))
			return;
	explain_unknown(&b, w);
}

static void explain_peer(const struct tunnel_row *row, const struct trace_packet *p,
			 struct trace_why *w)
{
	char src[ADDR4_TEXT], peers[PEERS_TEXT];

	addr4_print(p->outer.src, src);
	say(w->text, sizeof(w->text), "outer source %s is no peer of %s", src, row->ifname);
	peers_print(&row->cfg.peers, peers);
	say(w->remedy, sizeof(w->remedy),
	    "`tunl change %s peers %.400s,%s`, or leave it: strangers are refused", row->ifname,
	    peers, src);
}

void trace_explain(struct trace_source *s, const struct trace_event *ev,
		   const struct trace_packet *p, struct trace_why *w)
{
	const struct reason_info *info = reason_info((enum reason)ev->reason);
	const struct tunnel_row *row = trace_row(s, ev);

	fill_in(w->text, sizeof(w->text), info->text, row);
	fill_in(w->remedy, sizeof(w->remedy), info->remedy, row);
	if (!p->has_outer)
		return;
	if (ev->reason == R_RX_NO_TUNNEL)
		trace_stranger(s, p, w);
	if (ev->reason == R_RX_PEER && row)
		explain_peer(row, p, w);
}
