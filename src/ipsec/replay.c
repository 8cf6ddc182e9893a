/* SPDX-License-Identifier: BSD-2-Clause */
#include "ipsec/replay.h"

#include <string.h>

static bool is_esn(const struct sa_cfg *cfg)
{
	return cfg->flags & SA_ESN;
}

void replay_init(struct replay *r, const struct sa_cfg *cfg)
{
	memset(r, 0, sizeof(*r));
	r->out = cfg->replay_oseq | (is_esn(cfg) ? (u64)cfg->replay_oseq_hi << 32 : 0);
	r->top = cfg->replay_seq | (is_esn(cfg) ? (u64)cfg->replay_seq_hi << 32 : 0);
}

bool replay_next(struct replay *r, const struct sa_cfg *cfg, u64 *number)
{
	u64 last = is_esn(cfg) ? ~0ULL : 0xffffffff;

	if (r->out >= last && (is_esn(cfg) || !(cfg->extra & SA_OSEQ_MAY_WRAP)))
		return false;
	*number = ++r->out & last;
	r->out = *number;
	return true;
}

/* Spec datapath 9.5, "ESN": where the window may reach over two high halves. */
u64 replay_number(const struct replay *r, const struct sa_cfg *cfg, u32 low)
{
	u32 top = (u32)r->top, hi = (u32)(r->top >> 32), bottom = top - cfg->window + 1;

	if (!is_esn(cfg))
		return low;
	if (top >= cfg->window - 1)
		hi += low < bottom;
	else
		hi -= low >= bottom;
	return (u64)hi << 32 | low;
}

static bool bit_is_set(const struct replay *r, const struct sa_cfg *cfg, u64 number)
{
	u32 at = (u32)((number - 1) % cfg->window);

	return r->bitmap[at / 32] & 1U << at % 32;
}

static void bit_put(struct replay *r, const struct sa_cfg *cfg, u64 number, bool on)
{
	u32 at = (u32)((number - 1) % cfg->window);

	if (on)
		r->bitmap[at / 32] |= 1U << at % 32;
	else
		r->bitmap[at / 32] &= ~(1U << at % 32);
}

enum replay_verdict replay_check(const struct replay *r, const struct sa_cfg *cfg, u64 number)
{
	if (!cfg->window)
		return REPLAY_NEW;
	if (number == 0)
		return REPLAY_OLD;
	if (number > r->top)
		/* an extended number from before the first half, made high by its guess */
		return is_esn(cfg) && number - r->top > 1ULL << 32 ? REPLAY_OLD : REPLAY_NEW;
	if (r->top - number >= cfg->window)
		return REPLAY_OLD;
	return bit_is_set(r, cfg, number) ? REPLAY_AGAIN : REPLAY_NEW;
}

void replay_advance(struct replay *r, const struct sa_cfg *cfg, u64 number)
{
	if (!cfg->window)
		return;
	if (number > r->top) {
		u64 gap = number - r->top;

		if (gap >= cfg->window)
			memset(r->bitmap, 0, sizeof(r->bitmap));
		else
			for (u64 n = r->top + 1; n < number; n++)
				bit_put(r, cfg, n, false);
		r->top = number;
	}
	bit_put(r, cfg, number, true);
}

u32 replay_bitmap(const struct replay *r, const struct sa_cfg *cfg)
{
	u32 map = 0;

	for (u32 i = 0; i < 32 && i < cfg->window && i < r->top; i++)
		map |= (u32)bit_is_set(r, cfg, r->top - i) << i;
	return map;
}
