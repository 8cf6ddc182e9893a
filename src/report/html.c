/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/html.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void close_tag(struct html *h)
{
	if (h->in_tag)
		fputc('>', h->out);
	h->in_tag = false;
}

void html_begin(struct html *h, const char *tag)
{
	close_tag(h);
	fprintf(h->out, "<%s", tag);
	h->in_tag = true;
}

void html_end(struct html *h, const char *tag)
{
	close_tag(h);
	fprintf(h->out, "</%s>", tag);
}

void html_void(struct html *h)
{
	close_tag(h);
}

void html_open(struct html *h, const char *tag, const char *class)
{
	html_begin(h, tag);
	if (class)
		html_attr(h, "class", "%s", class);
}

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	}
	return NULL;
}

/* Bytes of a UTF-8 sequence by its first byte; 0: no such (or a byte in the middle of one). */
static size_t sequence_len(unsigned char c)
{
	return c < 0x80		       ? 1
	       : c >= 0xc2 && c < 0xe0 ? 2
	       : (c & 0xf0) == 0xe0    ? 3
	       : c >= 0xf0 && c < 0xf5 ? 4
				       : 0;
}

/*
 * U+0080 to U+009F, and what turns the direction of text about (U+200E, U+200F,
 * U+202A to U+202E, U+2066 to U+2069), by which one text can be made to look like another.
 */
static bool misleads(const unsigned char *s, size_t n)
{
	if (n == 2)
		return s[0] == 0xc2 && s[1] < 0xa0;
	if (n != 3 || s[0] != 0xe2)
		return false;
	return (s[1] == 0x80 && (s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xaa && s[2] <= 0xae))) ||
	       (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);
}

/* The character at s into out; the bytes it took. */
static size_t put_char(FILE *out, const unsigned char *s)
{
	size_t n = sequence_len(s[0]);
	const char *e = entity((char)s[0]);

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			n = 0;
	if (e)
		fputs(e, out);
	else if (!n || misleads(s, n) || (s[0] < 0x20 && s[0] != '\n' && s[0] != '\t') ||
		 s[0] == 0x7f)
		fputs("\xef\xbf\xbd", out);
	else
		fwrite(s, 1, n, out);
	return n ? n : 1;
}

static void put_escaped(FILE *out, const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		return;
	for (const unsigned char *s = (const unsigned char *)text; *s;)
		s += put_char(out, s);
	free(text);
}

void html_attr(struct html *h, const char *name, const char *fmt, ...)
{
	va_list ap;

	fprintf(h->out, " %s=\"", name);
	va_start(ap, fmt);
	put_escaped(h->out, fmt, ap);
	va_end(ap);
	fputc('"', h->out);
}

void html_text(struct html *h, const char *fmt, ...)
{
	va_list ap;

	close_tag(h);
	va_start(ap, fmt);
	put_escaped(h->out, fmt, ap);
	va_end(ap);
}

void html_element(struct html *h, const char *tag, const char *class, const char *fmt, ...)
{
	va_list ap;

	html_open(h, tag, class);
	close_tag(h);
	va_start(ap, fmt);
	put_escaped(h->out, fmt, ap);
	va_end(ap);
	html_end(h, tag);
}

void html_raw(struct html *h, const char *bytes, size_t n)
{
	close_tag(h);
	fwrite(bytes, 1, n, h->out);
}
