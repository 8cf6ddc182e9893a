/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_topo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/lab_file.h"

static const char id_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789";

void lab_topo_free(struct lab_topo *t)
{
	struct lab_string *next;

	if (!t)
		return;
	for (struct lab_string *s = t->strings; s; s = next) {
		next = s->next;
		free(s);
	}
	free(t);
}

int lab_topo_net(const struct lab_topo *t, const char *role, size_t len)
{
	for (int i = 0; i < t->n_nets; i++)
		if (strlen(t->nets[i].role) == len && !memcmp(t->nets[i].role, role, len))
			return i;
	return -1;
}

const struct lab_step *lab_topo_tunnel_ping(const struct lab_topo *t)
{
	for (int i = 0; i < t->n_steps; i++) {
		const struct lab_step *s = &t->steps[i];

		if (s->act == LAB_PING && !s->bare && !s->fails)
			return s;
	}
	return NULL;
}

const struct lab_step *lab_topo_capture(const struct lab_topo *t)
{
	for (int i = 0; i < t->n_steps; i++)
		if (t->steps[i].act == LAB_CAPTURE)
			return &t->steps[i];
	return NULL;
}

const struct lab_dev *lab_topo_next_tunnel(const struct lab_topo *t, int *i)
{
	for (; *i < t->n_devs; (*i)++)
		if (t->devs[*i].tunnel)
			return &t->devs[*i];
	return NULL;
}

bool lab_id_is_valid(const char *id)
{
	size_t n = strlen(id);

	return n >= 1 && n <= LAB_ID_MAX && strspn(id, id_chars) == n;
}

char *lab_ns_name(char *buf, size_t len, const char *id, const char *role)
{
	snprintf(buf, len, "tunl-%s-%s", id, role);
	return buf;
}

/* Bytes of the UTF-8 character at s. */
static size_t glyph_len(const char *s)
{
	size_t n = *s != '\0';

	while (((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

struct sink {
	char *p, *end;
	bool full;
};

static void sink_put(struct sink *s, const char *text, size_t n)
{
	if (n >= (size_t)(s->end - s->p)) {
		s->full = true;
		return;
	}
	memcpy(s->p, text, n);
	s->p += n;
	*s->p = '\0';
}

/* Fill up a name of n columns to `width`, with the character at pad. */
static void fill_pad(struct sink *s, size_t n, size_t width, const char *pad)
{
	if (n < width)
		sink_put(s, " ", 1);
	for (n++; n < width; n++)
		sink_put(s, pad, glyph_len(pad));
}

/* "{a}" or "{a:15-}" at text: the name of the namespace. Returns what follows; NULL: no such. */
static const char *fill_ns(struct sink *s, const char *text, const struct lab_vars *v)
{
	size_t len = strspn(text + 1, id_chars), n;
	const char *after = text + 1 + len;
	char role[LAB_ROLE_MAX + 1], name[32], *pad = NULL;
	unsigned long width = 0;

	if (!len || len > LAB_ROLE_MAX || (v->topo && lab_topo_net(v->topo, text + 1, len) < 0))
		return NULL;
	if (*after == ':') {
		width = strtoul(after + 1, &pad, 10);
		after = pad + glyph_len(pad);
	}
	if (*after != '}' || width > LAB_TEXT)
		return NULL;
	snprintf(role, sizeof(role), "%.*s", (int)len, text + 1);
	n = strlen(lab_ns_name(name, sizeof(name), v->id, role));
	sink_put(s, name, n);
	if (pad)
		fill_pad(s, n, width, pad);
	return after + 1;
}

static const char *fill_datapath(struct sink *s, const char *text, const struct lab_vars *v)
{
	static const char word[] = "{datapath}";
	char buf[32];

	if (strncmp(text, word, strlen(word)) != 0)
		return NULL;
	if (v->datapath) {
		snprintf(buf, sizeof(buf), "datapath %s", v->datapath);
		sink_put(s, buf, strlen(buf));
	}
	return text + strlen(word);
}

bool lab_text_fill(char *buf, size_t len, const char *text, const struct lab_vars *v)
{
	struct sink s = {.p = buf, .end = buf + len};
	const char *after;

	*buf = '\0';
	while (*text) {
		after = *text == '{' ? fill_datapath(&s, text, v) : NULL;
		if (!after && *text == '{')
			after = fill_ns(&s, text, v);
		if (!after) {
			sink_put(&s, text, 1);
			after = text + 1;
		}
		text = after;
	}
	return !s.full;
}

bool lab_words_make(struct lab_words *w, const char *text, const struct lab_vars *v)
{
	char *save = NULL;

	w->n = 0;
	if (!lab_text_fill(w->buf, sizeof(w->buf), text, v))
		return false;
	for (char *s = strtok_r(w->buf, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
		if (w->n == LAB_WORDS)
			return false;
		w->v[w->n++] = s;
	}
	w->v[w->n] = NULL;
	return w->n > 0;
}
