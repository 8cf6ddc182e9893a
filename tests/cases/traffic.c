/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets of a case: what goes in, what came out, and whether the two are what
 * the case says. A backend that stands for a whole kernel (live) brings things
 * out in no order, and later than they are asked for: it is waited for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"
#include "run.h"

void case_output_vnet(enum case_way way, unsigned i, const void *data, u32 len,
		      const struct virtio_net_hdr *vnet)
{
	struct output *o = &run->out[run->nout];

	if (run->nout == RUN_OUTPUTS)
		return;
	*o = (struct output){way, i, len, malloc(len + 1), *vnet};
	if (!o->data)
		return;
	memcpy(o->data, data, len);
	run->nout++;
}

void case_skip(const char *why)
{
	run->why = why;
}

void case_output(enum case_way way, unsigned i, const void *data, u32 len)
{
	case_output_vnet(way, i, data, len, &(struct virtio_net_hdr){0});
}

void run_forget(struct run *r)
{
	for (u32 i = 0; i < r->nout; i++)
		free(r->out[i].data);
	r->nout = 0;
}

static const char *way_name(enum case_way way)
{
	static const char *const name[] = {"wire", "tun", "icmp", "log", "hint"};

	return name[way];
}

/* The first that no line has named; its way and tunnel count with a live backend only. */
static struct output *next_output(struct run *r, enum case_way way, int tunnel)
{
	for (u32 i = 0; i < r->nout; i++) {
		struct output *o = &r->out[i];
		bool fits = o->way == way && (way != CASE_TUN || (int)o->tunnel == tunnel);

		if (!o->named && (fits || !r->b->more))
			return o;
	}
	return NULL;
}

/* The same; a live backend is waited for. */
static struct output *await_output(struct run *r, enum case_way way, int tunnel)
{
	struct output *o = next_output(r, way, tunnel);

	for (u32 ms = 0; !o && r->b->more && ms < RUN_PATIENCE_MS; ms += RUN_TURN_MS) {
		r->b->more(r->dp, RUN_TURN_MS);
		o = next_output(r, way, tunnel);
	}
	return o;
}

int run_nothing_left(struct run *r)
{
	const struct output *o = NULL;
	char hex[128] = "";

	if (r->b->more)
		r->b->more(r->dp, RUN_SETTLE_MS);
	for (u32 i = 0; i < r->nout && !o; i++)
		o = r->out[i].named ? NULL : &r->out[i];
	if (!o) {
		run_forget(r);
		return 0;
	}
	for (u32 i = 0; i < o->len && i < 48; i++)
		snprintf(hex + 2 * i, 3, "%02x", o->data[i]);
	return run_fail(r, "%s > %u bytes that the case does not name: %s", way_name(o->way),
			o->len, hex);
}

/* A packet goes in: what the one before brought out must have been named. */
static int do_input(struct run *r, bool is_tun, const char *name, char **w, unsigned n)
{
	static struct built b;
	struct case_packet p;
	const char *bad;
	int i = is_tun ? run_tunnel(r, name) : (int)world_ifindex(&r->w, name);

	if (i < 0 || run_nothing_left(r))
		return -1;
	bad = packet_build(w, n, is_tun ? PLACE_TUN : PLACE_WIRE_IN, NULL, &b);
	if (bad)
		return run_fail(r, "%s", bad);
	p = (struct case_packet){b.data, b.len, b.ethertype, b.vnet};
	r->b->clock(r->dp, r->now_ms);
	if (is_tun)
		r->b->tx(r->dp, (unsigned)i, &p);
	else
		r->b->rx(r->dp, (u32)i, &p);
	return r->why ? 1 : 0;
}

static bool vnet_equal(const struct built *b, const struct output *o)
{
	return b->vnet.flags == o->vnet.flags && b->vnet.gso_type == o->vnet.gso_type &&
	       b->vnet.gso_size == o->vnet.gso_size && b->vnet.csum_start == o->vnet.csum_start &&
	       b->vnet.csum_offset == o->vnet.csum_offset;
}

static int compare(struct run *r, const struct built *b, const struct output *o)
{
	u32 len = b->only ? min_of(b->only, o->len) : o->len;

	if (!b->only && b->len != o->len)
		return run_fail(r, "%u bytes came out, %u are expected", o->len, b->len);
	for (u32 i = 0; i < len; i++)
		if (b->data[i] != o->data[i])
			return run_fail(r, "byte %u is 0x%02x, expected is 0x%02x", i, o->data[i],
					b->data[i]);
	if (o->way == CASE_WIRE && b->id_free && !o->data[4] && !o->data[5])
		return run_fail(r, "the outer id is 0");
	return vnet_equal(b, o) ? 0 : run_fail(r, "another virtio header than expected");
}

static enum packet_place place_of(enum case_way way)
{
	return way == CASE_WIRE ? PLACE_WIRE_OUT : way == CASE_ICMP ? PLACE_ICMP : PLACE_TUN;
}

static int do_output(struct run *r, enum case_way way, int tunnel, char **w, unsigned n)
{
	struct output *o;
	static struct built b;
	struct like like;
	const char *bad;

	if (r->b->more && (way == CASE_LOG || way == CASE_SLOW))
		return 0; /* what a live one writes is not to be had */
	o = await_output(r, way, tunnel);
	if (!o)
		return run_fail(r, "nothing came out");
	if (o->way != way)
		return run_fail(r, "%s > came out", way_name(o->way));
	if (way == CASE_TUN && (int)o->tunnel != tunnel)
		return run_fail(r, "tunnel %s delivered it", r->tunnel[o->tunnel].cfg.name);
	o->named = true;
	if (way == CASE_LOG || way == CASE_SLOW)
		return 0;
	like = (struct like){o->data, o->len, r->last_id, r->b->more != NULL};
	bad = packet_build(w, n, place_of(way), &like, &b);
	if (bad)
		return run_fail(r, "%s", bad);
	if (way == CASE_WIRE && o->len >= 6)
		r->last_id = (u16)(o->data[4] << 8 | o->data[5]);
	return compare(r, &b, o);
}

/* `tun NAME < PACKET`, `wire [DEV] > PACKET`, ... */
int run_packet(struct run *r, char **w, unsigned n)
{
	const char *name = "eth0";
	bool is_tun = !strcmp(w[0], "tun");
	unsigned at = 1;
	int i = 0;

	if (n > 2 && strcmp(w[1], "<") && strcmp(w[1], ">")) {
		name = w[1];
		at = 2;
	}
	if (at >= n || (is_tun && at == 1))
		return run_fail(r, "tun NAME < PACKET");
	if (!strcmp(w[at], "<"))
		return do_input(r, is_tun, name, w + at + 1, n - at - 1);
	if (is_tun)
		i = run_tunnel(r, name);
	if (i < 0)
		return i;
	return do_output(r,
			 is_tun			 ? CASE_TUN
			 : !strcmp(w[0], "icmp") ? CASE_ICMP
						 : CASE_WIRE,
			 i, w + at + 1, n - at - 1);
}

int run_mark(struct run *r, char **w, unsigned n)
{
	(void)n;
	return do_output(r, !strcmp(w[0], "log") ? CASE_LOG : CASE_SLOW, 0, NULL, 0);
}
