/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `ip link add|replace|set|change NAME ... type KIND OPTIONS` (spec cli 3).
 * The tunnel is made or changed by the daemon, as for `ip tunnel`; what the
 * generic words ask of the device is done by the real `ip link set`. Where
 * that fails, a device just made is taken away again: all or nothing.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ip_call.h"
#include "cli/ip_frame.h"
#include "cli/ip_kind.h"
#include "cli/row.h"
#include "cli/tunnel.h"
#include "lib/addr.h"
#include "lib/num.h"
#include "lib/text.h"
#include "model/modes.h"
#include "model/rules.h"
#include "wire/ip4.h"

enum verb { VERB_LINK_ADD, VERB_LINK_REPLACE, VERB_LINK_SET, VERB_LINK_OTHER };

/* In the order in which abbreviations are tried: `s` is set, `sh` is show. */
static const struct {
	const char *word;
	enum verb verb;
} verbs[] = {
	{"add", VERB_LINK_ADD},
	{"set", VERB_LINK_SET},
	{"change", VERB_LINK_SET},
	{"replace", VERB_LINK_REPLACE},
};

static enum verb verb_find(int argc, char **words)
{
	size_t i;

	for (i = 0; argc > 0 && i < countof(verbs); i++)
		if (text_is_prefix(words[0], verbs[i].word))
			return verbs[i].verb;
	return VERB_LINK_OTHER;
}

/* The frame, its kind and where the kind's options begin. */
struct link_call {
	const struct ip_call *call;
	enum verb verb;
	struct ip_frame frame;
	const struct ip_kind *kind;
	char **options; /* the kind's, NULL behind the last */
	enum ip_6rd says_6rd;
	struct sixrd sixrd;	/* what the options say of it */
	char name[IF_NAMESIZE]; /* of the device, once there is one */
	char mtu[12];		/* made to fit, for `ip link set` */
};

/* Read words (the verb first). False: the real ip's. */
static bool link_read(int argc, char **words, struct link_call *l)
{
	l->verb = verb_find(argc, words);
	if (l->verb == VERB_LINK_OTHER ||
	    !ip_frame_read(l->verb != VERB_LINK_SET, argc - 1, words + 1, &l->frame))
		return false;
	l->kind = ip_kind_find(l->frame.kind);
	l->options = words + 1 + l->frame.options;
	if (!l->kind || !ip_kind_serves(l->kind, l->options))
		return false;
	l->says_6rd = ip_kind_6rd(l->kind, l->options);
	return true;
}

enum ip_who ip_link_who(int argc, char **words)
{
	struct link_call l;

	return link_read(argc, words, &l) ? IP_OURS : IP_REAL;
}

/* What a reader of options complained of. Its exit status. */
static int complain(const struct err *e)
{
	if (e->text[0])
		fprintf(stderr, "%s\n", e->text);
	return e->status;
}

/* What the kernel would have refused, as ip says it, and the cause if there is more. */
static int refused(const struct cli *cli, const struct err *e)
{
	fprintf(stderr, "RTNETLINK answers: %s\n", strerror(e->code));
	cli_cause(cli, e);
	return EXIT_KERNEL;
}

/* Run `ip link set dev NAME WORDS` by the real ip. Its exit status. */
static int link_set(const struct link_call *l)
{
	static const char *const front[] = {"link", "set", "dev"};
	const struct ip_frame *f = &l->frame;
	struct ip_fds fds = {-1, -1, -1};
	char **argv;
	int i, n, status;
	pid_t pid;

	if (!f->n_pass)
		return 0;
	argv = ip_opts_copy(l->call, countof(front) + 1 + f->n_pass, &n);
	if (!argv)
		return EXIT_REFUSED;
	for (i = 0; i < (int)countof(front); i++)
		argv[n++] = (char *)front[i];
	argv[n++] = (char *)l->name;
	for (i = 0; i < f->n_pass; i++)
		argv[n++] = (char *)f->pass[i];
	pid = ip_real_spawn(argv, &fds);
	status = pid < 0 ? EXIT_REFUSED : ip_real_wait(pid);
	free(argv);
	return status;
}

/* The MTU that was asked for joins the words for `ip link set`, made to fit. */
static void link_mtu(struct link_call *l, const struct tunnel_cfg *cfg)
{
	struct ip_frame *f = &l->frame;
	u32 mtu;

	if (!f->mtu || !num_u32(f->mtu, ~0U, &mtu) || f->n_pass + 2 > FRAME_PASS)
		return;
	snprintf(l->mtu, sizeof(l->mtu), "%u", ip_kind_mtu(l->kind, cfg, mtu));
	f->pass[f->n_pass++] = "mtu";
	f->pass[f->n_pass++] = l->mtu;
}

