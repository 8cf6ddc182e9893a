/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of captures: what a pcapng file may do that ordinary tools seldom write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/pcapfile.h"

struct file {
	u8 b[8192];
	u32 n;
	bool big; /* write big-endian from here on */
};

static void u16s(struct file *f, u16 v)
{
	u8 b[2] = {(u8)v, (u8)(v >> 8)};

	f->b[f->n++] = b[f->big];
	f->b[f->n++] = b[!f->big];
}

static void u32s(struct file *f, u32 v)
{
	u16s(f, (u16)(f->big ? v >> 16 : v));
	u16s(f, (u16)(f->big ? v : v >> 16));
}

/* Open a block; block_end() fills in its two lengths. */
static u32 block(struct file *f, u32 type)
{
	u32s(f, type);
	u32s(f, 0);
	return f->n - 8;
}

static void block_end(struct file *f, u32 start)
{
	u32 end = f->n, len = end - start + 4;

	f->n = start + 4;
	u32s(f, len);
	f->n = end;
	u32s(f, len);
}

static void section(struct file *f)
{
	u32 start = block(f, 0x0a0d0d0a);

	u32s(f, 0x1a2b3c4d);
	u16s(f, 1);
	u16s(f, 0);
	u32s(f, 0xffffffff);
	u32s(f, 0xffffffff);
	block_end(f, start);
}

/* Resolution and offset are options; 6 and 0 are left out, being what their absence means. */
static void interface(struct file *f, u16 linktype, u32 snaplen, u8 resolution, u64 offset)
{
	u32 start = block(f, 1);

	u16s(f, linktype);
	u16s(f, 0);
	u32s(f, snaplen);
	if (resolution != 6) {
		u16s(f, 9);
		u16s(f, 1);
		f->b[f->n] = resolution;
		f->n += 4;
	}
	if (offset) {
		u16s(f, 14);
		u16s(f, 8);
		u32s(f, (u32)(f->big ? offset >> 32 : offset));
		u32s(f, (u32)(f->big ? offset : offset >> 32));
	}
	block_end(f, start);
}

static void packet(struct file *f, u32 type, u32 id, u64 ticks, u32 len)
{
	u32 start = block(f, type);

	if (type == 6) {
		u32s(f, id);
	} else {
		u16s(f, (u16)id);
		u16s(f, 99); /* packets dropped */
	}
	u32s(f, (u32)(ticks >> 32));
	u32s(f, (u32)ticks);
	u32s(f, len);
	u32s(f, len + 5);
	memset(f->b + f->n, (int)len, len);
	f->n += (len + 3) & ~3u;
	block_end(f, start);
}

static void other(struct file *f)
{
	u32 start = block(f, 0x0bad);

	u32s(f, 4711);
	block_end(f, start);
}

static struct pcapfile *pf;
static FILE *in;

static void open_file(struct file *f)
{
	struct err e = {0};

	in = fmemopen(f->b, f->n, "rb");
	pf = pcapfile_open(in, &e);
	if (!pf)
		fail_msg("%s", e.text);
}

static struct frame next(void)
{
	struct err e = {0};
	struct frame f = {0};

	if (pcapfile_next(pf, &f, &e) != 1)
		fail_msg("no packet: %s", e.text);
	return f;
}

static void at_end_of_file(void)
{
	struct frame f;
	struct err e = {0};

	assert_int_equal(pcapfile_next(pf, &f, &e), 0);
	assert_int_equal(pcapfile_next(pf, &f, &e), 0);
	assert_int_equal(e.code, 0);
	pcapfile_free(pf);
	fclose(in);
}

/* Interfaces of different link types and limits in one file, old and new packet blocks. */
static void t_interfaces_differ(void **state)
{
	struct file f = {0};
	struct frame p;

	(void)state;
	section(&f);
	interface(&f, LINKTYPE_ETHERNET, 65535, 6, 0);
	other(&f);
	interface(&f, LINKTYPE_RAW, 96, 6, 0);
	packet(&f, 6, 1, 1000000, 7);
	packet(&f, 2, 0, 2000000, 9);
	open_file(&f);
	p = next();
	assert_int_equal(p.number, 1);
	assert_int_equal(p.linktype, LINKTYPE_RAW);
	assert_int_equal(p.caplen, 7);
	assert_int_equal(p.len, 12);
	assert_int_equal(p.data[6], 7);
	assert_int_equal(p.ns, 1000000000);
	p = next();
	assert_int_equal(p.number, 2);
	assert_int_equal(p.linktype, LINKTYPE_ETHERNET);
	assert_int_equal(p.ns, 2000000000);
	at_end_of_file();
}

