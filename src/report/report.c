/* SPDX-License-Identifier: BSD-2-Clause */
/* The page as a whole, and the file it goes into. */
#include "report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "report/report_impl.h"

extern const char report_css[], report_css_end[], report_js[], report_js_end[];

/* What the page may load: nothing; what it may run: what bears its number, made anew each time. */
static void head_policy(struct html *h, char *nonce, size_t len)
{
	unsigned char rnd[16] = {0};

	if (getrandom(rnd, sizeof(rnd), 0) < 0)
		memset(rnd, (int)getpid(), sizeof(rnd));
	*nonce = '\0';
	for (size_t i = 0; i < sizeof(rnd) && 2 * i + 3 <= len; i++)
		snprintf(nonce + 2 * i, 3, "%02x", rnd[i]);
	html_begin(h, "meta");
	html_attr(h, "http-equiv", "Content-Security-Policy");
	html_attr(h, "content",
		  "default-src 'none'; style-src 'nonce-%s'; script-src 'nonce-%s'; "
		  "img-src data:; base-uri 'none'; form-action 'none'",
		  nonce, nonce);
	html_void(h);
}

static void head_meta(struct html *h, const char *name, const char *content)
{
	html_begin(h, "meta");
	html_attr(h, "name", "%s", name);
	html_attr(h, "content", "%s", content);
	html_void(h);
}

static void asset(struct html *h, const char *tag, const char *nonce, const char *bytes, size_t n)
{
	html_begin(h, tag);
	html_attr(h, "nonce", "%s", nonce);
	html_raw(h, bytes, n);
	html_end(h, tag);
}

static void head(struct html *h, const json_t *doc, char *nonce, size_t len)
{
	fputs("<!doctype html>\n", h->out);
	html_begin(h, "html");
	html_attr(h, "lang", "en");
	html_begin(h, "head");
	html_begin(h, "meta");
	html_attr(h, "charset", "utf-8");
	html_void(h);
	head_policy(h, nonce, len);
	head_meta(h, "viewport", "width=device-width, initial-scale=1");
	head_meta(h, "color-scheme", "light dark");
	head_meta(h, "generator", "tunl " TUNL_VERSION);
	html_begin(h, "link");
	html_attr(h, "rel", "icon");
	html_attr(h, "href", "data:,");
	html_void(h);
	html_element(h, "title", NULL, "%s - tunl", doc_text(doc, "title"));
	asset(h, "style", nonce, report_css, (size_t)(report_css_end - report_css));
	html_end(h, "head");
	fputc('\n', h->out);
}

/* What stands in the page, for the list of its parts. */
static const struct part {
	const char *member, *id, *name;
	void (*print)(struct html *h, const json_t *doc);
} parts[] = {
	{"topology", "topology", "Topology", report_topology},
	{"path", "path", "Path", report_path},
	{"pings", "rtt", "Round trips", report_rtt},
	{"packets", "packets", "Packets", report_packets},
	{"steps", "commands", "Commands", report_commands},
};

static void nav(struct html *h, const json_t *doc)
{
	html_begin(h, "a");
	html_attr(h, "class", "skip");
	html_attr(h, "href", "#main");
	html_text(h, "Skip to the content");
	html_end(h, "a");
	html_begin(h, "nav");
	html_attr(h, "aria-label", "Parts of this page");
	html_element(h, "span", "brand", "tunl");
	html_open(h, "ul", NULL);
	for (size_t i = 0; i < countof(parts); i++) {
		if (!json_array_size(json_object_get(doc, parts[i].member)) &&
		    !json_object_size(json_object_get(doc, parts[i].member)))
			continue;
		html_open(h, "li", NULL);
		html_begin(h, "a");
		html_attr(h, "href", "#%s", parts[i].id);
		html_text(h, "%s", parts[i].name);
		html_end(h, "a");
		html_end(h, "li");
	}
	html_end(h, "ul");
	html_end(h, "nav");
}

