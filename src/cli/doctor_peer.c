/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of the other end. The probe is an echo request from our outer address to its outer
 * address, sent into the tunnel: whoever unwraps it answers, through the tunnel or
 * beside it. Besides, what comes in meanwhile is looked at, as by `tunl trace`.
 */
#include <linux/if_ether.h>
#include <poll.h>
#include <string.h>

#include "cli/doctor.h"
#include "lib/addr.h"
#include "mode/mode.h"

enum { PEER_TRIES = 3, PEER_WAIT_MS = 1000, LISTEN_MS = 1500 };

static u8 proto_of(const struct tunnel_row *row)
{
	const struct mode *m = mode_by_id(row->cfg.mode);

	return m && m->esp ? PROTO_ESP : mode_info(row->cfg.mode)->proto;
}

/* What an event says of the patient. */
static void hear(struct doctor *d, const struct trace_event *ev)
{
	struct patient *p = d->patient;
	struct trace_packet t;

	trace_read(ev, &t);
	if (!p || ev->dir != TRACE_RX || !t.has_outer || !be32_eq(t.outer.src, p->row->cfg.remote))
		return;
	if (ev->reason == R_NONE && ev->ifindex == p->row->ifindex)
		p->heard = true;
	/* one that is for another tunnel between the two is no stranger's */
	if (ev->reason == R_RX_NO_TUNNEL && t.outer.proto == proto_of(p->row))
		trace_stranger(&d->trace, &t, &p->word);
}

void doctor_listen(struct doctor *d)
{
	struct trace_event ev;

	while (d->trace.fd >= 0 && trace_next(&d->trace, &ev) > 0)
		hear(d, &ev);
}

/* Our outer address. */
static be32 own_address(const struct patient *p)
{
	return be32_is_zero(p->row->cfg.local) ? p->rt.src : p->row->cfg.local;
}

static struct echo ask_inside(struct doctor *d)
{
	const struct patient *p = d->patient;
	const struct echo_ask a = {
		.dst = p->row->cfg.remote,
		.src = own_address(p),
		.dev = p->row->ifname,
		.proto = proto_of(p->row),
		.outer = p->row->cfg.remote,
		.wait_ms = PEER_WAIT_MS,
	};

	return probe_echo(&d->probe, &a);
}

/* Whether the other end unwraps what we send; *e is the last that came back by IPv4. */
static bool is_answered(struct doctor *d, struct echo *e)
{
	const struct tunnel_cfg *cfg = &d->patient->row->cfg;
	/* what the mode has another outer protocol for, the other end may not take */
	bool v4 = mode_by_id(cfg->mode)->esp ||
		  mode_carries(cfg, ETH_P_IP) == mode_info(cfg->mode)->proto;
	bool v6 = mode_carries(cfg, ETH_P_IPV6);

	for (u32 i = 0; i < PEER_TRIES; i++) {
		if (v6 && probe_nodes6(&d->probe, d->patient->row->ifname, PEER_WAIT_MS))
			return true;
		if (v4)
			*e = ask_inside(d);
		doctor_listen(d);
		if (d->patient->heard || e->fate == ECHO_ANSWERED)
			return true;
		if (e->fate == ECHO_UNREACHABLE)
			return false;
	}
	return false;
}

/* Somebody who is not the other end says that there is no way. */
static void tell_barred(struct doctor *d, const struct echo *e)
{
	char from[ADDR4_TEXT], word[8];
	struct diagnosis g = {0};
	u8 proto = proto_of(d->patient->row);

	say_finding(&g, "a router on the way refuses the tunnel's packets");
	say_evidence(&g, "%s answers protocol %u (%s) with ICMP 3/%u", addr4_print(e->from, from),
		     proto, trace_proto(proto, word), e->code);
	say_remedy(&g, "look at that router's routes and filters");
	doctor_tell(d, true, &g);
}

