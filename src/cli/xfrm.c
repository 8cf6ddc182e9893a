/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/xfrm_call.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ctl.h"
#include "cli/ip_call.h"
#include "cli/xfrm_kernel.h"
#include "cli/xfrm.h"
#include "ipsec/secret.h"

enum { REQUEST = XFRM_LINE + 32 };

static u32 ifindex_of(const char *dev)
{
	return if_nametoindex(dev);
}

int xfrm_complain(const struct call *c)
{
	fprintf(stderr, "%s\n", c->e.text);
	return c->e.status ? c->e.status : EXIT_REFUSED;
}

/* What rtnetlink would have answered. */
int xfrm_refused(const struct call *c)
{
	if (c->e.text[0])
		fprintf(stderr, "Error: %s\n", c->e.text);
	else
		fprintf(stderr, "RTNETLINK answers: %s\n", strerror(c->e.code));
	return EXIT_KERNEL;
}

int xfrm_request(struct call *c, const char *op, const char *line,
		 int (*row)(void *ctx, json_t *row))
{
	char *config = secret_alloc(REQUEST);
	struct ctl_request req = {.verb = "xfrm", .config = config, .row = row, .ctx = c};
	int rc;

	if (!config)
		return err_set(&c->e, ENOMEM, "%s", "");
	snprintf(config, REQUEST, "%s %s%s%s", c->object, op, *line ? " " : "", line);
	req.start = !strcmp(op, "add");
	rc = ctl_call(&req, &c->e);
	secret_free(config);
	if (rc != -ENOTCONN)
		return rc;
	/* no daemon: there is nothing, which a list says by being empty */
	if (!ctl_is_admin())
		return err_set(&c->e, EPERM, "%s", "");
	if (row || !strcmp(op, "flush"))
		return 0;
	return err_set(&c->e, !strcmp(c->object, "state") ? ESRCH : ENOENT, "%s", "");
}

/* Requests with the words of a state or policy; they go in tunld's own form. */
static int change(struct call *c, const char *op)
{
	char *line = secret_alloc(XFRM_LINE);
	struct sa_cfg *sa = secret_alloc(sizeof(*sa));
	struct policy_cfg policy;
	struct text t;
	bool state = !strcmp(c->object, "state");
	int err = line && sa ? 0 : err_set(&c->e, ENOMEM, "out of memory"), status = 0;

	if (!err)
		err = state ? sa_read(&c->w, sa) : policy_read(&c->w, &policy);
	if (err) {
		status = xfrm_complain(c);
	} else {
		text_init(&t, line, XFRM_LINE);
		if (state)
			sa_print(sa, false, &t);
		else
			policy_print(&policy, &t);
		if (xfrm_request(c, op, line, NULL))
			status = xfrm_refused(c);
	}
	secret_free(line);
	secret_free(sa);
	return status;
}

void xfrm_fill_id(const struct xfrm_name *id, const struct xfrm_markmask *m, struct text *t)
{
	u16 family = id->family ? id->family : XFRM_IP4;

	text_add(t, "src ");
	text_addr(t, &id->src, family);
	text_add(t, " dst ");
	text_addr(t, &id->dst, family);
	text_add(t, " proto %s spi 0x%08x", word_of_value(xfrm_protos, id->proto),
		 be32_host(id->spi));
	if (m->mask & m->value)
		text_mark(t, "mark", m);
}

/* ID [ mark M ] in any order, as `get` and `delete` of a state have it. */
static int read_id(struct call *c, struct text *t)
{
	struct xfrm_markmask mark = {0};
	struct xfrm_name id = {0};
	bool has_id = false;
	int err = 0;

	while (!err && words_peek(&c->w)) {
		if (words_take(&c->w, "mark")) {
			err = words_mark(&c->w, &mark);
		} else if (has_id) {
			err = words_bad(&c->w, words_peek(&c->w), "unknown");
		} else {
			has_id = true;
			err = words_id(&c->w, false, &id);
		}
	}
	if (!err && !has_id)
		err = err_exit(&c->e, EXIT_KERNEL, EINVAL, "RTNETLINK answers: Invalid argument");
	xfrm_fill_id(&id, &mark, t);
	return err;
}

int xfrm_print_row(void *ctx, json_t *row)
{
	struct call *c = ctx;
	const json_t *state = json_object_get(row, "state");
	struct sa_cfg *sa = secret_alloc(sizeof(*sa));
	char *line = secret_alloc(XFRM_LINE);
	struct policy_cfg policy;

	if (!sa || !line)
		return -ENOMEM;
	text_copy(line, XFRM_LINE,
		  json_string_value(state ? state : json_object_get(row, "policy")));
	if (c->rows)
		json_array_append(c->rows, row);
	else if (state && !sa_line(line, sa, NULL))
		xfrm_print_state(c->cli, sa, json_object_get(row, "live"), c->keys);
	else if (!state && !policy_line(line, &policy, NULL))
		xfrm_print_policy(c->cli, &policy,
				  (u64)json_integer_value(json_object_get(row, "add")));
	secret_free(line);
	secret_free(sa);
	return 0;
}

static int get_or_delete(struct call *c, const char *op)
{
	bool get = !strcmp(op, "get"), state = !strcmp(c->object, "state");
	char line[XFRM_LINE] = "";
	struct policy_cfg policy;
	struct text t;
	int err;

	text_init(&t, line, sizeof(line));
	if (get && state && c->keys)
		text_add(&t, "keys ");
	err = state ? read_id(c, &t) : policy_read(&c->w, &policy);
	if (err)
		return xfrm_complain(c);
	if (!state)
		policy_print(&policy, &t);
	return xfrm_request(c, op, line, get ? xfrm_print_row : NULL) ? xfrm_refused(c) : 0;
}

