/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/opts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/text.h"

enum opt_kind {
	OPT_FLAG,
	OPT_COLOR,
	OPT_NETNS,
	OPT_BATCH,
	OPT_FAMILY,
	OPT_IPV4,
	OPT_IPV6,
	OPT_VERSION,
	OPT_HELP
};

struct opt {
	struct opt_row row;
	enum opt_kind kind;
	bool late;     /* behind the verb too */
	size_t offset; /* OPT_FLAG: of the bool in struct cli */
};

#define ROW(w, a, l, h) .row = {.word = w, .arg = a, .letter = l, .help = h}
#define FLAG(w, l, member, is_late, h)                                                             \
	{                                                                                          \
		ROW(w, NULL, l, h), .kind = OPT_FLAG, .late = is_late,                             \
				    .offset = offsetof(struct cli, member)                         \
	}

/* In the order in which beginnings are tried. */
static const struct opt opts[] = {
	FLAG("statistics", 's', stats, true, "with counters, and why packets were not carried"),
	FLAG("details", 'd', details, true, "with the datapath in use and why"),
	FLAG("json", 'j', json, true, "as JSON"),
	FLAG("pretty", 'p', pretty, true, "JSON for people"),
	FLAG("oneline", 'o', oneline, true, "one line a tunnel"),
	{ROW("color", NULL, 'c', "in colour, on a terminal; =always, =never"), .kind = OPT_COLOR},
	FLAG("resolve", 'r', resolve, false, "names instead of addresses"),
	{ROW("netns", "NETNS", 'n', "in that network namespace"), .kind = OPT_NETNS},
	{ROW("batch", "FILE", 'b', "take commands from FILE, one a line"), .kind = OPT_BATCH},
	{ROW("family", "inet", 0, NULL), .kind = OPT_FAMILY},
	FLAG("force", 0, force, false, "with -batch: go on after a failed one"),
	FLAG("Numeric", 'N', numeric, true, "numbers instead of names"),
	{ROW("Version", NULL, 'V', "print the version"), .kind = OPT_VERSION},
	{ROW("4", NULL, 0, NULL), .kind = OPT_IPV4},
	{ROW("6", NULL, 0, NULL), .kind = OPT_IPV6},
	{ROW("help", NULL, 'h', "print the words"), .kind = OPT_HELP},
};

const struct opt_row *opts_row(size_t i)
{
	return i < countof(opts) ? &opts[i].row : NULL;
}

/* Whether word, its dashes gone, is a beginning of the option's; `=WHEN` may follow -color. */
static bool opt_is(const struct opt *o, const char *word)
{
	size_t n = o->kind == OPT_COLOR ? strcspn(word, "=") : strlen(word);

	return n && !strncmp(word, o->row.word, n);
}

/* The option that word is, dash or two before it; NULL: none. */
static const struct opt *opt_find(const char *word)
{
	word += word[0] == '-' && word[1] == '-' ? 2 : 1;
	if (!strcmp(word, "f")) /* -force and -family: as iproute2, the latter */
		word = "family";
	for (u32 i = 0; i < countof(opts); i++)
		if (opt_is(&opts[i], word))
			return &opts[i];
	return NULL;
}

/* "-c", "-color=always|auto|never": on a terminal only, unless always. */
static bool color_wanted(const char *word)
{
	const char *when = strchr(word, '='), *no = getenv("NO_COLOR");

	if (when && !strcmp(when, "=always"))
		return true;
	if (when && !strcmp(when, "=never"))
		return false;
	return isatty(STDOUT_FILENO) && !(no && *no);
}

static int syntax(int *status, const char *text, const char *word)
{
	fprintf(stderr, "%s \"%s\"\n", text, word);
	*status = EXIT_SYNTAX;
	return -1;
}

static int enter_netns(const char *name, int *status)
{
	char path[512];
	struct text t;
	int fd, rc;

	text_init(&t, path, sizeof(path));
	text_add(&t, "%s%s", strchr(name, '/') ? "" : "/run/netns/", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "Cannot open network namespace \"%s\": %s\n", name,
			strerror(errno));
		*status = EXIT_SYNTAX;
		return -1;
	}
	rc = setns(fd, CLONE_NEWNET);
	if (rc) {
		fprintf(stderr, "setting the network namespace \"%s\" failed: %s\n", name,
			strerror(errno));
		*status = EXIT_SYNTAX;
	}
	close(fd);
	return rc;
}

static int opt_apply(const struct opt *o, char **argv, struct cli *cli, int *status)
{
	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)((char *)cli + o->offset) = true;
		return 0;
	case OPT_COLOR:
		cli->color = color_wanted(argv[0]);
		return 0;
	case OPT_NETNS:
		return enter_netns(argv[1], status);
	case OPT_BATCH:
		cli->batch = argv[1];
		return 0;
	case OPT_FAMILY:
		return strcmp(argv[1], "inet")
			       ? syntax(status, "Unsupported protocol family:", argv[1])
			       : 0;
	case OPT_IPV4:
		return 0;
	case OPT_IPV6:
		return syntax(status, "tunl's tunnels have an IPv4 outer header: no", argv[0]);
	case OPT_VERSION:
		puts("tunl " TUNL_VERSION);
		*status = 0;
		return -1;
	case OPT_HELP:
		*status = tunnel_main(cli, 1, (char *[]){"help", NULL});
		return -1;
	}
	return -1;
}

int opts_read(int argc, char **argv, struct cli *cli, int *status)
{
	int i = 0;

	while (i < argc && argv[i][0] == '-' && argv[i][1]) {
		const struct opt *o;

		if (!strcmp(argv[i], "--"))
			return i + 1;
		o = opt_find(argv[i]);
		if (!o) {
			fprintf(stderr, "Option \"%s\" is unknown, try \"%s -help\".\n", argv[i],
				cli->me);
			*status = EXIT_SYNTAX;
			return -1;
		}
		if (o->row.arg && i + 1 == argc) {
			fputs("Command line is not complete. Try option \"help\"\n", stderr);
			*status = EXIT_SYNTAX;
			return -1;
		}
		if (opt_apply(o, argv + i, cli, status))
			return -1;
		i += o->row.arg ? 2 : 1;
	}
	return i;
}

int opts_after_verb(int argc, char **argv, struct cli *cli)
{
	int n = 1, status;

	while (n < argc && argv[n][0] == '-' && argv[n][1]) {
		const struct opt *o = opt_find(argv[n]);

		if (!strcmp(argv[n], "--config"))
			cli->config = true;
		else if (o && o->late)
			opt_apply(o, argv + n, cli, &status);
		else
			break;
		n++;
	}
	if (n > 1)
		memmove(argv + 1, argv + n, sizeof(*argv) * (size_t)(argc - n + 1));
	return argc - n + 1;
}
