/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that built and showed it, the routes in the end, and the lab's file. */
#include <string.h>

#include "report/report_impl.h"

enum { SHOWN_LINES = 9 }; /* more is folded */

static void output(struct html *h, const char *text)
{
	size_t n = strlen(text), lines = 1;

	while (n && text[n - 1] == '\n')
		n--;
	if (!n)
		return;
	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	if (lines > SHOWN_LINES) {
		html_open(h, "details", "more");
		html_element(h, "summary", NULL, "%zu lines", lines);
	}
	html_open(h, "pre", "out");
	html_attr(h, "tabindex", "0");
	html_text(h, "%.*s", (int)n, text);
	html_end(h, "pre");
	if (lines > SHOWN_LINES)
		html_end(h, "details");
}

static void command(struct html *h, const json_t *step)
{
	html_open(h, "li", NULL);
	html_element(h, "code", "cmd", "%s", doc_text(step, "command"));
	if (doc_int(step, "status"))
		html_element(h, "span", "status", " exit status %lld",
			     (long long)doc_int(step, "status"));
	output(h, doc_text(step, "output"));
	html_end(h, "li");
}

static void steps(struct html *h, const json_t *doc)
{
	const char *heading = NULL;
	size_t i;
	json_t *s;

	json_array_foreach(json_object_get(doc, "steps"), i, s)
	{
		const char *now = doc_text(s, "heading");

		if (!heading || strcmp(heading, now) != 0) {
			if (heading)
				html_end(h, "ol");
			html_element(h, "h3", NULL, "%s", now);
			html_open(h, "ol", "cmds");
			heading = now;
		}
		command(h, s);
	}
	if (heading)
		html_end(h, "ol");
}

static void routes(struct html *h, const json_t *doc)
{
	const json_t *all = json_object_get(doc, "routes");
	const char *net = NULL;
	size_t i;
	json_t *r;

	if (!json_array_size(all))
		return;
	html_end(h, "section");
	report_section(h, "routes", "Addresses and routes in the end");
	html_open(h, "div", "cards");
	json_array_foreach(all, i, r)
	{
		if (!net || strcmp(net, doc_text(r, "net")) != 0) {
			if (net)
				html_end(h, "div");
			html_open(h, "div", "card");
			net = doc_text(r, "net");
			html_element(h, "h3", NULL, "%s", net);
		}
		html_element(h, "p", "muted", "ip %s", doc_text(r, "command"));
		output(h, doc_text(r, "text"));
	}
	html_end(h, "div");
	html_end(h, "div");
}

void report_commands(struct html *h, const json_t *doc)
{
	if (!json_array_size(json_object_get(doc, "steps")))
		return;
	report_section(h, "commands", "The commands that built it");
	steps(h, doc);
	routes(h, doc);
	if (doc_text(doc, "source")[0]) {
		html_open(h, "details", "source");
		html_element(h, "summary", NULL, "The lab's file, to copy and change");
		output(h, doc_text(doc, "source"));
		html_end(h, "details");
	}
	html_end(h, "section");
}
