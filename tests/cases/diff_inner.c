/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inner packets: most as hosts send them, some that lie. All bytes that no header
 * takes repeat the packet's tag, by which what came out is told.
 */
#include <arpa/inet.h>
#include <string.h>

#include "diff.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum { TAG_FIRST = 0xa5, TAG_LAST = 0x5a };

static const char *const dst4[] = {"10.0.0.2", "10.0.0.2", "10.0.0.77", "10.1.2.3", "10.2.9.9"};
static const char *const src4[] = {"10.0.0.1", "10.0.0.1", "10.0.0.1", "10.9.9.9"};
/* of arriving ones; the last byte of each is random at times */
static const char *const peer6[] = {
	"2001:db8::2",		 "2002:c000:202::1",	      "2002:c000:203::1",
	"2002:a00:1::1",	 "2001:db8:102:300::1",	      "2001:db8:1:203::1",
	"2a01:79f:569d:cd70::1", "fe80::5efe:c000:202",	      "fe80::200:5efe:c000:202",
	"fe80::5efe:c000:203",	 "2001:db8:7::5efe:c000:202", "2001:4860::1",
	"::192.0.2.2",
};
static const char *const dst6[] = {
	"2001:db8::9",		 "2002:c000:202::1",	"2002:c000:209::1",
	"2001:db8:1::1",	 "2001:db8:102:300::1", "2001:db8:1:203::1",
	"2a01:79f:569d:cd70::1", "fe80::5efe:c000:202", "2001:db8:7::5efe:c000:203",
	"2001:db8:8::1",	 "::192.0.2.2",		"2002:c000:2fe:5::1",
};
static const char *const own6[] = {"2001:db8::1",      "2001:db8::1",	"2002:c000:201::1",
				   "2002:c000:209::1", "2001:db8:7::1", "fe80::5efe:c000:201"};

static void put4(u8 *to, const char *text)
{
	inet_pton(AF_INET, text, to);
}

static void put6(struct diff_rng *r, u8 *to, const char *text)
{
	inet_pton(AF_INET6, text, to);
	if (diff_chance(r, 10))
		to[15] = (u8)(2 + diff_below(r, 250)); /* no network's own number */
}

static void put_tag(u8 *data, u32 from, u32 len, u16 tag)
{
	const u8 tags[] = {TAG_FIRST, (u8)(tag >> 8), (u8)tag, TAG_LAST};

	for (u32 i = from; i < len; i++)
		data[i] = tags[i % sizeof(tags)];
}

static void sum4(u8 *d)
{
	struct ip4 *h = (void *)d;

	h->check.raw = 0;
	h->check = csum_finish(csum_add(0, d, (d[0] & 15) * 4U));
}

/*
 * One field of an IPv4 header is not what it should be. No options come about that
 * the receiver would complain of: that is no tunnel's matter.
 */
static void lie4(struct diff_rng *r, u8 *d)
{
	switch (diff_below(r, 5)) {
	case 0:
		d[0] = (u8)(diff_below(r, 16) << 4 | 5);
		break;
	case 1:
		d[0] = (u8)(0x40 | diff_below(r, 6));
		break;
	case 2:
		d[2] = (u8)diff_below(r, 8);
		break;
	case 3:
		d[3] = (u8)diff_below(r, 256);
		break;
	default:
		d[10] ^= 0x55;
		return;
	}
	if ((d[0] & 15) >= 5)
		sum4(d);
}

static u32 header4(struct diff_maker *m, u8 *d, u32 len)
{
	struct diff_rng *r = &m->rng;
	u32 ihl = diff_chance(r, 4) && len >= 28 ? 24 : 20;

	memset(d, 0, 20);
	put_tag(d, 20, len, m->tag);
	d[0] = (u8)(0x40 | ihl / 4);
	d[1] = (u8)(diff_chance(r, 70) ? diff_below(r, 4) : diff_below(r, 256));
	d[2] = (u8)(len >> 8);
	d[3] = (u8)len;
	d[4] = (u8)(m->tag >> 8);
	d[5] = (u8)m->tag;
	d[6] = diff_chance(r, 50) ? 0x40 : 0;
	d[8] = (u8)(1 + diff_below(r, 255));
	d[9] = PROTO_UDP;
	if (ihl == 24)
		memset(d + 20, 1, 4);
	return ihl;
}

static u32 header6(struct diff_maker *m, u8 *d, u32 len)
{
	struct diff_rng *r = &m->rng;
	u32 class = diff_chance(r, 70) ? diff_below(r, 4) : diff_below(r, 256);

	put_tag(d, 40, len, m->tag);
	d[0] = (u8)(0x60 | class >> 4);
	d[1] = (u8)(class << 4 | diff_below(r, 16));
	d[2] = (u8)diff_below(r, 256);
	d[3] = (u8)diff_below(r, 256);
	d[4] = (u8)((len - 40) >> 8);
	d[5] = (u8)(len - 40);
	d[6] = PROTO_UDP;
	d[7] = (u8)(1 + diff_below(r, 255));
	return 40;
}