/* A second section may be of the other byte order, and forgets the interfaces. */
static void t_sections_of_both_orders(void **state)
{
	struct file f = {0};
	struct frame p;
	struct err e = {0};

	(void)state;
	section(&f);
	interface(&f, LINKTYPE_ETHERNET, 0, 6, 0);
	packet(&f, 6, 0, 5, 3);
	f.big = true;
	section(&f);
	interface(&f, LINKTYPE_SLL, 0, 6, 0);
	packet(&f, 6, 0, 6, 4);
	section(&f);
	packet(&f, 6, 0, 7, 5);
	open_file(&f);
	assert_int_equal(next().linktype, LINKTYPE_ETHERNET);
	p = next();
	assert_int_equal(p.linktype, LINKTYPE_SLL);
	assert_int_equal(p.caplen, 4);
	assert_int_equal(p.ns, 6000);
	assert_int_equal(pcapfile_next(pf, &p, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "names interface 0, which no block describes"));
	pcapfile_free(pf);
	fclose(in);
}

/* if_tsresol: powers of ten and of two; if_tsoffset: seconds, negative too. */
static void t_clocks(void **state)
{
	static const struct {
		u8 resolution;
		s64 offset;
		u64 ticks, ns;
	} rows[] = {
		{6, 0, 1700000000123456, 1700000000123456000},
		{9, 0, 1700000000123456789, 1700000000123456789},
		{3, 0, 1700000000123, 1700000000123000000},
		{0, 0, 1700000000, 1700000000000000000},
		{12, 0, 5000000007777, 5000000007},
		{127, 0, 12345, 0},
		{0x80, 0, 17, 17000000000},
		{0x8a, 0, 1024 + 512, 1500000000},
		{0xa0, 0, (3ull << 32) | 0x80000000, 3500000000},
		{0xff, 0, ~0ull, 0},
		{6, 1000, 5, 1000000005000},
		{9, -3, 5000000000, 2000000000},
	};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		for (int big = 0; big < 2; big++) {
			struct file f = {.big = big};

			section(&f);
			interface(&f, LINKTYPE_RAW, 0, rows[i].resolution, (u64)rows[i].offset);
			packet(&f, 6, 0, rows[i].ticks, 1);
			open_file(&f);
			assert_int_equal(next().ns, rows[i].ns);
			at_end_of_file();
		}
	}
}

/* A simple packet is cut at the snapshot length of its interface, the first. */
static void t_simple_packets(void **state)
{
	struct file f = {0};
	struct frame p;
	u32 start;

	(void)state;
	section(&f);
	interface(&f, LINKTYPE_ETHERNET, 6, 6, 0);
	start = block(&f, 3);
	u32s(&f, 1500);
	f.n += 8;
	block_end(&f, start);
	open_file(&f);
	p = next();
	assert_int_equal(p.caplen, 6);
	assert_int_equal(p.len, 1500);
	assert_false(p.has_time);
	at_end_of_file();
}

/* A packet says that it was shorter on the wire than what is captured of it. */
static void t_length_below_captured(void **state)
{
	static const u8 file[] = {0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0,
				  0,	0,    4,    0,	  0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0,
				  0,	2,    0,    0,	  0, 3, 0, 0, 0, 1, 1, 2, 3};
	struct file f = {.n = sizeof(file)};
	struct frame p;

	(void)state;
	memcpy(f.b, file, sizeof(file));
	open_file(&f);
	p = next();
	assert_int_equal(p.caplen, 3);
	assert_int_equal(p.len, 3);
	assert_int_equal(p.ns, 1000002000);
	at_end_of_file();
}

static void t_free_of_nothing(void **state)
{
	(void)state;
	pcapfile_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_interfaces_differ),
		cmocka_unit_test(t_sections_of_both_orders),
		cmocka_unit_test(t_clocks),
		cmocka_unit_test(t_simple_packets),
		cmocka_unit_test(t_length_below_captured),
		cmocka_unit_test(t_free_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
