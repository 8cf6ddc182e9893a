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
 * All else passes as it comes, flags included.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cli/ip_call.h"
#include "cli/ip_detail.h"
#include "lib/addr.h"

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

bool ip_detail_is(const struct ip_call *call, int argc, char **words)
{
	bool link = words[0][0] == 'l';

	return call->cli.details && !call->brief && (argc < 2 || is_show(words[1], link));
}

const struct tunnel_row *ip_rows_find(const struct ip_rows *rows, u32 ifindex)
{
	size_t i;

	for (i = 0; i < rows->n; i++)
		if (rows->row[i].ifindex == ifindex)
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

/* "N: NAME: <": the row of ours that it begins, and where NAME ends. */
static const struct tunnel_row *head_row(const char *p, const struct ip_rows *rows,
					 const char **name_end)
{
	const char *name;
	char *end;
	unsigned long ifindex;

	if (!isdigit((unsigned char)*p))
		return NULL;
	ifindex = strtoul(p, &end, 10);
	if (strncmp(end, ": ", 2))
		return NULL;
	name = end + 2 + escape_len(end + 2);
	*name_end = name + strcspn(name, " :@");
	return strchr(*name_end, '<') ? ip_rows_find(rows, ifindex) : NULL;
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

/* One line of ip's, without its end (under -o: what stands between two backslashes). */
static void put_line(FILE *to, const char *p, const struct ip_rows *rows,
		     const struct tunnel_row **row)
{
	const char *name_end;

	if (*p != ' ') {
		*row = head_row(p, rows, &name_end);
		if (*row && *name_end == ':')
			fprintf(to, "%.*s@%s%s", (int)(name_end - p), p, ip_info_link(&(*row)->cfg),
				name_end);
		else
			fputs(p, to);
	} else if (*row && !strncmp(p, "    link/", 9)) {
		put_link(to, p, &(*row)->cfg);
	} else if (*row && !strncmp(p, "    tun type tun ", 17)) {
		put_kind(to, p, &(*row)->cfg);
	} else {
		fputs(p, to);
	}
}

static void put_text(FILE *to, char *text, const struct ip_rows *rows, bool oneline)
{
	const char *ends = oneline ? "\n\\" : "\n";
	const struct tunnel_row *row = NULL;

	while (*text) {
		size_t len = strcspn(text, ends);
		char end = text[len];

		text[len] = '\0';
		put_line(to, text, rows, &row);
		if (end)
			putc(end, to);
		text += len + (end != '\0');
	}
}

/* The call's words; where a terminal would have had colours, so that it still has them. */
static char **argv_copy(const struct ip_call *call)
{
	char **argv = calloc(call->argc + 2, sizeof(*argv));
	int n = 0, i, at = call->object;

	if (at > 1 && !strcmp(call->argv[at - 1], "--"))
		at--;
	for (i = 0; argv && i < call->argc; i++) {
		if (i == at && call->cli.color)
			argv[n++] = (char *)"-color=always";
		argv[n++] = call->argv[i];
	}
	return argv;
}

/* All that a child writes to stdout, with a NUL at its end; the caller's. */
static char *run_captured(const struct ip_call *call, size_t *len, int *status)
{
	int fd = memfd_create("ip-detail", MFD_CLOEXEC);
	const struct ip_fds fds = {-1, fd, -1};
	char **argv = argv_copy(call), *text = NULL;
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	size_t room = 0;
	pid_t pid;

	*status = EXIT_REFUSED;
	*len = 0;
	pid = f && argv ? ip_real_spawn(argv, &fds) : -ENOMEM;
	if (pid > 0) {
		ssize_t n;

		*status = ip_real_wait(pid);
		rewind(f);
		n = getdelim(&text, &room, '\0', f);
		*len = n > 0 ? n : 0;
	}
	free(argv);
	if (f)
		fclose(f);
	return text;
}

static int show(const struct ip_call *call, const struct ip_rows *rows)
{
	int status;
	size_t len;
	char *text = run_captured(call, &len, &status);

	if (text && len && call->cli.json)
		ip_json_write(stdout, text, len, rows, call->cli.pretty);
	else if (text && len)
		put_text(stdout, text, rows, call->cli.oneline);
	free(text);
	if (fflush(stdout) && !status)
		status = EXIT_REFUSED;
	return status;
}

int ip_detail_serve(const struct ip_call *call, int argc, char **words)
{
	struct tunnel_row *row;
	struct ip_rows rows;
	struct err e = {0};
	int status;

	(void)argc, (void)words;
	if (row_list(&row, &rows.n, &e) < 0 || !rows.n)
		return ip_real_exec(call->argv);
	rows.row = row;
	status = show(call, &rows);
	free(row);
	return status;
}
