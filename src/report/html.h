/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing HTML and SVG. Whatever comes from outside goes through html_attr() and
 * html_text(), which escape all they are given: there is no way to write markup
 * but by the names of elements and attributes, which are constants of ours, and
 * html_raw(), for the style sheet and the script.
 *
 * What is written goes to a FILE; its error flag tells in the end whether it went.
 */
#ifndef TUNL_REPORT_HTML_H
#define TUNL_REPORT_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct html {
	FILE *out;
	bool in_tag; /* a begin tag is open for attributes */
};

/* <tag ... : attributes may follow. */
void html_begin(struct html *h, const char *tag);

/* name="text", the text as printf makes it, escaped. Only behind html_begin(). */
void html_attr(struct html *h, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Text, escaped. Control characters and those that change the direction become U+FFFD. */
void html_text(struct html *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* </tag> */
void html_end(struct html *h, const char *tag);

/* The whole of an element that holds text only; class may be NULL. */
void html_element(struct html *h, const char *tag, const char *class, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* An element with a class, left open; class may be NULL. */
void html_open(struct html *h, const char *tag, const char *class);

/* An element without content (HTML's void elements: meta, link, br). */
void html_void(struct html *h);

/* Our own bytes as they are. */
void html_raw(struct html *h, const char *bytes, size_t n);

#endif
