/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/frag.h"

#include <string.h>

enum { OPT_END = 0, OPT_NOP = 1, OPT_COPIED = 0x80 };

/* The options that every fragment carries; returns their length, a multiple of 4. */
static u32 copy_options(u8 *to, const u8 *opt, u32 len)
{
	u32 n = 0;

	for (u32 i = 0, step; i < len && opt[i] != OPT_END; i += step) {
		step = opt[i] == OPT_NOP ? 1 : i + 1 < len ? opt[i + 1] : 0;
		if (step == 0 || (step == 1 && opt[i] != OPT_NOP) || step > len - i)
			break;
		if (opt[i] & OPT_COPIED) {
			memcpy(to + n, opt + i, step);
			n += step;
		}
	}
	while (n % 4)
		to[n++] = OPT_END;
	return n;
}

bool frag_init(struct frag *f, const u8 *head, const u8 *payload, u32 len, u32 mtu)
{
	u32 hlen = ip4_hlen((const struct ip4 *)head);

	if (hlen < IP4_HLEN || mtu < hlen + 8)
		return false;
	f->payload = payload;
	f->len = len;
	f->done = 0;
	f->begun = false;
	f->mtu = mtu;
	f->base = be16_host(((const struct ip4 *)head)->frag);
	f->hlen = hlen;
	memcpy(f->head, head, hlen);
	memcpy(f->next_head, head, IP4_HLEN);
	f->next_hlen =
		IP4_HLEN + copy_options(f->next_head + IP4_HLEN, head + IP4_HLEN, hlen - IP4_HLEN);
	return true;
}

static void finish(struct ip4 *h, u32 hlen, u32 len, u16 frag)
{
	h->ver_ihl = (u8)(0x40 | hlen / 4);
	h->len = be16_of((u16)(hlen + len));
	h->frag = be16_of(frag);
	h->check.raw = 0;
	h->check = csum_finish(csum_add(0, h, hlen));
}

u32 frag_next(struct frag *f, u8 *head, const u8 **body, u32 *body_len)
{
	u32 hlen = f->done ? f->next_hlen : f->hlen;
	u32 len = f->len - f->done;
	u16 flags = f->base & (IP4_RF | IP4_DF | IP4_MF);
	u32 offset = (f->base & IP4_OFFSET) + f->done / 8;

	if (f->begun && !len)
		return 0;
	if (len > f->mtu - hlen) {
		len = (f->mtu - hlen) & ~7U;
		flags |= IP4_MF;
	}
	memcpy(head, f->done ? f->next_head : f->head, hlen);
	finish((struct ip4 *)head, hlen, len, (u16)(flags | (offset & IP4_OFFSET)));
	*body = f->payload + f->done;
	*body_len = len;
	f->done += len;
	f->begun = true;
	return hlen;
}