static int flush(struct call *c, const char *op)
{
	bool state = !strcmp(c->object, "state");
	static const struct word_value ptypes[] = {{"main", 0}, {"sub", 1}, {NULL, 0}};
	u32 value = 0;
	int err = 0;

	while (!err && words_peek(&c->w)) {
		if (words_take(&c->w, state ? "proto" : "ptype"))
			err = words_of_table(&c->w, state ? xfrm_protos : ptypes,
					     state ? "XFRM-PROTO value is invalid"
						   : "PTYPE value is invalid",
					     &value);
		else
			err = words_bad(&c->w, words_peek(&c->w), "unknown");
	}
	if (err)
		return xfrm_complain(c);
	/* nothing to flush is no error to iproute2 */
	if (xfrm_request(c, op, !state && value ? "sub" : "", NULL) && c->e.code != ESRCH)
		return xfrm_refused(c);
	return 0;
}

static int count_row(void *ctx, json_t *row)
{
	struct call *c = ctx;

	if (c->rows)
		json_array_append(c->rows, row);
	else if (json_object_get(row, "states"))
		printf("\t SAD count %lld\n", json_integer_value(json_object_get(row, "states")));
	else
		printf("\t SPD IN  %lld OUT %lld FWD %lld\n",
		       json_integer_value(json_object_get(row, "in")),
		       json_integer_value(json_object_get(row, "out")),
		       json_integer_value(json_object_get(row, "fwd")));
	return 0;
}

static int count(struct call *c, const char *op)
{
	return xfrm_request(c, op, "", count_row) ? xfrm_refused(c) : 0;
}

static int help(struct call *c, const char *op)
{
	(void)op;
	xfrm_usage(c->object);
	return EXIT_SYNTAX;
}

/* In the order in which beginnings are tried, as ip does. */
static const struct {
	const char *word, *op;
	int (*run)(struct call *c, const char *op);
} verbs[] = {
	{"add", "add", change},
	{"update", "update", change},
	{"delete", "delete", get_or_delete},
	{"deleteall", NULL, xfrm_delete_all},
	{"delall", NULL, xfrm_delete_all},
	{"list", "list", xfrm_list},
	{"show", "list", xfrm_list},
	{"lst", "list", xfrm_list},
	{"get", "get", get_or_delete},
	{"flush", "flush", flush},
	{"count", "count", count},
	{"help", NULL, help},
};

static int run(struct call *c, const char *verb)
{
	if (!verb)
		return xfrm_list(c, "list");
	for (u32 i = 0; i < countof(verbs); i++)
		if (text_is_prefix(verb, verbs[i].word))
			return verbs[i].run(c, verbs[i].op);
	fprintf(stderr, "Command \"%s\" is unknown, try \"%s xfrm %s help\".\n", verb,
		c->cli->dialect == DIALECT_IP ? "ip" : "tunl", c->object);
	return EXIT_SYNTAX;
}

static int stat_row(void *ctx, json_t *row)
{
	struct call *c = ctx;
	const char *name;
	json_t *value;

	if (c->rows)
		return json_array_append(c->rows, row);
	json_object_foreach(row, name, value)
	{
		printf("%-24s\t%lld\n", name, json_integer_value(value));
	}
	return 0;
}

/* The counters, as /proc/net/xfrm_stat has them. */
static int stats(struct call *c)
{
	c->object = "stat";
	return xfrm_request(c, "get", "", stat_row) ? xfrm_refused(c) : 0;
}

/* The real ip, with the options that matter to it. */
static int real_ip(const struct cli *cli, int argc, char **argv)
{
	static char ip[] = "ip", s[] = "-s", o[] = "-o", xfrm[] = "xfrm";
	char **words = calloc((size_t)argc + 5, sizeof(*words));
	int n = 0;

	if (!words)
		return EXIT_REFUSED;
	words[n++] = ip;
	if (cli->stats)
		words[n++] = s;
	if (cli->oneline)
		words[n++] = o;
	words[n++] = xfrm;
	memcpy(words + n, argv, (size_t)argc * sizeof(*words));
	return ip_real_exec(words);
}

static const char *object_of(const char *word)
{
	if (text_is_prefix(word, "state") || text_is_prefix(word, "sa"))
		return "state";
	return text_is_prefix(word, "policy") ? "policy" : NULL;
}

int xfrm_main(const struct cli *cli, int argc, char **argv)
{
	struct call c = {.cli = cli, .keys = cli->dialect == DIALECT_IP};
	int status;

	/* as `ip` that was asked already */
	if (cli->dialect == DIALECT_TUNL && (argc || !cli->stats) && xfrm_kernel_has_esp())
		return real_ip(cli, argc, argv);
	c.object = argc ? object_of(argv[0]) : NULL;
	if (!c.object && (argc || !cli->stats)) {
		xfrm_usage(NULL);
		return EXIT_SYNTAX;
	}
	c.rows = cli->json ? json_array() : NULL;
	c.w = (struct words){.argc = argc, .argv = argv, .at = 2, .e = &c.e, .ifindex = ifindex_of};
	c.w.at = min_of(argc, 2);
	status = c.object ? run(&c, argc > 1 ? argv[1] : NULL) : stats(&c);
	if (c.rows && !status) {
		json_dumpf(c.rows, stdout, cli->pretty ? JSON_INDENT(4) : JSON_COMPACT);
		putchar('\n');
	}
	json_decref(c.rows);
	return status;
}
