/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reader of its own, not libpcap's: that one refuses a pcapng file whose
 * interfaces differ in link type or snapshot length - which is what a capture on
 * a veth pair and a TUN device together is - and says neither the offset nor
 * the packet at which a file is cut.
 *
 * Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng. A struct pcapfile
 * holds one buffer, grown to the largest packet or block yet seen and never
 * beyond BLOCK_MAX, whatever a file says.
 */
#include "lab/pcapfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/cur.h"

enum {
	BLOCK_MAX = 16 << 20,
	INTERFACES_MAX = 256,
	PCAP_HEADER = 24,
	PCAP_RECORD = 16,
	NG_FRAME = 12, /* type, length, and length again at a block's end */
};

#define PCAP_USEC  0xa1b2c3d4u
#define PCAP_NSEC  0xa1b23c4du
#define NG_SECTION 0x0a0d0d0au
#define NG_ORDER   0x1a2b3c4du

enum { NG_INTERFACE = 1, NG_OLD_PACKET = 2, NG_SIMPLE_PACKET = 3, NG_PACKET = 6 };
enum { NG_OPT_END = 0, NG_OPT_TSRESOL = 9, NG_OPT_TSOFFSET = 14 };

struct interface {
	u32 linktype;
	u32 snaplen;   /* 0: no limit */
	u8 resolution; /* ticks are 10^-n s, or with the high bit 2^-n s */
	s64 offset;    /* seconds to add */
};

struct pcapfile {
	FILE *in;
	u64 offset;  /* bytes read */
	u64 packets; /* handed out */
	bool ng, swapped;
	bool nsec;    /* pcap: the second half of the time is nanoseconds */
	u32 linktype; /* pcap */
	u8 *buf;
	u32 room;
	u32 n_interfaces;
	struct interface interfaces[INTERFACES_MAX];
};

static u32 get32(const struct pcapfile *pf, const void *p)
{
	u32 v;

	memcpy(&v, p, 4);
	return pf->swapped ? __builtin_bswap32(v) : v;
}

static u16 get16(const struct pcapfile *pf, const void *p)
{
	u16 v;

	memcpy(&v, p, 2);
	return pf->swapped ? __builtin_bswap16(v) : v;
}

/* "packet 3": what is being read, or would be next, for messages. */
static const char *name_next(const struct pcapfile *pf, char buf[48])
{
	snprintf(buf, 48, "packet %llu", (unsigned long long)pf->packets + 1);
	return buf;
}

/*
 * Read n bytes. 1, or 0 if the file ends before the first of them and at_end is
 * allowed, or an error that names what.
 */
static int get_bytes(struct pcapfile *pf, void *to, u32 n, const char *what, struct err *e)
{
	size_t got = fread(to, 1, n, pf->in);
	u64 start = pf->offset;
	char name[48];

	pf->offset += got;
	if (got == n)
		return 1;
	if (ferror(pf->in))
		return err_set(e, EIO, "reading failed at offset %llu: %s",
			       (unsigned long long)pf->offset, strerror(errno));
	return err_set(e, EBADMSG,
		       "cut short at %s: its %s at offset %llu needs %u bytes, the file has %zu",
		       name_next(pf, name), what, (unsigned long long)start, n, got);
}

/* Whether the file ends here; a byte that is there is put back. */
static bool at_end(struct pcapfile *pf)
{
	int c = getc(pf->in);

	if (c == EOF)
		return !ferror(pf->in);
	ungetc(c, pf->in);
	return false;
}

static int make_room(struct pcapfile *pf, u32 n, struct err *e)
{
	u8 *p;

	if (n <= pf->room)
		return 0;
	p = realloc(pf->buf, n);
	if (!p)
		return err_set(e, ENOMEM, "no memory for a packet of %u bytes", n);
	pf->buf = p;
	pf->room = n;
	return 0;
}

static int refuse_length(const struct pcapfile *pf, u32 n, u64 offset, struct err *e)
{
	char name[48];

	return err_set(e, EBADMSG, "%s at offset %llu says %u bytes, which cannot be",
		       name_next(pf, name), (unsigned long long)offset, n);
}

static int pcap_begin(struct pcapfile *pf, u32 magic, struct err *e)
{
	u8 h[PCAP_HEADER - 4];
	int ret = get_bytes(pf, h, sizeof(h), "file header", e);

	if (ret < 0)
		return ret;
	pf->swapped = magic != PCAP_USEC && magic != PCAP_NSEC;
	if (pf->swapped)
		magic = __builtin_bswap32(magic);
	pf->nsec = magic == PCAP_NSEC;
	if (get16(pf, h) != 2)
		return err_set(e, EBADMSG, "pcap version %u.%u at offset 4 is not 2.x",
			       get16(pf, h), get16(pf, h + 2));
	/* the high bits tell of frame check sequences, which Linux does not capture */
	pf->linktype = get32(pf, h + 16) & 0xffff;
	return 0;
}

