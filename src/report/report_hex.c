/* SPDX-License-Identifier: BSD-2-Clause */
/* A packet's bytes, 16 a row, each run of them marked with the layer it belongs to. */
#include <stdio.h>
#include <string.h>

#include "report/report_impl.h"

enum { ROW = 16, SHOWN = 2048, NONE = -1 };

/* Which layer byte `at` is of, by header, data being all header; NONE: of none. */
static int owner(const json_t *layers, s64 at)
{
	int found = NONE;
	size_t i;
	json_t *l;

	json_array_foreach(layers, i, l)
	{
		bool data = !strcmp(doc_text(l, "kind"), "data");
		s64 from = doc_int(l, "offset"), n = doc_int(l, data ? "size" : "header");

		if (at >= from && at < from + n)
			found = (int)i;
	}
	return found;
}

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

static void ascii(struct html *h, const char *hex, size_t n)
{
	char text[ROW + 1];

	for (size_t i = 0; i < n; i++) {
		int c = nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]);

		text[i] = c >= 0x20 && c < 0x7f ? (char)c : '.';
	}
	text[n] = '\0';
	html_element(h, "span", "asc", "  %*s%s", (int)(3 * (ROW - n)), "", text);
}

/* Bytes from `at` on that are of one layer. */
static size_t run(struct html *h, const json_t *layers, const char *hex, size_t at, size_t end)
{
	char text[3 * ROW + 1], class[32];
	int whose = owner(layers, (s64)at);
	size_t i = at, n = 0;

	for (; i < end && owner(layers, (s64)i) == whose; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%.2s ", hex + 2 * i);
	if (whose == NONE)
		strcpy(class, "h");
	else
		snprintf(class, sizeof(class), "h h%d %s", whose,
			 layer_class(layers, (size_t)whose));
	html_element(h, "span", class, "%s", text);
	return i;
}

void report_hex(struct html *h, const json_t *packet)
{
	const json_t *layers = json_object_get(packet, "layers");
	const char *hex = doc_text(packet, "data");
	size_t total = strlen(hex) / 2, n = min_of(total, (size_t)SHOWN);

	if (!n)
		return;
	html_open(h, "pre", "hex");
	html_attr(h, "tabindex", "0");
	html_attr(h, "role", "region");
	html_attr(h, "aria-label", "Bytes in hexadecimal");
	for (size_t at = 0; at < n; at += ROW) {
		size_t end = min_of(at + ROW, n);

		html_element(h, "span", "off", "%04zx  ", at);
		for (size_t i = at; i < end;)
			i = run(h, layers, hex, i, end);
		ascii(h, hex + 2 * at, end - at);
		html_text(h, "\n");
	}
	html_end(h, "pre");
	if (total > n)
		html_element(h, "p", "muted", "The first %zu of %zu bytes.", n, total);
}
