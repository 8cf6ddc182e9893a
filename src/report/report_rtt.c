/* SPDX-License-Identifier: BSD-2-Clause */
/* Round-trip times: a plot, and the same in numbers. */
#include <stdlib.h>
#include <string.h>

#include "report/report_impl.h"

enum { MOST = 128, LEFT = 56, TOP = 14, WIDTH = 760, HEIGHT = 180, TICKS = 4 };

struct series {
	const char *class, *name;
	size_t n;
	double ms[MOST], sorted[MOST];
};

struct plot {
	struct series s[2];
	double top;  /* ms at the upper edge */
	double step; /* ms between lines */
	size_t n;    /* of the longer one */
};

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The least of 1, 2, 2.5, 5 times a power of ten that is not less. */
static double round_up(double v)
{
	static const double steps[] = {1, 2, 2.5, 5, 10};
	double ten = 1e-6;

	while (ten * 10 < v && ten < 1e9)
		ten *= 10;
	for (size_t i = 0; i < countof(steps); i++)
		if (steps[i] * ten >= v)
			return steps[i] * ten;
	return v;
}

/* The longest run of times of each kind. */
static void collect(struct plot *p, const json_t *doc)
{
	size_t i, k;
	json_t *ping, *v;

	json_array_foreach(json_object_get(doc, "pings"), i, ping)
	{
		struct series *s = &p->s[!doc_bool(ping, "bare")];
		const json_t *ms = json_object_get(ping, "rtt_ms");

		if (json_array_size(ms) <= s->n)
			continue;
		s->n = min_of(json_array_size(ms), (size_t)MOST);
		for (k = 0; k < s->n; k++) {
			v = json_array_get(ms, k);
			s->ms[k] = json_number_value(v);
		}
	}
	for (i = 0; i < 2; i++) {
		memcpy(p->s[i].sorted, p->s[i].ms, sizeof(p->s[i].ms));
		qsort(p->s[i].sorted, p->s[i].n, sizeof(double), by_size);
		if (p->s[i].n > p->n)
			p->n = p->s[i].n;
		if (p->s[i].n && p->s[i].sorted[p->s[i].n - 1] > p->top)
			p->top = p->s[i].sorted[p->s[i].n - 1];
	}
	p->step = round_up(p->top * 1.05 / TICKS);
	p->top = p->step * TICKS;
}

static double x_of(const struct plot *p, size_t i)
{
	return LEFT + 16 + (p->n > 1 ? (double)i * (WIDTH - 32) / (double)(p->n - 1) : WIDTH / 2.0);
}

static double y_of(const struct plot *p, double ms)
{
	return TOP + HEIGHT * (1 - ms / p->top);
}

static void line(struct html *h, const char *class, double y)
{
	html_open(h, "line", class);
	html_attr(h, "x1", "%d", LEFT);
	html_attr(h, "x2", "%d", LEFT + WIDTH);
	html_attr(h, "y1", "%.1f", y);
	html_attr(h, "y2", "%.1f", y);
	html_end(h, "line");
}

static void axis(struct html *h, const struct plot *p)
{
	for (int i = 0; i <= TICKS; i++) {
		double ms = p->step * i;

		line(h, "grid", y_of(p, ms));
		html_open(h, "text", "tick");
		html_attr(h, "x", "%d", LEFT - 8);
		html_attr(h, "y", "%.1f", y_of(p, ms) + 4);
		html_attr(h, "text-anchor", "end");
		html_text(h, "%.3g", ms);
		html_end(h, "text");
	}
	html_open(h, "text", "tick");
	html_attr(h, "x", "%d", LEFT + WIDTH / 2);
	html_attr(h, "y", "%d", TOP + HEIGHT + 24);
	html_attr(h, "text-anchor", "middle");
	html_text(h, "%s", "ping after ping; milliseconds, from 0");
	html_end(h, "text");
}

/* Round marks and square ones: told apart without colour, too. */
static void mark(struct html *h, bool square, double x, double y)
{
	html_begin(h, square ? "rect" : "circle");
	if (square) {
		html_attr(h, "x", "%.1f", x - 4);
		html_attr(h, "y", "%.1f", y - 4);
		html_attr(h, "width", "8");
		html_attr(h, "height", "8");
	} else {
		html_attr(h, "cx", "%.1f", x);
		html_attr(h, "cy", "%.1f", y);
		html_attr(h, "r", "4.5");
	}
}

static void draw(struct html *h, const struct plot *p, size_t k)
{
	const struct series *s = &p->s[k];

	html_open(h, "g", s->class);
	if (s->n > 2)
		line(h, "median", y_of(p, s->sorted[s->n / 2]));
	for (size_t i = 0; i < s->n; i++) {
		mark(h, k == 1, x_of(p, i), y_of(p, s->ms[i]));
		html_element(h, "title", NULL, "%s, ping %zu: %.3f ms", s->name, i + 1, s->ms[i]);
		html_end(h, k == 1 ? "rect" : "circle");
	}
	html_end(h, "g");
}

static void table(struct html *h, const struct plot *p)
{
	static const char *const columns[] = {"", "pings", "least", "median", "most"};

	html_open(h, "table", NULL);
	html_element(h, "caption", NULL, "%s", "Round-trip times in milliseconds");
	html_open(h, "thead", NULL);
	html_open(h, "tr", NULL);
	for (size_t i = 0; i < countof(columns); i++) {
		html_open(h, i ? "th" : "td", NULL);
		if (i)
			html_attr(h, "scope", "col");
		html_text(h, "%s", columns[i]);
		html_end(h, i ? "th" : "td");
	}
	html_end(h, "tr");
	html_end(h, "thead");
	html_open(h, "tbody", NULL);
	for (size_t k = 0; k < countof(p->s); k++) {
		const struct series *s = &p->s[k];

		if (!s->n)
			continue;
		html_open(h, "tr", NULL);
		html_open(h, "th", s->class);
		html_attr(h, "scope", "row");
		html_text(h, "%s %s", k ? "\u25a0" : "\u25cf", s->name);
		html_end(h, "th");
		html_element(h, "td", NULL, "%zu", s->n);
		html_element(h, "td", NULL, "%.3f", s->sorted[0]);
		html_element(h, "td", NULL, "%.3f", s->sorted[s->n / 2]);
		html_element(h, "td", NULL, "%.3f", s->sorted[s->n - 1]);
		html_end(h, "tr");
	}
	html_end(h, "tbody");
	html_end(h, "table");
}

void report_rtt(struct html *h, const json_t *doc)
{
	struct plot p = {.s = {{.class = "bare", .name = "without the tunnel"},
			       {.class = "through", .name = "through the tunnel"}}};

	collect(&p, doc);
	if (!p.n || p.top <= 0)
		return;
	report_section(h, "rtt", "Round-trip times");
	html_open(h, "div", "scroll");
	html_begin(h, "svg");
	html_attr(h, "class", "plot");
	html_attr(h, "viewBox", "0 0 %d %d", LEFT + WIDTH + 10, TOP + HEIGHT + 34);
	html_attr(h, "role", "img");
	html_attr(h, "aria-label", "%s", "Round-trip times; the table below has them in numbers.");
	axis(h, &p);
	for (size_t k = 0; k < countof(p.s); k++)
		draw(h, &p, k);
	html_end(h, "svg");
	html_end(h, "div");
	table(h, &p);
	html_end(h, "section");
}
