/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lab file is lines: a verb and its words, `#` before a remark. A verb that takes
 * text has it on the rest of its line and on the indented lines that follow, its
 * block. Everything that is kept is a copy that the lab owns.
 */
#include "lab/lab_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/lab_file_impl.h"
#include "lib/types.h"

struct scan {
	const char *p, *end;
	unsigned line; /* of p */
};

/* One line without its newline. */
struct span {
	const char *s;
	size_t n;
};

static bool scan_line(struct scan *sc, struct span *out)
{
	const char *nl;

	if (sc->p == sc->end)
		return false;
	nl = memchr(sc->p, '\n', (size_t)(sc->end - sc->p));
	*out = (struct span){sc->p, (size_t)((nl ? nl : sc->end) - sc->p)};
	sc->p = nl ? nl + 1 : sc->end;
	sc->line++;
	return true;
}

static size_t blanks(struct span s)
{
	size_t n = 0;

	while (n < s.n && (s.s[n] == ' ' || s.s[n] == '\t'))
		n++;
	return n;
}

const char *file_keep(struct lab_topo *t, const char *fmt, ...)
{
	struct lab_string *s;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	s = malloc(sizeof(*s) + (size_t)n + 1);
	if (!s)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(s->s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	s->next = t->strings;
	t->strings = s;
	return s->s;
}

static int wrong_at(struct file_reader *r, unsigned line, unsigned column, const char *text)
{
	size_t n = strlen(r->source), most = 100;

	/* of a long path, the end tells more */
	return err_set(r->e, EINVAL, "%s%s:%u:%u: %s", n > most ? "..." : "",
		       r->source + (n > most ? n - most : 0), line, column, text);
}

int file_wrong(struct file_reader *r, const struct file_line *l, int i, const char *fmt, ...)
{
	unsigned column = i < l->n ? l->w[i].column : 1;
	char text[140];
	va_list ap;

	/* what is missing is missed behind the last word */
	if (i >= l->n && l->n)
		column = l->w[l->n - 1].column + (unsigned)strlen(l->w[l->n - 1].s);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return wrong_at(r, l->number, column, text);
}

/* Bytes of the UTF-8 character at s, of n; 0: it is none, or one that is not shown. */
static size_t utf8_len(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if ((s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4 || len > n)
		return 0;
	if (len == 1)
		return (s[0] >= 0x20 && s[0] != 0x7f) || s[0] == '\t';
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* overlong, surrogates, beyond Unicode (RFC 3629 section 4); C1 controls */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f) ||
	    (s[0] == 0xc2 && s[1] < 0xa0))
		return 0;
	return len;
}

static int check_text(struct file_reader *r, struct span s, unsigned line)
{
	char text[64];
	size_t len;

	for (size_t i = 0; i < s.n; i += len) {
		len = utf8_len((const unsigned char *)s.s + i, s.n - i);
		if (len)
			continue;
		snprintf(text, sizeof(text), "the byte 0x%02x is no UTF-8 text here",
			 (unsigned char)s.s[i]);
		return wrong_at(r, line, (unsigned)i + 1, text);
	}
	return 0;
}

/* Split into words, up to a `#` that begins one unless it is text. */
static int split(struct file_reader *r, struct span s, struct file_line *l)
{
	const struct file_verb *verb = NULL;
	size_t i = blanks(s), n;

	l->n = 0;
	l->rest = "";
	for (; i < s.n && (s.s[i] != '#' || (verb && verb->takes)); i += n) {
		struct span left = {s.s + i, s.n - i};

		for (n = 0; n < left.n && left.s[n] != ' ' && left.s[n] != '\t'; n++)
			;
		if (l->n == LAB_WORDS)
			return wrong_at(r, l->number, (unsigned)i + 1, "too many words in a line");
		l->w[l->n].column = (unsigned)i + 1;
		l->w[l->n].s = file_keep(r->t, "%.*s", (int)n, left.s);
		if (!l->w[l->n].s)
			return err_set(r->e, ENOMEM, "out of memory");
		if (l->n++ == 0)
			verb = file_verb_find(l->w[0].s);
		n += blanks((struct span){left.s + n, left.n - n});
		if (l->n == 1 && verb && verb->takes) {
			l->rest = file_keep(r->t, "%.*s", (int)(left.n - n), left.s + n);
			return l->rest ? 0 : err_set(r->e, ENOMEM, "out of memory");
		}
	}
	return 0;
}

