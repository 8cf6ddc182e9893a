/* SPDX-License-Identifier: BSD-2-Clause */
/* The words after `tunl lab`. */
#include "lab/lab.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "lab/lab_build.h"
#include "lab/lab_file.h"
#include "lab/lab_rootless.h"
#include "lab/lab_standing.h"
#include "lab/lab_story.h"
#include "lib/types.h"

enum { STATUS_SYNTAX = 255 };

static const char usage[] =
	"Usage: tunl lab run  [LAB] [--datapath bpf|user|auto] [--keep] [--pcap FILE] [--id ID] "
	"[-j] [-q]\n"
	"       tunl lab up   [LAB] [--datapath bpf|user|auto] [--id ID] [-j] [-q]\n"
	"       tunl lab report [LAB] [FILE.html] [--datapath bpf|user|auto] [--id ID] [-q]\n"
	"       tunl lab exec [ID] NET COMMAND...\n"
	"       tunl lab status [-j]\n"
	"       tunl lab down [ID|--all] [-q]\n"
	"       tunl lab list [-j]\n"
	"       tunl lab show LAB\n"
	"\n"
	"run builds a lab in namespaces of its own, pings through the tunnel, explains what\n"
	"was on the wire and takes it down again; up leaves it standing; report does as run\n"
	"does, and draws it all on one page. LAB is one that list names, or a file of yours\n"
	"(./mine.lab; show prints one to copy).\n"
	"\n"
	"   --datapath  which datapath carries the tunnel (auto: tunld's choice)\n"
	"   --keep      leave the lab standing\n"
	"   --pcap      save the packets there, not in a new file in /tmp\n"
	"   --id        the lab's name: up to 8 of a-z and 0-9\n"
	"   -j          JSON\n"
	"   -q          only the result\n";

/* What the options have said. */
struct words {
	struct lab_opts o;
	const char *free; /* the word that is no option */
	const char *page; /* the word that ends in .html */
	bool all;
};

enum {
	TAKES_DATAPATH = 1 << 0,
	TAKES_KEEP = 1 << 1,
	TAKES_PCAP = 1 << 2,
	TAKES_ID = 1 << 3,
	TAKES_JSON = 1 << 4,
	TAKES_QUIET = 1 << 5,
	TAKES_ALL = 1 << 6,
	TAKES_WORD = 1 << 7,
	TAKES_PAGE = 1 << 8,
};

static int cmd_run(struct words *w);
static int cmd_up(struct words *w);
static int cmd_report(struct words *w);
static int cmd_show(struct words *w);
static int cmd_status(struct words *w);
static int cmd_down(struct words *w);
static int cmd_list(struct words *w);

static const struct command {
	const char *word;
	unsigned takes;
	int (*run)(struct words *w);
} commands[] = {
	{"run",
	 TAKES_DATAPATH | TAKES_KEEP | TAKES_PCAP | TAKES_ID | TAKES_JSON | TAKES_QUIET |
		 TAKES_WORD,
	 cmd_run},
	{"up", TAKES_DATAPATH | TAKES_ID | TAKES_JSON | TAKES_QUIET | TAKES_WORD, cmd_up},
	{"report", TAKES_DATAPATH | TAKES_PCAP | TAKES_ID | TAKES_QUIET | TAKES_WORD | TAKES_PAGE,
	 cmd_report},
	{"show", TAKES_WORD, cmd_show},
	{"status", TAKES_JSON, cmd_status},
	{"down", TAKES_ALL | TAKES_QUIET | TAKES_WORD, cmd_down},
	{"list", TAKES_JSON, cmd_list},
};

static const struct option {
	const char *word;
	unsigned takes;
	size_t text; /* offset of the text it fills; 0: it is a flag */
	size_t flag;
} options[] = {
	{"--datapath", TAKES_DATAPATH, offsetof(struct words, o.datapath), 0},
	{"--pcap", TAKES_PCAP, offsetof(struct words, o.pcap), 0},
	{"--id", TAKES_ID, offsetof(struct words, o.id), 0},
	{"--keep", TAKES_KEEP, 0, offsetof(struct words, o.keep)},
	{"--all", TAKES_ALL, 0, offsetof(struct words, all)},
	{"-j", TAKES_JSON, 0, offsetof(struct words, o.json)},
	{"--json", TAKES_JSON, 0, offsetof(struct words, o.json)},
	{"-q", TAKES_QUIET, 0, offsetof(struct words, o.quiet)},
	{"--quiet", TAKES_QUIET, 0, offsetof(struct words, o.quiet)},
};

static int wrong(const char *what, const char *word)
{
	fprintf(stderr, "tunl lab: %s \"%s\"\n%s", what, word, usage);
	return STATUS_SYNTAX;
}

static const struct option *option_find(const char *word, unsigned takes)
{
	for (size_t i = 0; i < countof(options); i++)
		if (options[i].takes & takes && !strcmp(options[i].word, word))
			return &options[i];
	return NULL;
}

static bool is_page(const char *word)
{
	size_t n = strlen(word);

	return !strcmp(word, "-") || (n > 5 && !strcmp(word + n - 5, ".html"));
}

/* 0, or the exit status of a wrong command line. */
static int words_read(struct words *w, const struct command *c, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const struct option *opt = option_find(argv[i], c->takes);

		if (opt && !opt->text) {
			*(bool *)((char *)w + opt->flag) = true;
		} else if (opt) {
			if (i + 1 == argc)
				return wrong("a value is missing after", argv[i]);
			*(const char **)((char *)w + opt->text) = argv[++i];
		} else if (c->takes & TAKES_PAGE && is_page(argv[i]) && !w->page) {
			w->page = argv[i];
		} else if (argv[i][0] == '-' || !(c->takes & TAKES_WORD) || w->free) {
			return wrong("what is", argv[i]);
		} else {
			w->free = argv[i];
		}
	}
	return 0;
}