u32 diff_inner(struct diff_maker *m, bool v6, u8 *to)
{
	struct diff_rng *r = &m->rng;
	u32 least = v6 ? 40 : 20;
	u32 len = least + diff_below(r, diff_chance(r, 80) ? 120 : 1300);

	if (v6) {
		header6(m, to, len);
		put6(r, to + 8, peer6[diff_below(r, countof(peer6))]);
		put6(r, to + 24, own6[diff_below(r, countof(own6))]);
		if (diff_chance(r, 5))
			to[diff_below(r, 8)] = (u8)diff_below(r, 256);
	} else {
		header4(m, to, len);
		put4(to + 12, "10.0.0.2");
		put4(to + 16, "10.0.0.1");
		sum4(to);
		if (diff_chance(r, 6))
			lie4(r, to);
	}
	/* too short for its header */
	return diff_chance(r, 4) ? diff_below(r, least + 1) : len;
}

/* Sizes small, about the usual MTUs, and beyond them. */
static u32 size(struct diff_rng *r, u32 least, u32 most)
{
	static const u16 about[] = {1180, 1280, 1300, 1360, 1380, 1400, 1476, 1480, 1500, 552};
	u32 n = diff_chance(r, 60) ? least + 8 + diff_below(r, 200)
				   : about[diff_below(r, countof(about))] - 12 + diff_below(r, 24);

	return min_of(n, most);
}

static void icmp4(struct diff_rng *r, u8 *d, u32 off)
{
	static const u8 type[] = {8, 0, 3, 11, 5, 12};

	d[9] = PROTO_ICMP;
	d[off] = type[diff_below(r, countof(type))];
	d[off + 1] = 0;
}

static void sent4(struct diff_maker *m, struct diff_input *in)
{
	struct diff_rng *r = &m->rng;
	bool df = diff_chance(r, 50);
	u32 off, most = df || m->conf->flags & DIFF_LARGE ? 1590 : 500;

	in->ethertype = ETYPE_IP4;
	in->len = size(r, 28, most);
	off = header4(m, in->data, in->len);
	in->data[6] = df ? 0x40 : 0;
	put4(in->data + 12, src4[diff_below(r, countof(src4))]);
	put4(in->data + 16, dst4[diff_below(r, countof(dst4))]);
	if (diff_chance(r, 8))
		icmp4(r, in->data, off);
	if (diff_chance(r, 4)) {
		in->data[6] |= diff_chance(r, 50) ? 0x20 : 0;
		in->data[7] = (u8)diff_below(r, 60);
	}
	sum4(in->data);
	if (m->conf->flags & DIFF_ROUTED)
		return;
	if (diff_chance(r, 3))
		lie4(r, in->data);
	if (diff_chance(r, 2))
		in->len = 1 + diff_below(r, 24);
}

static void sent6(struct diff_maker *m, struct diff_input *in)
{
	struct diff_rng *r = &m->rng;

	in->ethertype = ETYPE_IP6;
	in->len = size(r, 48, 1590);
	header6(m, in->data, in->len);
	put6(r, in->data + 8, "2001:db8::1");
	in->data[23] = 1;
	put6(r, in->data + 24, dst6[diff_below(r, countof(dst6))]);
	if (diff_chance(r, 5)) {
		in->data[6] = PROTO_ICMPV6;
		in->data[40] = (u8)(diff_chance(r, 50) ? 128 : 1 + diff_below(r, 4));
	}
}

static void sent_other(struct diff_maker *m, struct diff_input *in)
{
	static const u16 type[] = {0x8847, 0x8848, 0x0806, 0x88cc, 0x1234};

	in->ethertype = type[diff_below(&m->rng, countof(type))];
	in->len = 4 + diff_below(&m->rng, 100);
	put_tag(in->data, 0, in->len, m->tag);
	memcpy(in->data, "\x00\x01\x01\x40", 4);
}

void diff_sent(struct diff_maker *m, struct diff_input *in)
{
	u32 flags = m->conf->flags;
	u32 kind = diff_below(&m->rng, 100);

	in->is_tx = true;
	in->tunnel = 0;
	in->tag = ++m->tag;
	if (flags & DIFF_OTHER && kind < 3)
		sent_other(m, in);
	else if (flags & DIFF_V6 && (kind < 45 || !(flags & DIFF_V4)))
		sent6(m, in);
	else
		sent4(m, in);
}
