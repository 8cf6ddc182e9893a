/* SPDX-License-Identifier: BSD-2-Clause */
#include "ipsec/esp.h"

#include <string.h>

#include "wire/esp.h"
#include "wire/ip4.h"
#include "wire/udp.h"

u32 esp_udp_len(const struct sa *sa)
{
	return sa->cfg.encap.type == ENCAP_ESPINUDP ? UDP_HLEN : 0;
}

u32 esp_size(const struct sa *sa, u32 len)
{
	struct crypt_sizes s = crypt_sizes(sa->crypt);

	return ESP_HLEN + s.iv + len + esp_pad_len(len, s.align) + ESP_TRAILER + s.icv;
}

u32 esp_mtu(const struct sa *sa, u32 mtu)
{
	struct crypt_sizes s = crypt_sizes(sa->crypt);
	u32 around = (u32)IP4_HLEN + esp_udp_len(sa) + ESP_HLEN + s.iv + s.icv;

	if (mtu < around + s.align)
		return 0;
	return ((mtu - around) & ~(s.align - 1)) - ESP_TRAILER;
}

static bool time_is_up(u64 limit, u64 since, u64 now)
{
	return limit && since && now >= since && now - since >= limit;
}

bool esp_limits(struct sa *sa, u64 now)
{
	const struct xfrm_limits *l = &sa->cfg.limits;
	struct sa_live *v = sa->live;
	bool dying = v->dying, dead = v->dead;

	if (v->bytes >= l->hard_bytes || v->packets >= l->hard_packets ||
	    time_is_up(l->hard_add, v->add_time, now) || time_is_up(l->hard_use, v->use_time, now))
		v->dead = true;
	else if (v->bytes >= l->soft_bytes || v->packets >= l->soft_packets ||
		 time_is_up(l->soft_add, v->add_time, now) ||
		 time_is_up(l->soft_use, v->use_time, now))
		v->dying = true;
	return v->dying != dying || v->dead != dead;
}

static void count(struct sa *sa, u32 bytes, u64 now)
{
	struct sa_live *v = sa->live;

	if (!v->use_time)
		v->use_time = now;
	v->bytes += bytes;
	v->packets++;
}

static u32 length(const struct esp_out *o)
{
	u32 len = 0;

	for (u32 i = 0; i < o->n; i++)
		len += o->in[i].len;
	return len;
}

enum mib esp_seal(struct sa *sa, const struct esp_out *o, u8 *at, u32 *len)
{
	struct crypt_piece piece[ESP_PIECES + 1];
	struct crypt_job job = {.in = piece, .n = o->n + 1};
	u32 inner = length(o);
	struct esp *h = (struct esp *)at;
	u8 trailer[ESP_PAD_MAX + ESP_TRAILER];
	u64 number;

	if (sa->live->dead)
		return MIB_OUT_EXPIRED;
	if (!replay_next(&sa->live->replay, &sa->cfg, &number))
		return MIB_OUT_SEQ;
	h->spi = sa->cfg.spi;
	h->seq = be32_of((u32)number);
	memcpy(piece, o->in, o->n * sizeof(piece[0]));
	piece[o->n].data = trailer;
	piece[o->n].len = esp_build_trailer(
		trailer, esp_pad_len(inner, crypt_sizes(sa->crypt).align), o->next);
	job.seq_hi = (u32)(number >> 32);
	if (crypt_seal(sa->crypt, at, &job))
		return MIB_OUT_PROTO;
	*len = esp_size(sa, inner);
	count(sa, inner, o->now);
	return MIB__MAX;
}

static enum mib check_number(struct sa *sa, u64 number)
{
	switch (replay_check(&sa->live->replay, &sa->cfg, number)) {
	case REPLAY_NEW:
		return MIB__MAX;
	case REPLAY_OLD:
		sa->live->late++;
		return MIB_IN_SEQ;
	case REPLAY_AGAIN:
		sa->live->replayed++;
		return MIB_IN_SEQ;
	}
	return MIB_IN_SEQ;
}

enum mib esp_open(struct sa *sa, u8 *esp, u32 len, u64 now, struct esp_in *in)
{
	struct crypt_sizes s = crypt_sizes(sa->crypt);
	struct cur c = {esp, esp + len};
	const struct esp *h = cur_take(&c, ESP_HLEN);
	enum mib m;
	u64 number;

	if (!h)
		return MIB_IN_HDR;
	if (sa->live->dead)
		return MIB_IN_EXPIRED;
	number = replay_number(&sa->live->replay, &sa->cfg, be32_host(h->seq));
	m = check_number(sa, number);
	if (m != MIB__MAX)
		return m;
	if (!crypt_open(sa->crypt, esp, len, (u32)(number >> 32))) {
		sa->live->failed++;
		return MIB_IN_PROTO;
	}
	in->inner = esp + ESP_HLEN + s.iv;
	in->len = len - ESP_HLEN - s.iv - s.icv;
	if (!esp_take_trailer(in->inner, &in->len, &in->next) || in->next == ESP_NEXT_NONE)
		return MIB_IN_PROTO;
	replay_advance(&sa->live->replay, &sa->cfg, number);
	count(sa, in->len, now);
	return MIB__MAX;
}