/* Hold the values against what may be; 0, or the exit status. */
static int story_words(struct words *w)
{
	struct lab_opts *o = &w->o;

	if (o->datapath && !strcmp(o->datapath, "auto"))
		o->datapath = NULL;
	if (o->datapath && strcmp(o->datapath, "bpf") && strcmp(o->datapath, "user"))
		return wrong("there is no datapath", o->datapath);
	if (o->id && !lab_id_is_valid(o->id))
		return wrong("a lab's name is up to 8 of a-z and 0-9, not", o->id);
	return 0;
}

static int complain(const struct err *e)
{
	fprintf(stderr, "tunl lab: %s\n", e->text);
	return 1;
}

/* The lab that is meant; 0, or the exit status. */
static int load(struct words *w)
{
	struct err e = {0};

	w->o.topo = lab_load(w->free ? w->free : LAB_DEFAULT, &e);
	if (w->o.topo)
		return 0;
	if (e.code == ENOENT && !strncmp(e.text, "`tunl lab list`", 15))
		return wrong("`tunl lab list` has no lab", w->free);
	return complain(&e);
}

/* Without root: in a user namespace, on the datapath that can be had there. */
static int go_rootless(struct lab_opts *o, struct err *e)
{
	pid_t keeper = lab_home_find();
	int err = lab_check_needs(e);

	if (err)
		return err;
	if (o->datapath && strcmp(o->datapath, "user"))
		return err_set(e, EPERM, "the %s datapath needs root; `--datapath user` does not",
			       o->datapath);
	o->datapath = "user";
	if (!o->keep && !o->up)
		return lab_rootless_enter(e);
	if (!keeper)
		err = lab_home_make(&keeper, e);
	return err ? err : lab_home_join(keeper, e);
}

/* To where the labs are that were left standing. */
static int go_home(struct err *e)
{
	pid_t keeper = lab_is_privileged() ? 0 : lab_home_find();

	return keeper ? lab_home_join(keeper, e) : 0;
}

static int cmd_run(struct words *w)
{
	struct err e;
	int status = story_words(w);

	if (!status)
		status = load(w);
	if (status)
		return status;
	if (!lab_is_privileged() && go_rootless(&w->o, &e) < 0)
		status = complain(&e);
	else
		status = lab_story(&w->o);
	lab_topo_free(w->o.topo);
	return status;
}

/* The page of a lab, in this folder unless told otherwise. */
static int cmd_report(struct words *w)
{
	char path[LAB_NAME_MAX + 24];
	const char *slash = w->free ? strrchr(w->free, '/') : NULL;
	const char *name = slash ? slash + 1 : w->free ? w->free : LAB_DEFAULT;

	snprintf(path, sizeof(path), "./tunl-lab-%.*s.html", (int)min_of(strcspn(name, "."), 31ul),
		 name);
	w->o.report = w->page ? w->page : path;
	return cmd_run(w);
}

/* The text of a lab, to be copied and changed. */
static int cmd_show(struct words *w)
{
	struct lab_builtin b;

	if (!lab_builtin_find(w->free ? w->free : LAB_DEFAULT, &b))
		return wrong("`tunl lab list` has no lab", w->free);
	fwrite(b.text, 1, b.len, stdout);
	return 0;
}

static int cmd_up(struct words *w)
{
	w->o.up = true;
	return cmd_run(w);
}

static int cmd_status(struct words *w)
{
	struct err e;

	return go_home(&e) < 0 ? complain(&e) : lab_status(w->o.json);
}

static int cmd_down(struct words *w)
{
	struct err e;

	if (w->all && w->free)
		return wrong("with --all there is no need of", w->free);
	return go_home(&e) < 0 ? complain(&e) : lab_down(w->free, w->all, w->o.quiet);
}

static int cmd_list(struct words *w)
{
	json_t *all = json_array();
	struct lab_builtin b;
	struct err e;

	for (size_t i = 0; lab_builtin_get(i, &b); i++) {
		struct lab_topo *t = lab_file_parse(b.name, b.text, b.len, &e);

		if (!t)
			return complain(&e);
		json_array_append_new(all, json_pack("{s:s, s:s, s:s}", "name", t->name, "title",
						     t->title, "about", t->about));
		if (!w->o.json)
			printf("%-8s %s\n", t->name, t->title);
		lab_topo_free(t);
	}
	if (w->o.json)
		json_dumpf(all, stdout, JSON_INDENT(2));
	if (w->o.json)
		putchar('\n');
	json_decref(all);
	return 0;
}

static int help(void)
{
	fputs(usage, stdout);
	return 0;
}

int lab_main(int argc, char **argv)
{
	struct words w = {0};
	const char *word = argc > 1 ? argv[1] : "";
	struct err e;
	int status;

	lab_complete_path();
	if (!strcmp(word, "exec"))
		return go_home(&e) < 0 ? complain(&e) : lab_exec(argc - 2, argv + 2);
	if (!strcmp(word, "help") || !strcmp(word, "-h") || !strcmp(word, "--help"))
		return help();
	for (size_t i = 0; i < countof(commands); i++) {
		if (strcmp(commands[i].word, word))
			continue;
		status = words_read(&w, &commands[i], argc - 2, argv + 2);
		return status ? status : commands[i].run(&w);
	}
	return wrong("there is no command", word);
}
