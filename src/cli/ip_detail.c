/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `ip -d link show` and `ip -d addr show` in a namespace with tunnels of ours:
 * the real ip runs with the same arguments, and what it says of our devices,
 * which to it are TUN devices, is put as it says it of the drivers' devices:
 *
 *     5: tun1@NONE: <POINTOPOINT,...> mtu 1480 ...
 *         link/ipip 10.10.10.2 peer 10.10.20.2 promiscuity 0 ... maxmtu 65515
 *         ipip ipip remote 10.10.20.2 local 10.10.10.2 ttl inherit pmtudisc addrgenmode ...
 *
 * All else passes as it comes, flags included. `type ipip`, with -d or without, shows
 * our tunnels of that kind, after the kernel's own.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cli/ip_call.h"
#include "cli/ip_detail.h"
#include "cli/ip_kind.h"
#include "lib/addr.h"
#include "model/modes.h"

static bool is_show(const char *verb, bool link)
{
	static const char *const shows[] = {"show", "lst", "list"};
	size_t i;

	/* `ip link s` is set */
	if (link && !strcmp(verb, "s"))
		return false;
	for (i = 0; i < countof(shows); i++)
		if (text_is_prefix(verb, shows[i]))
			return true;
	return false;
}

/* `type KIND` among the words of show, KIND one of ours: its index, or 0. */
static int kind_at(int argc, char **words)
{
	int i;

	for (i = 2; i + 1 < argc; i++)
		if (!strcmp(words[i], "type"))
			return ip_kind_find(words[i + 1]) ? i + 1 : 0;
	return 0;
}

bool ip_detail_is(const struct ip_call *call, int argc, char **words)
{
	bool link = words[0][0] == 'l', detail = call->cli.details && !call->brief;

	if (argc >= 2 && !is_show(words[1], link))
		return false;
	return detail || kind_at(argc, words);
}

static bool row_shown(const struct ip_rows *rows, const struct tunnel_row *row)
{
	return !rows->only || !strcmp(mode_info(row->cfg.mode)->kind, rows->only);
}

const struct tunnel_row *ip_rows_find(const struct ip_rows *rows, u32 ifindex)
{
	size_t i;

	for (i = 0; i < rows->n; i++)
		if (rows->row[i].ifindex == ifindex && row_shown(rows, &rows->row[i]))
			return &rows->row[i];
	return NULL;
}

const struct tunnel_row *ip_rows_named(const struct ip_rows *rows, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < rows->n; i++)
		if (strlen(rows->row[i].ifname) == len &&
		    !strncmp(rows->row[i].ifname, name, len) && row_shown(rows, &rows->row[i]))
			return &rows->row[i];
	return NULL;
}

/* A colour's escape sequence, if one stands at p: its length. */
static size_t escape_len(const char *p)
{
	size_t n = 0;

	if (p[0] == '\033' && p[1] == '[')
		n = 2 + strspn(p + 2, "0123456789;") + 1;
	return n;
}

/* The row of ours that a line begins: "N: NAME...", or under -br "NAME...". */
static const struct tunnel_row *line_row(const char *p, const struct ip_rows *rows)
{
	char *end;
	unsigned long ifindex = strtoul(p, &end, 10);

	if (isdigit((unsigned char)*p) && !strncmp(end, ": ", 2))
		return ip_rows_find(rows, ifindex);
	p += escape_len(p);
	return ip_rows_named(rows, p, strcspn(p, " @\033"));
}

/* In "N: NAME: <" the end of NAME; NULL: not such a line, or NAME has a suffix. */
static const char *head_name_end(const char *p)
{
	const char *name = p + strcspn(p, " ") + 1, *end;

	if (!isdigit((unsigned char)*p) || !strchr(p, '<'))
		return NULL;
	name += escape_len(name);
	end = name + strcspn(name, " :@");
	return *end == ':' ? end : NULL;
}

/* Skip one address, coloured or not. Its end, or NULL: none there. */
static const char *skip_addr(const char *p)
{
	size_t n;

	p += escape_len(p);
	n = strspn(p, "0123456789.");
	p += n;
	p += escape_len(p);
	return n ? p : NULL;
}

static void put_addr(FILE *to, const char *color, be32 addr)
{
	char buf[ADDR4_TEXT];
	int n = escape_len(color);

	fprintf(to, "%.*s%s%s", n, color, addr4_print(addr, buf), n ? "\033[0m" : "");
}

/*
 * After "link/TYPE ": "A peer B" or "A brd B" in the tunnel's own words.
 * Where that ends in p; p itself where it does not stand there.
 */
static const char *put_addresses(FILE *to, const char *p, const struct tunnel_cfg *cfg)
{
	const char *a = p, *end = skip_addr(p);

	if (end)
		end += strspn(end, " ");
	if (!end || (strncmp(end, "peer ", 5) && strncmp(end, "brd ", 4)))
		return p;
	end = skip_addr(end + strcspn(end, " ") + 1);
	if (!end)
		return p;
	put_addr(to, a, cfg->local);
	fputs(be32_is_zero(cfg->remote) ? " brd " : " peer ", to);
	put_addr(to, a, cfg->remote);
	return end;
}

