/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ruleset as nft tells it in JSON (libnftables-json(5)). A rule that drops or
 * rejects, and names an outer protocol of the patient's, is told with what it means for
 * the tunnel's datapath (doc/security.md). No nft, or nothing in it: no finding.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "mode/mode.h"

enum { JUMPS = 4 };

/* Read what nft says; the process is nft by its path, with arguments of ours alone. */
static json_t *ask_nft(const char *path)
{
	static char me[] = "nft", j[] = "-j", list[] = "list", ruleset[] = "ruleset";
	char *argv[] = {me, j, list, ruleset, NULL};
	int p[2], null;
	json_t *root;
	pid_t pid;
	FILE *f;

	if (pipe2(p, O_CLOEXEC))
		return NULL;
	pid = fork();
	if (pid == 0) {
		null = open("/dev/null", O_RDWR);
		dup2(null, STDIN_FILENO);
		dup2(p[1], STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execv(path, argv);
		_exit(127);
	}
	close(p[1]);
	f = fdopen(p[0], "r");
	root = f && pid > 0 ? json_loadf(f, 0, NULL) : NULL;
	if (f)
		fclose(f);
	else
		close(p[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return root;
}

json_t *nft_ruleset(void)
{
	static const char *const paths[] = {"/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft"};
	json_t *root = NULL, *rules;

	for (size_t i = 0; !root && i < countof(paths); i++)
		if (access(paths[i], X_OK) == 0)
			root = ask_nft(paths[i]);
	rules = json_incref(json_object_get(root, "nftables"));
	json_decref(root);
	return rules;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static bool same(const json_t *a, const json_t *b, const char *key)
{
	return !strcmp(text_of(a, key), text_of(b, key));
}

/* The chain that a rule or a jump is in; borrowed. NULL: none. */
static const json_t *chain_named(const json_t *rules, const json_t *at, const char *name)
{
	const json_t *o, *c;
	size_t i;

	json_array_foreach((json_t *)rules, i, o)
	{
		c = json_object_get(o, "chain");
		if (c && same(c, at, "family") && same(c, at, "table") &&
		    !strcmp(text_of(c, "name"), name))
			return c;
	}
	return NULL;
}

/* Whether some statement of a rule jumps to that chain. */
static bool jumps_to(const json_t *rule, const char *name)
{
	const json_t *expr;
	size_t i;

	json_array_foreach(
		json_object_get(rule, "expr"), i,
		expr) if (!strcmp(text_of(json_object_get(expr, "jump"), "target"), name) ||
			  !strcmp(text_of(json_object_get(expr, "goto"), "target"),
				  name)) return true;
	return false;
}

/* The hook that leads to a chain, by itself or by a jump; "": none. */
static const char *hook_of(const json_t *rules, const json_t *chain, u32 depth)
{
	const char *hook = text_of(chain, "hook");
	const json_t *o, *rule, *from;
	size_t i;

	if (*hook || !depth)
		return hook;
	json_array_foreach((json_t *)rules, i, o)
	{
		rule = json_object_get(o, "rule");
		if (!rule || !same(rule, chain, "family") || !same(rule, chain, "table") ||
		    !jumps_to(rule, text_of(chain, "name")))
			continue;
		from = chain_named(rules, rule, text_of(rule, "chain"));
		hook = from ? hook_of(rules, from, depth - 1) : "";
		if (*hook)
			return hook;
	}
	return "";
}

/* A protocol as nft writes it: a number, or a word of /etc/protocols. */
static bool is_proto(const json_t *v, u8 proto)
{
	static const struct {
		const char *word;
		u8 proto;
	} words[] = {{"ipip", PROTO_IPIP}, {"ipencap", PROTO_IPIP}, {"ip-in-ip", PROTO_IPIP},
		     {"ipv4", PROTO_IPIP}, {"ipv6", PROTO_IPV6},    {"gre", PROTO_GRE},
		     {"esp", PROTO_ESP}};
	const json_t *one;
	size_t i;

	if (json_is_integer(v))
		return json_integer_value(v) == proto;
	for (i = 0; json_is_string(v) && i < countof(words); i++)
		if (words[i].proto == proto && !strcmp(words[i].word, json_string_value(v)))
			return true;
	json_array_foreach(json_object_get(v, "set"), i, one) if (is_proto(one, proto)) return true;
	return false;
}

/* Whether a match names the protocol of the IPv4 header. */
static bool names_proto(const json_t *match, u8 proto)
{
	const json_t *left = json_object_get(match, "left");
	const json_t *payload = json_object_get(left, "payload");
	const char *meta = text_of(json_object_get(left, "meta"), "key"),
		   *op = text_of(match, "op");

	if (strcmp(op, "==") && strcmp(op, "in"))
		return false;
	return (!strcmp(meta, "l4proto") || (!strcmp(text_of(payload, "protocol"), "ip") &&
					     !strcmp(text_of(payload, "field"), "protocol"))) &&
	       is_proto(json_object_get(match, "right"), proto);
}

static bool drops(const json_t *rule, u8 proto)
{
	bool named = false, lost = false;
	const json_t *expr;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, expr)
	{
		named |= names_proto(json_object_get(expr, "match"), proto);
		lost |= json_object_get(expr, "drop") || json_object_get(expr, "reject");
	}
	return named && lost;
}

/* What a hook means for a datapath. */
static bool stops(const char *hook, bool bpf)
{
	if (!strcmp(hook, "egress"))
		return true;
	if (!strcmp(hook, "ingress") || !strcmp(hook, "output") || !strcmp(hook, "postrouting"))
		return !bpf;
	return false;
}

static void tell_rule(struct doctor *d, const json_t *rule, const char *hook, u8 proto)
{
	bool bpf = !strcmp(d->patient->row->datapath, "bpf"), stopped = stops(hook, bpf);
	struct diagnosis g = {0};
	char word[8];

	if (stopped)
		say_finding(&g, "a rule drops the tunnel's packets, protocol %u (%s)", proto,
			    trace_proto(proto, word));
	else
		say_finding(&g,
			    "a rule drops protocol %u (%s), which stops a driver's tunnel, but not "
			    "this "
			    "one",
			    proto, trace_proto(proto, word));
	say_evidence(&g, "nft: table %s %s, chain %s (hook %s), handle %lld",
		     text_of(rule, "family"), text_of(rule, "table"), text_of(rule, "chain"), hook,
		     (long long)json_integer_value(json_object_get(rule, "handle")));
	say_remedy(&g, "`nft delete rule %s %s %s handle %lld`%s", text_of(rule, "family"),
		   text_of(rule, "table"), text_of(rule, "chain"),
		   (long long)json_integer_value(json_object_get(rule, "handle")),
		   stopped ? ", or accept it before" : "; what bpf takes is stopped with tc only");
	doctor_tell(d, stopped, &g);
}

static void look_at_rule(struct doctor *d, const json_t *rule)
{
	const struct mode *m = mode_by_id(d->patient->row->cfg.mode);
	const struct mode_info *info = mode_info(d->patient->row->cfg.mode);
	u8 proto = m && m->esp ? PROTO_ESP : info->proto;
	const json_t *chain = chain_named(d->nft, rule, text_of(rule, "chain"));
	const char *hook = chain ? hook_of(d->nft, chain, JUMPS) : "";

	if (*hook && strcmp(hook, "forward") && drops(rule, proto))
		tell_rule(d, rule, hook, proto);
}

void check_nftables(struct doctor *d)
{
	const json_t *o, *rule;
	size_t i;

	json_array_foreach(d->nft, i, o)
	{
		rule = json_object_get(o, "rule");
		if (rule)
			look_at_rule(d, rule);
	}
}
