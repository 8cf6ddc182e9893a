/* SPDX-License-Identifier: BSD-2-Clause */
/* What arrives: packets of the tunnel protocols, right and wrong ones, and ICMP errors. */
#include <arpa/inet.h>
#include <string.h>

#include "diff.h"
#include "wire/eth.h"
#include "wire/gre.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

static const char *const from[] = {"192.0.2.2", "192.0.2.2",  "192.0.2.2",  "192.0.2.2",
				   "192.0.2.3", "192.0.2.99", "198.18.2.4", "213.167.115.92"};

static void sum4(u8 *d)
{
	struct ip4 *h = (void *)d;

	h->check.raw = 0;
	h->check = csum_finish(csum_add(0, d, (d[0] & 15) * 4U));
}

static bool is_gre(const struct diff_maker *m)
{
	return m->cfg->mode == MODE_GRE;
}

/* The GRE header that the tunnel wants, or nearly; its length. */
static u32 put_gre(struct diff_maker *m, u8 *d, u16 type, u32 payload)
{
	struct diff_rng *r = &m->rng;
	u16 flags = m->cfg->iflags & (GRE_C | GRE_K | GRE_S);
	u32 key = be32_host(m->cfg->ikey), n;

	if (diff_chance(r, 8))
		flags ^= (u16)(1U << (12 + diff_below(r, 4)) & (GRE_C | GRE_K | GRE_S));
	if (diff_chance(r, 5))
		key = diff_below(r, 8);
	if (flags & GRE_S && diff_chance(r, 15))
		m->seq += diff_below(r, 5) - 2;
	n = gre_hlen(flags);
	memmove(d + n, d, payload);
	gre_build(d, &(struct gre_fields){
			     .flags = flags, .type = type, .key = be32_of(key), .seq = m->seq++});
	if (diff_chance(r, 5))
		d[diff_below(r, 2)] |= (u8)(1U << diff_below(r, 8));
	if (diff_chance(r, 3))
		memcpy(d + 2, "\x88\x3e\x88\xbe\x65\x58\x12\x34" + 2 * diff_below(r, 4), 2);
	if (flags & GRE_C && !diff_chance(r, 5))
		gre_set_csum(d, n + payload);
	return n;
}

/* One thing about the outer header that is wrong, or seldom. */
static u32 twist(struct diff_maker *m, u8 *d, u32 len)
{
	struct diff_rng *r = &m->rng;

	switch (diff_below(r, 7)) {
	case 0:
		d[10] ^= 0x11;
		return len;
	case 1:
		d[0] = (u8)(diff_below(r, 8) << 4 | 5);
		break;
	case 2:
		d[0] = (u8)(0x40 | diff_below(r, 5));
		return len;
	case 3: /* says less, or more, than there is */
		len += diff_below(r, 60);
		d[2] = (u8)(len >> 8);
		d[3] = (u8)len;
		len -= diff_below(r, min_of(len, 120U));
		break;
	case 4:
		d[2] = 0;
		d[3] = (u8)diff_below(r, 40);
		break;
	case 5: /* options that say nothing */
		memmove(d + 24, d + 20, len - 20);
		memset(d + 20, 1, 4);
		len += 4;
		d[0] = 0x46;
		d[2] = (u8)(len >> 8);
		d[3] = (u8)len;
		break;
	default:
		inet_pton(AF_INET, diff_chance(r, 50) ? "192.0.2.3" : "198.51.100.1", d + 16);
	}
	sum4(d);
	return max_of(len, 1U);
}

static void outer(struct diff_maker *m, u8 *d, u32 len, u8 proto)
{
	struct diff_rng *r = &m->rng;

	memset(d, 0, IP4_HLEN);
	d[0] = 0x45;
	d[1] = (u8)(diff_chance(r, 60) ? diff_below(r, 4) : diff_below(r, 256));
	d[2] = (u8)(len >> 8);
	d[3] = (u8)len;
	d[4] = (u8)(m->tag >> 8);
	d[5] = (u8)m->tag;
	d[6] = diff_chance(r, 50) ? 0x40 : 0;
	d[8] = (u8)diff_below(r, 256);
	d[9] = proto;
	inet_pton(AF_INET, from[diff_below(r, countof(from))], d + 12);
	inet_pton(AF_INET, "192.0.2.1", d + 16);
	if (is_gre(m) && (be32_host(m->cfg->remote) >> 28) == 0xe)
		memcpy(d + 16, &m->cfg->remote, 4);
	sum4(d);
}

static u8 outer_proto(const struct diff_maker *m, bool v6)
{
	return is_gre(m) ? PROTO_GRE : v6 ? PROTO_IPV6 : PROTO_IPIP;
}