/* Ask the daemon; target NULL: none. start: start one where none runs. */
static int request(const char *verb, const char *target, const struct tunnel_cfg *cfg, bool start,
		   struct err *e)
{
	char line[GRAMMAR_LINE];
	const struct ctl_request req = {
		.verb = verb, .target = target, .config = line, .start = start};

	grammar_print(cfg, line, sizeof(line));
	return ctl_call(&req, e);
}

/* The name that a template, or no name at all, has become: its addresses tell it. */
static int link_name(struct link_call *l, const struct tunnel_cfg *cfg)
{
	struct tunnel_row row;
	struct err e = {0};
	int err;

	text_copy(l->name, sizeof(l->name), cfg->name);
	if (cfg->name[0] && !strchr(cfg->name, '%'))
		return 0;
	err = row_get(NULL, cfg, &row, &e);
	if (err)
		return refused(&l->call->cli, &e);
	text_copy(l->name, sizeof(l->name), row.ifname);
	return 0;
}

/* sit's driver sets 6rd when the rest is done, and by itself. */
static int link_6rd(const struct link_call *l)
{
	char words[SIXRD_WORDS];
	const struct ctl_request req = {.verb = "6rd", .target = l->name, .config = words};
	struct err e = {0};

	if (l->says_6rd == IP_6RD_NONE)
		return 0;
	sixrd_words(&l->sixrd, words);
	return ctl_call(&req, &e) < 0 ? refused(&l->call->cli, &e) : 0;
}

/* 6rd, and what the generic words ask for; where that fails the device goes again. */
static int link_finish(struct link_call *l, const struct tunnel_cfg *cfg)
{
	struct ctl_request undo = {.verb = "delete", .target = l->name};
	struct err e = {0};
	int status;

	link_mtu(l, cfg);
	if (!l->frame.n_pass && l->says_6rd == IP_6RD_NONE)
		return 0;
	status = link_name(l, cfg);
	if (status)
		return status;
	status = link_6rd(l);
	if (!status)
		status = link_set(l);
	if (status && ctl_call(&undo, &e) < 0)
		fprintf(stderr, "tunl: %s stays, half set up: %s\n", l->name,
			e.text[0] ? e.text : strerror(e.code));
	return status;
}

static int link_create(struct link_call *l, const struct tunnel_cfg *cfg)
{
	struct err e = {0};

	if (request("add", NULL, cfg, true, &e) < 0) {
		/* quirks of `ip tunnel add` that `ip link` has not */
		if (e.code == ENOBUFS || e.code == E2BIG)
			e.code = rules_name(cfg->name) ? EINVAL : EEXIST;
		return refused(&l->call->cli, &e);
	}
	return link_finish(l, cfg);
}

/* The kernel's word on what does not have the form of a name or a prefix. */
static int bad_attribute(void)
{
	fprintf(stderr, "Error: Attribute failed policy validation.\n");
	return EXIT_KERNEL;
}

/* What is judged before the kernel is asked: kind options first, as ip does. 0: go on. */
static int create_check(struct link_call *l, struct tunnel_cfg *cfg)
{
	const char *name = l->frame.name ? l->frame.name : l->frame.dev;
	struct sixrd usual;
	struct err e = {0};

	if (l->frame.link && !if_nametoindex(l->frame.link)) {
		fprintf(stderr, "Cannot find device \"%s\"\n", l->frame.link);
		return EXIT_REFUSED;
	}
	ip_kind_init(l->kind, l->options, cfg);
	usual = cfg->sixrd;
	cfg->sixrd = (struct sixrd){0};
	if (ip_kind_read(l->kind, true, l->options, cfg, &e) < 0)
		return complain(&e);
	l->sixrd = cfg->sixrd;
	cfg->sixrd = usual;
	if ((name && !ifname_ok(name)) || l->says_6rd == IP_6RD_BAD)
		return bad_attribute();
	if (l->frame.refused) {
		fprintf(stderr,
			"Error: \"%s\" cannot be chosen for a tunnel device of tunl: leave it "
			"out.\n",
			l->frame.refused);
		return EXIT_KERNEL;
	}
	if (name)
		text_copy(cfg->name, sizeof(cfg->name), name);
	return l->frame.netns && !ip_netns_of_word(l->frame.netns) ? EXIT_SYNTAX : 0;
}