static int pcap_next(struct pcapfile *pf, struct frame *f, struct err *e)
{
	u64 start = pf->offset;
	u8 h[PCAP_RECORD];
	u32 n;
	int ret;

	if (at_end(pf))
		return 0;
	ret = get_bytes(pf, h, sizeof(h), "record header", e);
	if (ret < 0)
		return ret;
	n = get32(pf, h + 8);
	if (n > BLOCK_MAX)
		return refuse_length(pf, n, start, e);
	ret = make_room(pf, n, e);
	if (!ret)
		ret = get_bytes(pf, pf->buf, n, "data", e);
	if (ret < 0)
		return ret;
	*f = (struct frame){.data = pf->buf, .caplen = n, .linktype = pf->linktype};
	f->len = max_of(get32(pf, h + 12), n);
	f->ns = get32(pf, h) * 1000000000ull + get32(pf, h + 4) * (pf->nsec ? 1ull : 1000ull);
	f->has_time = true;
	return 1;
}

/* A block's bytes between its two lengths; c->p points into pf->buf. */
struct block {
	u32 type;
	u64 offset; /* where it starts */
	struct cur c;
};

static int malformed(const struct block *b, const char *what, struct err *e)
{
	return err_set(e, EBADMSG, "block of type 0x%x at offset %llu: %s", b->type,
		       (unsigned long long)b->offset, what);
}

/* The rest of a block of len bytes, of whose body `had` bytes are already read. */
static int block_body(struct pcapfile *pf, struct block *b, u32 len, u32 had, struct err *e)
{
	u32 n = len - NG_FRAME - had;
	int ret;

	if (len < NG_FRAME + had || len % 4 || len > BLOCK_MAX)
		return err_set(e, EBADMSG,
			       "block of type 0x%x at offset %llu says %u bytes, which cannot be",
			       b->type, (unsigned long long)b->offset, len);
	ret = make_room(pf, n + 4, e);
	if (!ret)
		ret = get_bytes(pf, pf->buf, n + 4, "block", e);
	if (ret < 0)
		return ret;
	if (get32(pf, pf->buf + n) != len)
		return malformed(b, "its two lengths differ", e);
	b->c = (struct cur){pf->buf, pf->buf + n};
	return 0;
}

/* A section header, its type already read: says the byte order of what follows. */
static int ng_section(struct pcapfile *pf, struct block *b, struct err *e)
{
	u8 h[8];
	u32 order;
	const u8 *version;
	int ret = get_bytes(pf, h, sizeof(h), "section header", e);

	if (ret < 0)
		return ret;
	memcpy(&order, h + 4, 4);
	if (order != NG_ORDER && order != __builtin_bswap32(NG_ORDER))
		return malformed(b, "its byte-order mark is none", e);
	pf->swapped = order != NG_ORDER;
	pf->n_interfaces = 0;
	ret = block_body(pf, b, get32(pf, h), 4, e);
	if (ret < 0)
		return ret;
	version = cur_take(&b->c, 12);
	if (!version)
		return malformed(b, "it is too short", e);
	if (get16(pf, version) != 1)
		return malformed(b, "its version is not 1.x", e);
	return 0;
}

static void ng_option(struct pcapfile *pf, struct interface *i, u16 code, struct cur v)
{
	u32 lo, hi;

	if (code == NG_OPT_TSRESOL && cur_left(&v) >= 1)
		i->resolution = *v.p;
	if (code == NG_OPT_TSOFFSET && cur_left(&v) >= 8) {
		lo = get32(pf, v.p + (pf->swapped ? 4 : 0));
		hi = get32(pf, v.p + (pf->swapped ? 0 : 4));
		i->offset = (s64)((u64)hi << 32 | lo);
	}
}

static int ng_interface(struct pcapfile *pf, struct block *b, struct err *e)
{
	struct interface *i = &pf->interfaces[pf->n_interfaces];
	const u8 *h = cur_take(&b->c, 8), *o, *v;
	u16 len;

	if (pf->n_interfaces == INTERFACES_MAX)
		return malformed(b, "more interfaces than tunl reads (256)", e);
	if (!h)
		return malformed(b, "it is too short", e);
	*i = (struct interface){get16(pf, h), get32(pf, h + 4), 6, 0};
	while ((o = cur_take(&b->c, 4)) && get16(pf, o) != NG_OPT_END) {
		len = get16(pf, o + 2);
		v = cur_take(&b->c, (len + 3u) & ~3u);
		if (!v)
			return malformed(b, "an option is longer than the block", e);
		ng_option(pf, i, get16(pf, o), (struct cur){v, v + len});
	}
	pf->n_interfaces++;
	return 0;
}

/* Ticks of an interface's clock as nanoseconds since 1970. */
static u64 ng_time(const struct interface *i, u64 ticks)
{
	u32 n = i->resolution & 0x7f;
	u64 ns = ticks;

	if (i->resolution & 0x80)
		ns = (u64)((unsigned __int128)ticks * 1000000000 >> n);
	else
		for (; n != 9; n += n < 9 ? 1 : -1)
			ns = n < 9 ? ns * 10 : ns / 10;
	return ns + (u64)i->offset * 1000000000;
}