static void tell_refused(struct doctor *d, const struct echo *e)
{
	char from[ADDR4_TEXT], word[8];
	struct diagnosis g = {0};
	u8 proto = proto_of(d->patient->row);

	say_finding(&g, "the other end refuses the tunnel's packets");
	say_evidence(&g, "%s answers protocol %u (%s) with ICMP 3/%u", addr4_print(e->from, from),
		     proto, trace_proto(proto, word), e->code);
	say_remedy(&g, e->code == ICMP4_C_PROTO
			       ? "make the tunnel there: nothing takes this protocol"
			       : "compare the other end's tunnel: mode, remote, local, key; and is "
				 "it up?");
	doctor_tell(d, true, &g);
}

static void tell_silent(struct doctor *d)
{
	bool plain = d->patient->plain.fate == ECHO_ANSWERED;
	char remote[ADDR4_TEXT], word[8];
	struct diagnosis g = {0};
	u8 proto = proto_of(d->patient->row);

	addr4_print(d->patient->row->cfg.remote, remote);
	if (plain)
		say_finding(&g, "protocol %u (%s) is dropped on the way, or by the other end",
			    proto, trace_proto(proto, word));
	else
		say_finding(&g,
			    "the other end does not answer, neither in the tunnel nor beside it");
	say_evidence(
		&g,
		"%d probes through the tunnel: no answer and no ICMP error; echo requests to %s "
		"beside it: %s",
		PEER_TRIES, remote, plain ? "answered" : "no answer");
	if (plain)
		say_remedy(
			&g,
			"allow IP protocol %u at both ends and on the way: clouds' networks drop "
			"it "
			"unless a security group says otherwise, some always; is the tunnel there "
			"up?",
			proto);
	else
		say_remedy(&g, "is the other host up, and %s its address?", remote);
	doctor_tell(d, plain, &g);
}

void check_other_end(struct doctor *d)
{
	struct echo e = {.fate = ECHO_SILENT};

	if (!d->patient->routed || is_answered(d, &e))
		return;
	if (e.fate == ECHO_UNREACHABLE && be32_eq(e.from, d->patient->row->cfg.remote))
		tell_refused(d, &e);
	else if (e.fate == ECHO_UNREACHABLE && !be32_eq(e.from, own_address(d->patient)))
		tell_barred(d, &e);
	else if (!mode_by_id(d->patient->row->cfg.mode)->esp)
		tell_silent(d);
}

/* What the other end sends by itself may take a moment. */
static void wait_for_word(struct doctor *d)
{
	struct pollfd f = {d->trace.fd, POLLIN, 0};

	for (int ms = LISTEN_MS; ms > 0 && !d->patient->heard && !d->patient->word.text[0];
	     ms -= 100)
		if (poll(&f, 1, 100) > 0)
			doctor_listen(d);
}

void check_key(struct doctor *d)
{
	struct patient *p = d->patient;
	struct diagnosis g = {0};

	if (!p->routed || d->trace.fd < 0)
		return;
	wait_for_word(d);
	if (!p->word.text[0])
		return;
	say_finding(&g, "the other end's packets are for no tunnel here");
	say_evidence(&g, "%s", p->word.text);
	say_remedy(&g, "%s", p->word.remedy);
	doctor_tell(d, true, &g);
}

void check_options(struct doctor *d)
{
	/* those that tell that the ends do not agree; others have other causes as well */
	static const enum reason told[] = {R_RX_CSUM_FLAG, R_RX_SEQ,	R_RX_PROTO, R_RX_NO_SA,
					   R_RX_ICV,	   R_RX_POLICY, R_RX_ESP};
	const struct tunnel_row *row = d->patient->row;

	for (size_t i = 0; i < countof(told); i++) {
		const struct reason_info *info = reason_info(told[i]);
		struct diagnosis g = {0};

		if (!row->stats.reason[told[i]])
			continue;
		say_finding(&g, "packets were dropped: %s", info->text);
		say_evidence(&g, "%llu so far (%s)", (unsigned long long)row->stats.reason[told[i]],
			     info->word);
		say_remedy(&g, "%s", info->remedy);
		doctor_tell(d, false, &g);
	}
}
