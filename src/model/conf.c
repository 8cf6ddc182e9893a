/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading: the text is cut into words, each with its place; the words of a line, or up
 * to the end of a block, are one tunnel. Those about the device are taken out by their
 * table (conf_words.c), the rest is the grammar's.
 */
#include "model/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/conf_impl.h"
#include "model/grammar.h"
#include "model/modes.h"
#include "model/options.h"
#include "model/rules.h"

struct reader {
	struct conf *c;
	const struct conf_source *src;
	char *text, *p, *end; /* our copy, where we are in it */
	u32 line;
	char *line_start;
	struct conf_token *token; /* of the tunnel at hand */
	u32 n, room;
};

static void tell(struct conf *c, const struct conf_source *src, const struct conf_token *at,
		 const char *text)
{
	struct conf_where w = {src->file, at->line, at->column};

	if (++c->errors <= CONF_ERROR_MAX && src->fn)
		src->fn(src->ctx, &w, text);
}

static void complain(struct reader *r, const struct conf_token *at, const char *text)
{
	tell(r->c, r->src, at, text);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Blanks and a comment. */
static void skip(struct reader *r)
{
	while (r->p < r->end && is_blank(*r->p))
		r->p++;
	if (r->p < r->end && *r->p == '#')
		while (r->p < r->end && *r->p != '\n')
			r->p++;
}

static void newline(struct reader *r)
{
	*r->p++ = '\0'; /* ends the word before it */
	r->line++;
	r->line_start = r->p;
}

/* Cut out the next word of this line. False: there is none. */
static bool cut(struct reader *r, struct conf_token *t)
{
	skip(r);
	if (r->p == r->end || *r->p == '\n')
		return false;
	*t = (struct conf_token){r->p, r->line, (u32)(r->p - r->line_start) + 1, *r->p == '\\'};
	t->text += t->literal;
	while (r->p < r->end && !is_blank(*r->p) && *r->p != '\n')
		r->p++;
	if (r->p < r->end && is_blank(*r->p))
		*r->p++ = '\0';
	return true;
}

/* A word ends in a NUL once the line break behind it is passed. 0 or -ENOMEM. */
static int keep(struct reader *r, const struct conf_token *t)
{
	if (r->n == r->room) {
		u32 room = r->room ? r->room * 2 : 64;
		void *more = realloc(r->token, room * sizeof(*r->token));

		if (!more)
			return -ENOMEM;
		r->token = more;
		r->room = room;
	}
	r->token[r->n++] = *t;
	return 0;
}

static bool is_word(const struct reader *r, const struct conf_token *t, char c)
{
	char *end = t->text + 1;

	return !t->literal && t->text[0] == c && (end == r->end || !*end || *end == '\n');
}

/*
 * The words of the next tunnel into r->token. 1: there are some; 0: the text ends; -EINVAL:
 * what is there makes no sense, and was told; -ENOMEM.
 */
static int gather(struct reader *r)
{
	struct conf_token t, open = {0};
	int rc = 0;

	r->n = 0;
	for (;;) {
		if (!cut(r, &t)) {
			bool over = r->p == r->end;

			if (!over)
				newline(r);
			if (over || (r->n && !open.line))
				break;
			continue;
		}
		if (is_word(r, &t, '{') && !open.line && r->n) {
			open = t;
		} else if (is_word(r, &t, '}') && open.line) {
			open.line = 0;
			if (r->p < r->end && *r->p == '\n')
				newline(r);
			break;
		} else if (is_word(r, &t, '{') || is_word(r, &t, '}')) {
			complain(r, &t, "a brace without its counterpart, or without a tunnel");
			rc = -EINVAL;
		} else if (keep(r, &t)) {
			return -ENOMEM;
		}
	}
	if (open.line) {
		complain(r, &open, "this block is not closed");
		return -EINVAL;
	}
	return rc ? rc : r->n > 0;
}

/* One option of the tunnel language at w->at, or its name. 0 or -errno, w->at at what is wrong. */
static int take_option(struct conf_words *w, struct reading *rd)
{
	const char *word = w->token[w->at].text;
	const struct tunnel_option *o = option_find(word, DIALECT_TEXT);
	const char *arg = w->at + 1 < w->n ? w->token[w->at + 1].text : NULL;
	int rc;

	if (o && o->metavar && !arg)
		return err_set(w->e, EINVAL, "something has to follow \"%s\"", word);
	if (!o && (rd->cfg->name[0] || w->at))
		return err_set(w->e, EINVAL, "\"%s\" is no word that is known here", word);
	rc = o ? o->read(rd, word, o->metavar ? arg : NULL) : reading_name(rd, word);
	if (rc) {
		w->at += o && o->metavar;
		return rc;
	}
	w->at += o && o->metavar ? 2 : 1;
	return 0;
}

/* What must be so of the whole. */
static int judge(struct conf_tunnel *t, struct err *e)
{
	struct tunnel_cfg probe;
	int rc;

	if (!t->cfg.name[0] || strchr(t->cfg.name, '%'))
		return err_set(e, EINVAL, "a tunnel of a configuration needs a name of its own");
	rc = grammar_settle(&t->cfg, e);
	if (rc)
		return rc;
	if (t->host && t->cfg.peers.n)
		return err_set(e, EINVAL, "peers are of tunnels without remote");
	if (t->routers && t->cfg.mode != MODE_ISATAP && !mode_info(t->cfg.mode)->has_6rd)
		return err_set(e, EINVAL, "only isatap has routers (prl-default)");
	probe = t->cfg;
	return rules_accept(&probe, e);
}

static int take_words(struct conf_words *w, struct conf_tunnel *t)
{
	static const struct grammar g = {.dialect = DIALECT_TEXT, .verb = VERB_ADD};
	struct reading rd = {.g = &g, .cfg = &t->cfg, .e = w->e};

	while (w->at < w->n) {
		int rc = w->at ? conf_take(w, t) : 0;

		if (!rc)
			rc = take_option(w, &rd);
		if (rc < 0)
			return rc;
	}
	w->at = 0;
	return judge(t, w->e);
}

static void trim(char *text)
{
	text[strcspn(text, "\n")] = '\0'; /* iproute2's texts may end in one */
}

/* What iproute2 prints before its own words is for a terminal. */
static const char *plain(const char *text)
{
	return strncmp(text, "Error: ", 7) ? text : text + 7;
}

static int add(struct conf *c, const struct conf_tunnel *t)
{
	if (c->n == c->room) {
		size_t room = c->room ? c->room * 2 : 16;
		void *more = realloc(c->tunnel, room * sizeof(*t));

		if (!more)
			return -ENOMEM;
		c->tunnel = more;
		c->room = room;
	}
	c->tunnel[c->n++] = *t;
	return 0;
}

/* The words at hand as a tunnel. 0 (also where they are wrong, which is told) or -ENOMEM. */
static int take_tunnel(struct reader *r)
{
	struct err e = {0};
	struct conf_words w = {.token = r->token, .n = r->n, .e = &e};
	struct conf_tunnel t = {.file = r->c->nfiles - 1, .line = r->token[0].line};
	int rc;

	tunnel_cfg_init(&t.cfg);
	if (r->n > CONF_WORDS)
		rc = err_set(&e, E2BIG, "more than %d words for one tunnel", CONF_WORDS);
	else
		rc = take_words(&w, &t);
	if (!rc)
		rc = add(r->c, &t);
	if (!rc)
		return 0;
	conf_tunnel_free(&t);
	if (rc == -ENOMEM)
		return rc;
	trim(e.text);
	complain(r, &r->token[min_of(w.at, w.n - 1)], plain(e.text));
	return 0;
}

static int read_all(struct reader *r)
{
	int rc;

	for (;;) {
		rc = gather(r);
		if (rc == 0 || rc == -ENOMEM)
			return rc;
		if (rc > 0 && take_tunnel(r))
			return -ENOMEM;
		if (r->c->errors > CONF_ERROR_MAX)
			return 0;
	}
}

static int note_file(struct conf *c, const char *name)
{
	void *more = realloc(c->file, (c->nfiles + 1) * sizeof(*c->file));

	if (!more)
		return -ENOMEM;
	c->file = more;
	c->file[c->nfiles] = strdup(name);
	return c->file[c->nfiles] ? (c->nfiles++, 0) : -ENOMEM;
}

int conf_read(struct conf *c, const struct conf_source *src)
{
	struct reader r = {.c = c, .src = src, .line = 1};
	struct conf_token begin = {.line = 1, .column = 1};
	u32 before = c->errors;
	int rc;

	if (memchr(src->text, '\0', src->len)) {
		tell(c, src, &begin, "it is no text: there is a NUL byte in it");
		return -EINVAL;
	}
	r.text = note_file(c, src->file) ? NULL : malloc(src->len + 1);
	if (!r.text)
		return -ENOMEM;
	memcpy(r.text, src->text, src->len);
	r.text[src->len] = '\0';
	r.p = r.line_start = r.text;
	r.end = r.text + src->len;
	rc = read_all(&r);
	free(r.token);
	free(r.text);
	return rc ? rc : c->errors > before ? -EINVAL : 0;
}

void conf_tunnel_free(struct conf_tunnel *t)
{
	free(t->host);
	free(t->addr);
	free(t->route);
	free(t->routers);
	t->host = NULL;
	t->addr = NULL;
	t->route = NULL;
	t->routers = NULL;
}

void conf_free(struct conf *c)
{
	for (size_t i = 0; i < c->n; i++)
		conf_tunnel_free(&c->tunnel[i]);
	for (u32 i = 0; i < c->nfiles; i++)
		free(c->file[i]);
	free(c->tunnel);
	free(c->file);
	*c = (struct conf){0};
}