static void paragraphs(struct html *h, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		html_element(h, "p", "about", "%.*s", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

/* The packet whose sum is told first: the one with the most parts. */
static const json_t *headline(const json_t *doc)
{
	const json_t *best = NULL;
	size_t i, most = 2;
	json_t *p;

	json_array_foreach(json_object_get(doc, "packets"), i, p)
	{
		const json_t *sum = json_object_get(p, "sum");
		size_t n = json_array_size(json_object_get(sum, "parts"));

		if (n > most) {
			most = n;
			best = sum;
		}
	}
	return best;
}

/* "64 ICMP + 20 inner IP + 20 outer IP = 104" in large letters. */
static void equation(struct html *h, const json_t *sum)
{
	size_t i;
	json_t *p;

	if (!sum)
		return;
	html_open(h, "p", "equation");
	html_attr(h, "aria-label", "%s", doc_text(sum, "text"));
	json_array_foreach(json_object_get(sum, "parts"), i, p)
	{
		if (i)
			html_element(h, "span", "op", " + ");
		html_open(h, "span", "term");
		html_element(h, "b", NULL, "%lld", (long long)doc_int(p, "bytes"));
		html_element(h, "small", NULL, " %s", doc_text(p, "name"));
		html_end(h, "span");
	}
	html_element(h, "span", "op", " = ");
	html_open(h, "span", "term total");
	html_element(h, "b", NULL, "%lld", (long long)doc_int(sum, "total"));
	html_element(h, "small", NULL, " bytes");
	html_end(h, "span");
	html_end(h, "p");
}

static void fact(struct html *h, const char *name, const char *value, const char *why)
{
	html_open(h, "div", NULL);
	html_element(h, "dt", NULL, "%s", name);
	html_begin(h, "dd");
	if (*why)
		html_attr(h, "title", "%s", why);
	html_text(h, "%s", value);
	html_end(h, "dd");
	html_end(h, "div");
}

static void facts(struct html *h, const json_t *doc)
{
	char name[80], value[80];
	const char *end;
	json_t *row;

	if (!doc_text(doc, "lab")[0])
		return;
	html_open(h, "dl", "facts");
	fact(h, "lab", doc_text(doc, "lab"), "");
	json_object_foreach(json_object_get(doc, "ends"), end, row)
	{
		snprintf(name, sizeof(name), "end %.60s", end);
		snprintf(value, sizeof(value), "%.40s datapath", doc_text(row, "datapath"));
		fact(h, name, value, doc_text(row, "why"));
	}
	html_end(h, "dl");
}

static void header(struct html *h, const json_t *doc)
{
	html_open(h, "header", NULL);
	html_element(h, "h1", NULL, "%s", doc_text(doc, "title"));
	paragraphs(h, doc_text(doc, "about"));
	equation(h, headline(doc));
	facts(h, doc);
	if (doc_text(doc, "error")[0])
		html_element(h, "p", "bad", "%s", doc_text(doc, "error"));
	html_end(h, "header");
}

static void footer(struct html *h)
{
	time_t now = time(NULL);
	char when[32] = "";
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(when, sizeof(when), "%F %T UTC", &tm);
	html_open(h, "footer", NULL);
	html_element(h, "p", NULL, "Made by tunl %s on %s.", TUNL_VERSION, when);
	html_end(h, "footer");
}

void report_section(struct html *h, const char *id, const char *heading)
{
	fputc('\n', h->out);
	html_begin(h, "section");
	html_attr(h, "id", "%s", id);
	html_attr(h, "aria-labelledby", "%s-h", id);
	html_begin(h, "h2");
	html_attr(h, "id", "%s-h", id);
	html_text(h, "%s", heading);
	html_end(h, "h2");
}

void report_print(FILE *out, const json_t *doc)
{
	struct html h = {.out = out};
	char nonce[40];

	head(&h, doc, nonce, sizeof(nonce));
	html_open(&h, "body", NULL);
	nav(&h, doc);
	html_begin(&h, "main");
	html_attr(&h, "id", "main");
	header(&h, doc);
	for (size_t i = 0; i < countof(parts); i++)
		parts[i].print(&h, doc);
	html_end(&h, "main");
	footer(&h);
	asset(&h, "script", nonce, report_js, (size_t)(report_js_end - report_js));
	html_end(&h, "body");
	html_end(&h, "html");
	fputc('\n', out);
}

/* Print to fd, which is closed; -errno. */
static int print_to(int fd, const json_t *doc)
{
	FILE *out = fdopen(fd, "w");
	int err = 0;

	if (!out) {
		err = -errno;
		close(fd);
		return err;
	}
	errno = 0;
	report_print(out, doc);
	if (fflush(out) || ferror(out) || fsync(fd) < 0)
		err = errno ? -errno : -EIO;
	if (fclose(out) && !err)
		err = errno ? -errno : -EIO;
	return err;
}

static int write_beside(const char *path, const json_t *doc)
{
	char tmp[PATH_MAX];
	mode_t mask = umask(077);
	int fd, err;

	umask(mask);
	if (snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fchmod(fd, 0666 & ~mask) < 0 ? -errno : 0;
	err = err ? (close(fd), err) : print_to(fd, doc);
	if (!err && rename(tmp, path) < 0)
		err = -errno;
	if (err)
		unlink(tmp);
	return err;
}

int report_write(const char *path, const json_t *doc, struct err *e)
{
	bool file = strcmp(path, "-") != 0;
	int err;

	if (file) {
		err = write_beside(path, doc);
	} else {
		report_print(stdout, doc);
		err = fflush(stdout) || ferror(stdout) ? -(errno ? errno : EIO) : 0;
	}
	if (!err)
		return 0;
	return err_set(e, -err, "cannot write the report to %.100s: %s%s",
		       file ? path : "standard output", strerror(-err),
		       file && err == -ENOSPC ? " (nothing of it was left there)" : "");
}
