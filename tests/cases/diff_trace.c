/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What came out of a batch, free fields made equal (the outer id; ids, flow labels
 * of ICMP errors), in an order of its own: that of the packets is not the same.
 */
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum { TAG_FIRST = 0xa5, TAG_LAST = 0x5a };

static u16 find_tag(const u8 *d, u32 len)
{
	for (u32 i = 0; i + 4 <= len; i++)
		if (d[i] == TAG_FIRST && d[i + 3] == TAG_LAST)
			return (u16)(d[i + 1] << 8 | d[i + 2]);
	return 0;
}

/* The outermost id is the kernel's to choose; that the checksum is right is looked at first. */
static void free_fields(enum case_way way, u8 *d, u32 len)
{
	u32 ihl = (d[0] & 15) * 4U;

	if (way == CASE_TUN)
		return;
	if (d[0] >> 4 == 6) {
		d[1] &= 0xf0;
		d[2] = d[3] = 0;
		return;
	}
	if (len < IP4_HLEN || len < ihl || !csum_ok(csum_add(0, d, ihl)))
		return;
	memset(d + 4, 0, 2);
	memset(d + 10, 0, 2);
}

static u64 hash(const u8 *d, u32 len)
{
	u64 h = 0xcbf29ce484222325ULL;

	for (u32 i = 0; i < len; i++)
		h = (h ^ d[i]) * 0x100000001b3ULL;
	return h;
}

static int by_value(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct diff_out));
}

void diff_take(struct run *r, struct diff_result *d)
{
	d->n = 0;
	for (u32 i = 0; i < r->nout; i++) {
		const struct output *o = &r->out[i];
		struct diff_out *x = &d->out[d->n];

		if (o->way > CASE_ICMP)
			continue;
		memset(x, 0, sizeof(*x));
		free_fields(o->way, o->data, o->len);
		x->way = (u8)o->way;
		x->tunnel = (u8)o->tunnel;
		x->len = o->len;
		x->tag = find_tag(o->data, o->len);
		x->hash = hash(o->data, o->len);
		memcpy(x->head, o->data, min_of(o->len, (u32)sizeof(x->head)));
		d->n++;
	}
	qsort(d->out, d->n, sizeof(d->out[0]), by_value);
}

bool diff_equal(const struct diff_result *a, const struct diff_result *b)
{
	for (u32 i = 0; i < DIFF_TUNNELS; i++) {
		const struct counts *x = &a->counts[i], *y = &b->counts[i];

		if (memcmp(x->link, y->link, sizeof(x->link)) ||
		    x->st.rx_packets != y->st.rx_packets || x->st.rx_bytes != y->st.rx_bytes ||
		    x->st.tx_packets != y->st.tx_packets || x->st.tx_bytes != y->st.tx_bytes ||
		    x->st.multicast != y->st.multicast)
			return false;
	}
	return a->n == b->n && !memcmp(a->out, b->out, a->n * sizeof(a->out[0]));
}

static void print_hex(const u8 *d, u32 len)
{
	for (u32 i = 0; i < len; i++)
		printf("%02x", d[i]);
	printf("\n");
}

static void print_input(u16 tag, const struct diff_input *in, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (in[i].tag == tag) {
			printf("#     from %s %u bytes, type %04x: ",
			       in[i].is_tx ? "tun <" : "wire <", in[i].len, in[i].ethertype);
			print_hex(in[i].data, min_of(in[i].len, 120U));
			return;
		}
}

static void print_out(const char *who, const struct diff_out *o, const struct diff_input *in, u32 n)
{
	static const char *const way[] = {"wire", "tun", "icmp"};

	printf("#   %s alone: %s %u > %u bytes, tag %u: ", who, way[o->way], o->tunnel, o->len,
	       o->tag);
	print_hex(o->head, min_of(o->len, (u32)sizeof(o->head)));
	print_input(o->tag, in, n);
}

static void print_counts(u32 i, const struct counts *a, const struct counts *b)
{
	static const char *const word[COUNTS_LINK] = {
		"rx_errors",	    "rx_crc_errors",  "rx_fifo_errors", "rx_frame_errors",
		"rx_length_errors", "rx_dropped",     "tx_errors",	"tx_carrier_errors",
		"collisions",	    "tx_fifo_errors", "tx_dropped",	"tx_aborted_errors",
	};
	const u64 *x = &a->st.rx_packets, *y = &b->st.rx_packets;

	for (u32 k = 0; k < COUNTS_LINK; k++)
		if (a->link[k] != b->link[k])
			printf("#   tunnel %u %s: drivers %llu, ours %llu\n", i, word[k],
			       (unsigned long long)a->link[k], (unsigned long long)b->link[k]);
	for (u32 k = 0; k < 5; k++)
		if (x[k] != y[k])
			printf("#   tunnel %u amount %u: drivers %llu, ours %llu\n", i, k,
			       (unsigned long long)x[k], (unsigned long long)y[k]);
}

/* Both are in order: what one has and the other not. */
void diff_print(const struct diff_result *drivers, const struct diff_result *ours,
		const struct diff_input *in, u32 n)
{
	u32 i = 0, k = 0;

	for (u32 t = 0; t < DIFF_TUNNELS; t++)
		print_counts(t, &drivers->counts[t], &ours->counts[t]);
	for (u32 lines = 0; (i < drivers->n || k < ours->n) && lines < 4;) {
		int c = i == drivers->n ? 1
			: k == ours->n	? -1
					: by_value(&drivers->out[i], &ours->out[k]);

		if (c < 0)
			print_out("drivers", &drivers->out[i++], in, n);
		else if (c > 0)
			print_out("ours", &ours->out[k++], in, n);
		else
			i++, k++;
		lines += c != 0;
	}
}

void diff_print_errors(const struct diff_input *in, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (!in[i].is_tx && in[i].len > 9 && in[i].data[9] == PROTO_ICMP) {
			printf("#   before it, wire <: ");
			print_hex(in[i].data, min_of(in[i].len, 120U));
		}
}

int diff_write(FILE *f, const struct diff_result *d)
{
	return fwrite(d->counts, sizeof(d->counts), 1, f) == 1 && fwrite(&d->n, 4, 1, f) == 1 &&
			       fwrite(d->out, sizeof(d->out[0]), d->n, f) == d->n
		       ? 0
		       : -1;
}

int diff_read(FILE *f, struct diff_result *d)
{
	return fread(d->counts, sizeof(d->counts), 1, f) == 1 && fread(&d->n, 4, 1, f) == 1 &&
			       d->n <= RUN_OUTPUTS &&
			       fread(d->out, sizeof(d->out[0]), d->n, f) == d->n
		       ? 0
		       : -1;
}