/* The indented lines from here on, less the indentation of the first of them. */
static int read_block(struct file_reader *r, struct scan *sc, struct file_line *l)
{
	struct scan ahead = *sc;
	size_t indent = 0, len = 0;
	struct span s;
	char *buf = malloc((size_t)(sc->end - sc->p) + 1);
	int err = buf ? 0 : err_set(r->e, ENOMEM, "out of memory");

	while (!err && scan_line(&ahead, &s)) {
		size_t in = blanks(s);

		if (in < s.n && !in)
			break;
		err = check_text(r, s, ahead.line);
		if (!len && in < s.n)
			indent = in;
		in = min_of(in, indent);
		if (len || in < s.n) {
			memcpy(buf + len, s.s + in, s.n - in);
			len += s.n - in;
			buf[len++] = '\n';
		}
		*sc = ahead;
	}
	while (len && buf[len - 1] == '\n')
		len--;
	l->block = !err && len ? file_keep(r->t, "%.*s", (int)len, buf) : NULL;
	free(buf);
	return err;
}

static int read_line(struct file_reader *r, struct scan *sc, struct span s)
{
	struct file_line l = {.number = sc->line};
	const struct file_verb *verb;
	int err = check_text(r, s, sc->line);

	if (!err)
		err = split(r, s, &l);
	if (err || !l.n)
		return err;
	if (l.w[0].column > 1)
		return file_wrong(r, &l, 0, "indented, but the line before takes no text");
	verb = file_verb_find(l.w[0].s);
	if (!verb)
		return file_wrong(r, &l, 0, "there is no \"%.40s\" in a lab (see tunl-lab(7))",
				  l.w[0].s);
	if (verb->takes == TAKES_BLOCK)
		err = read_block(r, sc, &l);
	if (!err && (verb->takes ? !*l.rest && !l.block : l.n - 1 < verb->least))
		err = file_wrong(r, &l, l.n, "more is needed: %s %s", verb->word, verb->form);
	return err ? err : verb->read(r, &l);
}

/* The name of the lab of a file. */
static void name_lab(struct lab_topo *t, const char *source)
{
	const char *slash = strrchr(source, '/');
	size_t n;

	source = slash ? slash + 1 : source;
	n = strlen(source);
	if (n > 4 && !strcmp(source + n - 4, ".lab"))
		n -= 4;
	snprintf(t->name, sizeof(t->name), "%.*s", (int)min_of(n, (size_t)LAB_NAME_MAX), source);
	for (char *c = t->name; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.", *c))
			*c = '-';
	if (!t->name[0])
		strcpy(t->name, "lab");
}

/* What a lab cannot do without. */
static int check_whole(struct file_reader *r, unsigned line)
{
	struct lab_topo *t = r->t;

	if (!t->title)
		return wrong_at(r, line, 1, "the lab has no title");
	if (!t->n_nets)
		return wrong_at(r, line, 1, "the lab has no namespace (`net NAME` makes one)");
	if (!t->about)
		t->about = "";
	if (!r->done_building)
		t->n_build = t->n_steps;
	return 0;
}

struct lab_topo *lab_file_parse(const char *source, const char *text, size_t len, struct err *e)
{
	struct scan sc = {.p = text, .end = text + len};
	struct file_reader r = {.source = source, .e = e};
	struct span s;
	int err = 0;

	if (len > LAB_FILE_MAX) {
		err_set(e, EFBIG, "%.80s: more than %d bytes", source, LAB_FILE_MAX);
		return NULL;
	}
	r.t = calloc(1, sizeof(*r.t));
	if (!r.t) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	name_lab(r.t, source);
	while (!err && scan_line(&sc, &s))
		err = read_line(&r, &sc, s);
	if (!err)
		err = check_whole(&r, sc.line + !sc.line);
	r.t->text = file_keep(r.t, "%.*s", (int)len, text);
	if (!err)
		return r.t;
	lab_topo_free(r.t);
	return NULL;
}

struct lab_topo *lab_file_read(const char *path, struct err *e)
{
	char *buf = malloc(LAB_FILE_MAX + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct lab_topo *t = NULL;
	size_t len = 0;
	ssize_t n = -1;

	while (buf && fd >= 0 && (n = read(fd, buf + len, LAB_FILE_MAX + 1 - len)) > 0)
		len += (size_t)n;
	if (!buf || fd < 0 || n < 0)
		err_set(e, errno, "%.150s: %s", path, strerror(errno));
	else
		t = lab_file_parse(path, buf, len, e);
	if (fd >= 0)
		close(fd);
	free(buf);
	return t;
}
