/* SPDX-License-Identifier: BSD-2-Clause */
/* A dissection as text for people: one summary line, the layers, the sum of sizes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lab/explain.h"

enum { COLUMNS = 100, INDENT = 19, SHOWN_BYTES = 16 };

/* Words that are wrapped at COLUMNS, later lines starting at indent. */
struct para {
	FILE *out;
	int column, indent;
	bool colour, begun;
};

#define DIM    "\033[2m"
#define BOLD   "\033[1m"
#define RED    "\033[1;31m"
#define YELLOW "\033[33m"
#define NORMAL "\033[0m"

bool explain_wants_colour(FILE *out)
{
	const char *no = getenv("NO_COLOR");

	return isatty(fileno(out)) && !(no && *no);
}

static void para_new(struct para *p)
{
	fprintf(p->out, "\n%*s", p->indent, "");
	p->column = p->indent;
}

/* One item, after a comma unless it is the line's first. */
static void para_add(struct para *p, const char *style, const char *text)
{
	int n = (int)strlen(text) + 2;

	if (!p->begun) {
		fputs("  ", p->out);
		p->column += 2;
	} else {
		fputc(',', p->out);
		if (p->column + n > COLUMNS)
			para_new(p);
		else
			fputc(' ', p->out);
	}
	p->begun = true;
	fprintf(p->out, "%s%s%s", p->colour ? style : "", text, p->colour && *style ? NORMAL : "");
	p->column += n;
}

/* Notes and errors have a line of their own. */
static void para_remark(struct para *p, const char *style, const char *mark, const char *text)
{
	para_new(p);
	fprintf(p->out, "%s%s%s%s", p->colour ? style : "", mark, text, p->colour ? NORMAL : "");
}

static void say_checksum(struct para *p, const struct layer *l)
{
	char text[96];

	switch (l->csum) {
	case CSUM_ABSENT:
		return;
	case CSUM_GOOD:
		snprintf(text, sizeof(text), "checksum 0x%04x correct", l->csum_found);
		break;
	case CSUM_BAD:
		snprintf(text, sizeof(text), "checksum 0x%04x WRONG (0x%04x would be right)",
			 l->csum_found, l->csum_want);
		break;
	case CSUM_ZERO:
		snprintf(text, sizeof(text), "checksum 0 (none was computed)");
		break;
	case CSUM_PARTIAL:
		snprintf(text, sizeof(text), "checksum 0x%04x left to the network card",
			 l->csum_found);
		break;
	case CSUM_UNCHECKED:
		snprintf(text, sizeof(text), "checksum 0x%04x not checked", l->csum_found);
		break;
	}
	para_add(p, l->csum == CSUM_BAD ? RED : "", text);
}

/* "10.0.0.1 > 10.0.0.2", of any layer that has both ends; false if this one has not. */
static bool say_ends(struct para *p, const struct dissection *d, const struct layer *l)
{
	const struct field *from = dissect_field(d, l, "source");
	const struct field *to = dissect_field(d, l, "destination");
	char text[160];

	if (!from || !to)
		return false;
	snprintf(text, sizeof(text), "%s > %s", from->value, to->value);
	para_add(p, "", text);
	return true;
}

static void say_fields(struct para *p, const struct dissection *d, const struct layer *l)
{
	bool ends = say_ends(p, d, l);
	char text[128];

	for (u16 i = 0; i < l->n_fields; i++) {
		const struct field *fd = &d->fields[l->first_field + i];

		if (ends && (!strcmp(fd->name, "source") || !strcmp(fd->name, "destination")))
			continue;
		snprintf(text, sizeof(text), "%s %s", fd->name, fd->value);
		para_add(p, "", text);
	}
	say_checksum(p, l);
}