static void arrived_packet(struct diff_maker *m, struct diff_input *in)
{
	struct diff_rng *r = &m->rng;
	bool v6 = m->cfg->mode == MODE_IPIP ? diff_chance(r, 2)
		  : is_gre(m)		    ? diff_chance(r, 50)
					    : diff_chance(r, 92);
	u8 *d = in->data + IP4_HLEN;
	u32 len = diff_inner(m, v6, d);
	u8 proto = outer_proto(m, v6);

	if (is_gre(m))
		len += put_gre(m, d, v6 ? ETYPE_IP6 : ETYPE_IP4, len);
	else if (diff_chance(r, 2))
		proto = PROTO_MPLS;
	else if (m->cfg->mode == MODE_IPIP)
		proto = PROTO_IPIP;
	in->len = len + IP4_HLEN;
	outer(m, in->data, in->len, proto);
	if (diff_chance(r, 8))
		in->len = twist(m, in->data, in->len);
}

/* A packet of ours as a router quotes it: right behind its header; its length. */
static u32 quoted(struct diff_maker *m, u8 *d)
{
	struct diff_rng *r = &m->rng;
	bool v6 = m->cfg->mode != MODE_IPIP && diff_chance(r, m->cfg->mode == MODE_GRE ? 40 : 90);
	u32 len = 0;

	memset(d, 0, 128);
	len = IP4_HLEN;
	if (is_gre(m)) {
		gre_build(d + len,
			  &(struct gre_fields){.flags = m->cfg->oflags & (GRE_C | GRE_K | GRE_S),
					       .type = v6 ? ETYPE_IP6 : ETYPE_IP4,
					       .key = m->cfg->okey});
		len += gre_hlen(m->cfg->oflags & (GRE_C | GRE_K | GRE_S));
	}
	d[len] = v6 ? 0x60 : 0x45;
	outer(m, d, 120, outer_proto(m, v6));
	memcpy(d + 12, &m->cfg->local, 4);
	memcpy(d + 16, &m->cfg->remote, 4);
	if (be32_is_zero(m->cfg->local))
		inet_pton(AF_INET, "192.0.2.1", d + 12);
	if (be32_is_zero(m->cfg->remote))
		inet_pton(AF_INET, "192.0.2.2", d + 16);
	sum4(d);
	/* longer ones the drivers try to relay as IPv6, which comes to nothing */
	if (v6)
		return min_of(IP4_HLEN + 8 + diff_below(r, 24), len + 40);
	return 22 +
	       diff_below(r, m->cfg->mode == MODE_SIT || m->cfg->mode == MODE_ISATAP ? 44 : 60);
}

static void arrived_error(struct diff_maker *m, struct diff_input *in)
{
	/* of gre the narrow ones come last: with IPv6 inside the drivers lose all there */
	static const u16 mtus[] = {1400, 1380, 1420, 1500, 65535, 1300, 1280, 576, 400, 68, 0};
	static const u8 kinds[][2] = {{3, 0},  {3, 1}, {3, 1},	{3, 1},	 {3, 3},  {3, 4}, {3, 5},
				      {3, 13}, {4, 0}, {11, 0}, {11, 0}, {11, 1}, {12, 0}};
	struct diff_rng *r = &m->rng;
	u8 *d = in->data, *icmp = d + IP4_HLEN;
	u32 len = quoted(m, icmp + 8);
	const u8 *kind = kinds[diff_below(r, countof(kinds))];
	u16 mtu = mtus[diff_below(r, is_gre(m) ? 5 : countof(mtus))];

	memset(icmp, 0, 8);
	icmp[0] = kind[0];
	icmp[1] = kind[1];
	if (kind[0] == 3 && kind[1] == 4) {
		icmp[1] = m->conf->flags & DIFF_PATH ? 4 : 2;
		icmp[6] = (u8)(mtu >> 8);
		icmp[7] = (u8)mtu;
	}
	if (diff_chance(r, 5))
		icmp[8 + diff_below(r, 20)] ^= (u8)diff_below(r, 256);
	in->len = IP4_HLEN + 8 + len;
	outer(m, d, in->len, PROTO_ICMP);
	inet_pton(AF_INET, "192.0.2.254", d + 12);
	inet_pton(AF_INET, "192.0.2.1", d + 16);
	sum4(d);
	memcpy(icmp + 2, "\0\0", 2);
	{
		be16 check = csum_finish(csum_add(0, icmp, 8 + len));

		memcpy(icmp + 2, &check, 2);
	}
	if (diff_chance(r, 3))
		icmp[2] ^= 1;
}

void diff_arrived(struct diff_maker *m, struct diff_input *in)
{
	in->is_tx = false;
	in->ethertype = ETYPE_IP4;
	in->tag = ++m->tag;
	if (diff_chance(&m->rng, 8))
		arrived_error(m, in);
	else
		arrived_packet(m, in);
}