/* "    link/TYPE ...": addresses, and the MTU's bounds. */
static void put_link(FILE *to, const char *p, const struct tunnel_cfg *cfg)
{
	const char *addr = p + strcspn(p, "/");
	const char *bounds = strstr(p, " minmtu ");

	addr += strcspn(addr, " ");
	addr += *addr == ' ';
	fprintf(to, "%.*s", (int)(addr - p), p);
	p = put_addresses(to, addr, cfg);
	if (bounds && bounds >= p) {
		fprintf(to, "%.*s minmtu %u maxmtu %u", (int)(bounds - p), p, ip_info_mtu_min(cfg),
			ip_info_mtu_max(cfg));
		p = strstr(bounds, " maxmtu ");
		p = p ? p + 8 : bounds + 8;
		p += strspn(p, "0123456789");
	}
	fputs(p, to);
}

/* "    tun type tun ...": the kind's own line. What follows it stays. */
static void put_kind(FILE *to, const char *p, const struct tunnel_cfg *cfg)
{
	static const char *const follows[] = {"addrgenmode ", "numtxqueues "};
	char line[GRAMMAR_LINE];
	const char *rest = NULL;
	struct text t;
	size_t i;

	for (i = 0; !rest && i < countof(follows); i++)
		rest = strstr(p, follows[i]);
	text_init(&t, line, sizeof(line));
	ip_info_text(cfg, &t);
	fprintf(to, "    %s%s", line, rest ? rest : "");
}

static void put_head(FILE *to, const char *p, const struct tunnel_cfg *cfg)
{
	const char *end = head_name_end(p);

	if (end)
		fprintf(to, "%.*s@%s%s", (int)(end - p), p, ip_info_link(cfg), end);
	else
		fputs(p, to);
}

/* A line of ip's about a tunnel, without its end (under -o: up to a backslash). */
static void put_line(FILE *to, const char *p, const struct tunnel_cfg *cfg)
{
	static const struct {
		const char *begin;
		void (*put)(FILE *to, const char *p, const struct tunnel_cfg *cfg);
	} lines[] = {{"    link/", put_link}, {"    tun type tun ", put_kind}};
	size_t i;

	for (i = 0; i < countof(lines); i++)
		if (!strncmp(p, lines[i].begin, strlen(lines[i].begin)))
			return lines[i].put(to, p, cfg);
	if (*p == ' ')
		fputs(p, to);
	else
		put_head(to, p, cfg);
}

static void put_text(FILE *to, char *text, const struct ip_rows *rows, bool oneline)
{
	const char *ends = oneline ? "\n\\" : "\n";
	const struct tunnel_row *row = NULL;

	while (*text) {
		size_t len = strcspn(text, ends);
		char end = text[len];

		text[len] = '\0';
		if (*text != ' ')
			row = line_row(text, rows);
		if (row && rows->detail)
			put_line(to, text, &row->cfg);
		else if (row || !rows->only)
			fputs(text, to);
		if (end && (row || !rows->only))
			putc(end, to);
		text += len + (end != '\0');
	}
}

/*
 * The call's words; where a terminal would have had colours, so that it still has
 * them; and with as_tun `type tun` for `type KIND`.
 */
static char **argv_copy(const struct ip_call *call, bool as_tun)
{
	char **argv = calloc(call->argc + 2, sizeof(*argv));
	int kind = kind_at(call->argc - call->object, call->argv + call->object);
	int n = 0, i, at = call->object;

	if (at > 1 && !strcmp(call->argv[at - 1], "--"))
		at--;
	for (i = 0; argv && i < call->argc; i++) {
		if (i == at && call->cli.color)
			argv[n++] = (char *)"-color=always";
		argv[n++] =
			as_tun && kind && i == call->object + kind ? (char *)"tun" : call->argv[i];
	}
	return argv;
}

/* All that a child writes to stdout; the caller's. NULL: it could not be run. */
static char *run_captured(const struct ip_call *call, bool as_tun, int *status)
{
	int fd = memfd_create("ip-detail", MFD_CLOEXEC);
	const struct ip_fds fds = {-1, fd, -1};
	char **argv = argv_copy(call, as_tun), *text = NULL;
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	size_t room = 0;
	pid_t pid;

	*status = EXIT_REFUSED;
	pid = f && argv ? ip_real_spawn(argv, &fds) : -ENOMEM;
	if (pid > 0) {
		*status = ip_real_wait(pid);
		rewind(f);
		if (getdelim(&text, &room, '\0', f) < 0) {
			free(text);
			text = strdup("");
		}
	}
	free(argv);
	if (f)
		fclose(f);
	return text;
}

static int show(const struct ip_call *call, bool link, const struct ip_rows *rows)
{
	int status = 0;
	/*
	 * The kernel may have devices of that kind itself. (`ip -o addr show type KIND`
	 * tells the addresses of all devices where there is none of the kind.)
	 */
	bool may_have = rows->only && !(call->cli.oneline && !link);
	char *first = may_have ? run_captured(call, false, &status) : NULL;
	char *text = status ? NULL : run_captured(call, true, &status);

	if (text && *text && call->cli.json) {
		ip_json_write(stdout, first, text, rows, call->cli.pretty);
	} else if (text) {
		fputs(first ? first : "", stdout);
		put_text(stdout, text, rows, call->cli.oneline);
	}
	free(first);
	free(text);
	if (fflush(stdout) && !status)
		status = EXIT_REFUSED;
	return status;
}

int ip_detail_serve(const struct ip_call *call, int argc, char **words)
{
	int kind = kind_at(argc, words), status;
	struct tunnel_row *row;
	struct ip_rows rows = {
		.only = kind ? words[kind] : NULL,
		.detail = call->cli.details && !call->brief,
	};
	struct err e = {0};

	if (row_list(&row, &rows.n, &e) < 0 || !rows.n)
		return ip_real_exec(call->argv);
	rows.row = row;
	status = show(call, words[0][0] == 'l', &rows);
	free(row);
	return status;
}