/* The first bytes of data, as far as they are here. */
static void say_bytes(struct para *p, const struct frame *f, const struct layer *l)
{
	char text[3 * SHOWN_BYTES + 8] = "";
	u32 here = l->offset < f->caplen ? f->caplen - l->offset : 0;
	u32 n = min_of(here, l->size), shown = min_of(n, (u32)SHOWN_BYTES);

	for (u32 i = 0; i < shown; i++)
		snprintf(text + 3 * i, sizeof(text) - 3 * i, "%02x ", f->data[l->offset + i]);
	if (!shown)
		return;
	strcpy(text + 3 * shown, n > shown ? "..." : "");
	if (n <= shown)
		text[3 * shown - 1] = 0;
	para_add(p, DIM, text);
}

static void say_layer(FILE *out, const struct frame *f, const struct dissection *d, int index,
		      bool colour)
{
	const struct layer *l = &d->layers[index];
	struct para p = {.out = out, .colour = colour, .indent = INDENT + 2 * index};
	int n;

	n = fprintf(out, "\n  %6u  %5u", l->offset, l->kind == LAYER_DATA ? l->size : l->hlen) - 1;
	n += fprintf(out, "  %*s", 2 * index, "");
	if (colour)
		fputs(BOLD, out);
	n += fprintf(out, "%s%s", l->quoted ? "quoted " : "", l->name);
	if (colour)
		fputs(NORMAL, out);
	p.column = n;
	if (l->kind == LAYER_DATA)
		say_bytes(&p, f, l);
	say_fields(&p, d, l);
	for (u16 i = 0; i < l->n_notes; i++)
		para_remark(&p, YELLOW, "note: ", l->notes[i]);
	if (l->error[0])
		para_remark(&p, RED, "malformed: ", l->error);
}

static void say_summary(FILE *out, const struct frame *f, bool colour)
{
	time_t sec = (time_t)(f->ns / 1000000000);
	char when[32];
	struct tm tm;

	fputs(colour ? BOLD : "", out);
	if (f->number)
		fprintf(out, "packet %llu  ", (unsigned long long)f->number);
	if (f->has_time && gmtime_r(&sec, &tm) && strftime(when, sizeof(when), "%F %T", &tm))
		fprintf(out, "%s.%06u UTC  ", when, (unsigned)(f->ns % 1000000000 / 1000));
	fprintf(out, "%u bytes", f->len);
	if (f->caplen < f->len)
		fprintf(out, ", %u of them captured", f->caplen);
	fprintf(out, "%s\n  offset   size", colour ? NORMAL : "");
}

static void say_sum(FILE *out, const struct dissection *d, bool colour)
{
	const struct layer *last = &d->layers[d->n_layers - 1];
	struct size_sum s;
	char text[1024];

	if (!size_sum(&s, d) || s.n < 2)
		return;
	fprintf(out, "\n  %s%s%s\n", colour ? BOLD : "", size_sum_text(&s, text, sizeof(text)),
		colour ? NORMAL : "");
	if (s.upper_hlen && s.parts[0].bytes > s.upper_hlen)
		fprintf(out, "  The %u of %s are %u of header and %u of %s.\n", s.parts[0].bytes,
			s.parts[0].name, s.upper_hlen, s.parts[0].bytes - s.upper_hlen,
			last->kind == LAYER_DATA ? "data" : "what it carries");
	if (s.frame > s.total)
		fprintf(out, "  The frame is %u bytes: %u before the IP packet%s", s.frame,
			s.link_hlen, s.frame > s.total + s.link_hlen ? "" : ".\n");
	if (s.frame > s.total + s.link_hlen)
		fprintf(out, ", %u behind it.\n", s.frame - s.total - s.link_hlen);
}

void explain_text(FILE *out, const struct frame *f, const struct dissection *d, bool colour)
{
	say_summary(out, f, colour);
	for (int i = 0; i < d->n_layers; i++)
		say_layer(out, f, d, i, colour);
	fputc('\n', out);
	say_sum(out, d, colour);
}

int explain_frame(FILE *out, const struct frame *f, const struct explain_opts *o)
{
	static struct dissection d; /* 40 KB, too much for a stack; one thread prints */
	int ret = dissect_frame(&d, f, o ? o->ports : NULL);

	explain_text(out, f, &d, o && o->colour);
	return ret;
}