/* The shared end of the packet blocks: data of caplen bytes at the cursor. */
static int ng_data(struct pcapfile *pf, struct block *b, struct frame *f, struct err *e)
{
	char text[96];

	f->data = cur_take(&b->c, f->caplen);
	if (!f->data) {
		snprintf(text, sizeof(text), "packet %llu says %u bytes, the block holds %u",
			 (unsigned long long)pf->packets + 1, f->caplen, cur_left(&b->c));
		return malformed(b, text, e);
	}
	f->len = max_of(f->len, f->caplen);
	return 1;
}

static int no_interface(struct block *b, u32 id, struct err *e)
{
	char text[64];

	snprintf(text, sizeof(text), "names interface %u, which no block describes", id);
	return malformed(b, text, e);
}

static int ng_packet(struct pcapfile *pf, struct block *b, struct frame *f, struct err *e)
{
	const u8 *h = cur_take(&b->c, 20);
	u32 id;

	if (!h)
		return malformed(b, "it is too short", e);
	id = b->type == NG_PACKET ? get32(pf, h) : get16(pf, h);
	if (id >= pf->n_interfaces)
		return no_interface(b, id, e);
	*f = (struct frame){.caplen = get32(pf, h + 12), .len = get32(pf, h + 16)};
	f->linktype = pf->interfaces[id].linktype;
	f->ns = ng_time(&pf->interfaces[id], (u64)get32(pf, h + 4) << 32 | get32(pf, h + 8));
	f->has_time = true;
	return ng_data(pf, b, f, e);
}

/* No time, no interface (the first), and no captured length but what fits. */
static int ng_simple(struct pcapfile *pf, struct block *b, struct frame *f, struct err *e)
{
	const u8 *h = cur_take(&b->c, 4);
	u32 snaplen;

	if (!h)
		return malformed(b, "it is too short", e);
	if (!pf->n_interfaces)
		return no_interface(b, 0, e);
	snaplen = pf->interfaces[0].snaplen;
	*f = (struct frame){.len = get32(pf, h), .linktype = pf->interfaces[0].linktype};
	f->caplen = snaplen ? min_of(f->len, snaplen) : f->len;
	return ng_data(pf, b, f, e);
}

/* One block: 1 if it was a packet. */
static int ng_block(struct pcapfile *pf, struct frame *f, struct err *e)
{
	struct block b = {.offset = pf->offset};
	u8 h[8];
	int ret = get_bytes(pf, h, 4, "block type", e);

	if (ret < 0)
		return ret;
	b.type = get32(pf, h);
	if (b.type == NG_SECTION)
		return ng_section(pf, &b, e);
	ret = get_bytes(pf, h + 4, 4, "block length", e);
	if (ret > 0)
		ret = block_body(pf, &b, get32(pf, h + 4), 0, e);
	if (ret < 0)
		return ret;
	switch (b.type) {
	case NG_INTERFACE:
		return ng_interface(pf, &b, e);
	case NG_PACKET:
	case NG_OLD_PACKET:
		return ng_packet(pf, &b, f, e);
	case NG_SIMPLE_PACKET:
		return ng_simple(pf, &b, f, e);
	default:
		return 0;
	}
}

static int ng_next(struct pcapfile *pf, struct frame *f, struct err *e)
{
	int ret = 0;

	while (!ret && !at_end(pf))
		ret = ng_block(pf, f, e);
	return ret;
}

/* The first four bytes say which format it is. */
static int begin(struct pcapfile *pf, struct err *e)
{
	struct block b = {.type = NG_SECTION};
	u8 m[4];
	u32 magic;
	int ret;

	if (at_end(pf))
		return err_set(e, EBADMSG, "empty: neither pcap nor pcapng");
	ret = get_bytes(pf, m, sizeof(m), "file header", e);
	if (ret < 0)
		return ret;
	memcpy(&magic, m, 4);
	pf->ng = magic == NG_SECTION;
	if (pf->ng)
		return ng_section(pf, &b, e);
	if (magic == PCAP_USEC || magic == PCAP_NSEC || magic == __builtin_bswap32(PCAP_USEC) ||
	    magic == __builtin_bswap32(PCAP_NSEC))
		return pcap_begin(pf, magic, e);
	return err_set(e, EBADMSG, "neither pcap nor pcapng: it begins with %02x %02x %02x %02x",
		       m[0], m[1], m[2], m[3]);
}

struct pcapfile *pcapfile_open(FILE *in, struct err *e)
{
	struct pcapfile *pf = calloc(1, sizeof(*pf));

	if (!pf) {
		err_set(e, ENOMEM, "no memory");
		return NULL;
	}
	pf->in = in;
	if (begin(pf, e) < 0) {
		pcapfile_free(pf);
		return NULL;
	}
	return pf;
}

int pcapfile_next(struct pcapfile *pf, struct frame *f, struct err *e)
{
	int ret = pf->ng ? ng_next(pf, f, e) : pcap_next(pf, f, e);

	if (ret == 1)
		f->number = ++pf->packets;
	return ret;
}

void pcapfile_free(struct pcapfile *pf)
{
	if (!pf)
		return;
	free(pf->buf);
	free(pf);
}