/* 0, or said and the exit status: an MTU that the kernel refuses ahead of the driver. */
static int mtu_check(const struct link_call *l, const struct tunnel_cfg *cfg)
{
	const char *fault = NULL;
	u32 mtu;

	if (l->frame.mtu && num_u32(l->frame.mtu, ~0U, &mtu))
		fault = ip_kind_mtu_fault(l->kind, cfg, mtu);
	if (!fault)
		return 0;
	fprintf(stderr, "Error: %s.\n", fault);
	return EXIT_KERNEL;
}

static int link_add(struct link_call *l)
{
	struct tunnel_cfg cfg;
	int status = create_check(l, &cfg);

	if (status)
		return status;
	/* the kernel looks for the name before the driver sees the options */
	if (!strchr(cfg.name, ':') && if_nametoindex(cfg.name))
		return refused(
			&l->call->cli,
			&(struct err){.code = l->verb == VERB_LINK_REPLACE ? EOPNOTSUPP : EEXIST});
	status = mtu_check(l, &cfg);
	return status ? status : link_create(l, &cfg);
}

/*
 * What iproute2 makes of the attributes of a tunnel of another kind, its options being
 * read over them. False: nothing.
 */
static bool change_loads(const struct ip_kind *kind, struct tunnel_cfg *cfg)
{
	enum mode_id driver = mode_info(cfg->mode)->driver, wanted = ip_kind_mode(kind);

	if (driver == wanted)
		return true;
	if (wanted == MODE_GRE)
		tunnel_cfg_init(cfg);
	return driver != MODE_GRE;
}

/* The kernel's word on a tunnel of another kind; 0: it is of this one. */
static int change_refused(const struct ip_kind *kind, const struct mode_info *mode,
			  const struct tunnel_cfg *cfg)
{
	if (mode->driver == ip_kind_mode(kind))
		return 0;
	/* a driver looks at what it is given before it looks at the device */
	return ip_kind_mode(kind) == MODE_IPIP && cfg->proto == PROTO_IPV6 ? EINVAL : EOPNOTSUPP;
}

/* sit's `ip link` looks at the remote before it looks for another tunnel. */
static bool change_is_of_class(const struct tunnel_cfg *old, const struct tunnel_cfg *next)
{
	return mode_info(old->mode)->driver != MODE_SIT ||
	       be32_is_zero(old->remote) == be32_is_zero(next->remote);
}

/* `set` of an existing tunnel. */
static int link_change(struct link_call *l, struct tunnel_row *row)
{
	struct tunnel_cfg cfg = row->cfg;
	struct err e = {0};
	int code;

	text_copy(l->name, sizeof(l->name), row->ifname);
	/* without options the kernel changes nothing of the tunnel */
	if (!*l->options)
		return link_set(l);
	if (!change_loads(l->kind, &cfg)) {
		fputs("Failed to get existing tunnel info.\n", stderr);
		return EXIT_REFUSED;
	}
	if (ip_kind_read(l->kind, false, l->options, &cfg, &e) < 0)
		return complain(&e);
	if (l->says_6rd == IP_6RD_BAD)
		return bad_attribute();
	code = change_refused(l->kind, mode_info(row->cfg.mode), &cfg);
	if (!code && !change_is_of_class(&row->cfg, &cfg))
		code = EINVAL;
	if (code)
		return refused(&l->call->cli, &(struct err){.code = code});
	l->sixrd = cfg.sixrd;
	cfg.sixrd = row->cfg.sixrd;
	cfg.proto = row->cfg.proto;
	if (request("change", row->ifname, &cfg, false, &e) < 0)
		return refused(&l->call->cli, &e);
	code = link_6rd(l);
	return code ? code : link_set(l);
}

static int link_set_type(struct link_call *l)
{
	struct tunnel_row row;
	struct err e = {0};
	int err;

	err = strlen(l->frame.dev) < IF_NAMESIZE ? row_get(l->frame.dev, NULL, &row, &e) : -ENODEV;
	if (!err)
		return link_change(l, &row);
	if (err == -ENODEV || err == -EOPNOTSUPP || err == -ENOTCONN || err == -ENOENT)
		return ip_real_exec(l->call->argv);
	return refused(&l->call->cli, &e);
}

int ip_link_serve(const struct ip_call *call, int argc, char **words)
{
	struct link_call l = {.call = call};

	link_read(argc, words, &l);
	return l.verb == VERB_LINK_SET ? link_set_type(&l) : link_add(&l);
}
