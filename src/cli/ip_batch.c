/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `ip -batch FILE` (spec cli 1.1). A file with no line of ours goes to the real
 * ip as it is. Otherwise our lines are served here, each in a child (they may
 * enter namespaces), and the runs of lines between them by a real
 * `ip -batch -` a run, fed through a pipe: one process for many lines. A run
 * begins with as many empty lines as went before, so that line numbers agree.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/ip_call.h"

enum { BATCH_WORDS = 512 };

struct batch {
	const struct ip_call *call;
	const char *name; /* as given: `-` is stdin */
	FILE *in;
	unsigned line; /* number of the line read last */
	int status;    /* of the whole */
	/* the real ip that runs the present run of lines; 0: none */
	pid_t run;
	FILE *feed;
	int run_err; /* its stderr, where its name for the file is not ours; -1 */
};

/* A command: as it stands in the file, and cut into words. */
struct command {
	char *raw; /* with comments and continued lines */
	size_t len;
	char *text; /* without them; the words point into it */
	size_t text_len;
	char *words[BATCH_WORDS];
	int n;
};

static void command_free(struct command *c)
{
	free(c->raw);
	free(c->text);
	c->raw = c->text = NULL;
}

/* What of a line is command; whether the next line belongs to it. */
static bool line_text(char *line, FILE *text)
{
	char *hash = strchr(line, '#'), *joined;

	if (hash)
		*hash = '\0';
	joined = strstr(line, "\\\n");
	if (joined)
		*joined = '\0';
	fputs(line, text);
	return joined;
}

/*
 * Read a line, and those that a backslash at its end joins to it. Comments go
 * from # to the end of the line, wherever it stands. False: the end of the file.
 */
static bool command_read(struct batch *b, struct command *c)
{
	FILE *raw, *text;
	char *line = NULL;
	size_t room = 0;
	bool joined = true;

	command_free(c);
	raw = open_memstream(&c->raw, &c->len);
	text = open_memstream(&c->text, &c->text_len);
	while (raw && text && joined && getline(&line, &room, b->in) > 0) {
		b->line++;
		fputs(line, raw);
		joined = line_text(line, text);
	}
	free(line);
	if (raw)
		fclose(raw);
	if (text)
		fclose(text);
	return c->raw && c->text && c->len > 0;
}

/* Cut text into words as ip does: quotes count only at the beginning of a word. */
static bool command_split(struct command *c)
{
	static const char blank[] = " \t\r\n";
	char *p = c->text;

	c->n = 0;
	for (p += strspn(p, blank); *p; p += strspn(p, blank)) {
		bool quoted = *p == '\'' || *p == '"';
		char *end = quoted ? strchr(p + 1, *p) : p + strcspn(p, blank);

		if (!end || c->n == BATCH_WORDS - 1)
			return false;
		c->words[c->n++] = p + quoted;
		if (!*end)
			break;
		*end = '\0';
		p = end + 1;
	}
	c->words[c->n] = NULL;
	return true;
}

static bool command_is_ours(const struct batch *b, struct command *c)
{
	return command_split(c) && c->n && ip_who(b->call, c->n, c->words) == IP_OURS;
}

/* --- the lines that are not ours */

static void run_spawn(struct batch *b, int in)
{
	const struct ip_fds fds = {in, -1, b->run_err};
	const char *netns = b->call->netns;
	char **argv;
	int n;

	argv = ip_opts_copy(b->call, 4, &n);
	if (!argv)
		return;
	if (netns) {
		argv[n++] = (char *)"-netns";
		argv[n++] = (char *)netns;
	}
	argv[n++] = (char *)"-batch";
	argv[n++] = (char *)"-";
	b->run = ip_real_spawn(argv, &fds);
	free(argv);
}

static bool run_start(struct batch *b, unsigned lines_before)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) < 0)
		return false;
	b->run_err = strcmp(b->name, "-") ? memfd_create("ip-batch", MFD_CLOEXEC) : -1;
	run_spawn(b, fd[0]);
	close(fd[0]);
	b->feed = b->run > 0 ? fdopen(fd[1], "w") : NULL;
	if (!b->feed) {
		close(fd[1]);
		b->run = 0;
		return false;
	}
	while (lines_before--)
		putc('\n', b->feed);
	return true;
}

/* The run knows the file as `-`. */
static void run_say(const struct batch *b)
{
	static const char mine[] = "Command failed -:";
	char *line = NULL;
	size_t room = 0;
	FILE *f;

	lseek(b->run_err, 0, SEEK_SET);
	f = fdopen(b->run_err, "r");
	while (f && getline(&line, &room, f) > 0) {
		if (!strncmp(line, mine, strlen(mine)))
			fprintf(stderr, "Command failed %s:%s", b->name, line + strlen(mine));
		else
			fputs(line, stderr);
	}
	free(line);
	if (f)
		fclose(f);
}

/* A command has ended with status. Whether the batch goes on. */
static bool batch_goes_on(struct batch *b, int status)
{
	if (status)
		b->status = status == EXIT_SYNTAX ? EXIT_SYNTAX : EXIT_REFUSED;
	return !status || (b->call->cli.force && status != EXIT_SYNTAX);
}

/* End of a run of lines. Whether the batch goes on. */
static bool run_end(struct batch *b)
{
	int status;

	if (!b->run)
		return true;
	fclose(b->feed);
	status = ip_real_wait(b->run);
	if (b->run_err >= 0)
		run_say(b);
	b->run = 0;
	return batch_goes_on(b, status);
}

static bool run_line(struct batch *b, const struct command *c, unsigned lines_before)
{
	if (!b->run && !run_start(b, lines_before))
		return batch_goes_on(b, EXIT_REFUSED);
	fwrite(c->raw, 1, c->len, b->feed);
	/* where the real ip has ended already, the pipe is broken: run_end() learns why */
	if (fflush(b->feed) == 0)
		return true;
	run_end(b);
	return false;
}

/* --- ours */

/* In the child: as if the words stood alone after ip's global options. */
static int ours_serve(const struct batch *b, const struct command *c)
{
	struct ip_call call = *b->call;
	char **argv = ip_opts_copy(b->call, c->n, &call.object);
	int status = EXIT_SYNTAX;

	if (!argv)
		return EXIT_REFUSED;
	memcpy(argv + call.object, c->words, (c->n + 1) * sizeof(*argv));
	call.argv = argv;
	call.argc = call.object + c->n;
	call.cli.batch = NULL;
	call.netns = NULL;
	if (!b->call->netns || ip_netns_enter(b->call->netns))
		status = ip_serve(&call, c->n, argv + call.object);
	free(argv);
	return status;
}

static int ours_run(const struct batch *b, const struct command *c)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int status;

		signal(SIGPIPE, SIG_DFL);
		status = ours_serve(b, c);
		fflush(NULL);
		_exit(status);
	}
	if (pid > 0)
		return ip_real_wait(pid);
	fprintf(stderr, "tunl: cannot start a process: %s\n", strerror(errno));
	return EXIT_REFUSED;
}

static bool ours_line(struct batch *b, const struct command *c)
{
	int status;

	if (!run_end(b))
		return false;
	status = ours_run(b, c);
	if (status && status != EXIT_SYNTAX)
		fprintf(stderr, "Command failed %s:%u\n", b->name, b->line);
	return batch_goes_on(b, status);
}

static int batch_lines(struct batch *b)
{
	struct command c = {0};
	unsigned before = 0;
	bool on = true;

	signal(SIGPIPE, SIG_IGN);
	while (on && command_read(b, &c)) {
		on = command_is_ours(b, &c) ? ours_line(b, &c) : run_line(b, &c, before);
		before = b->line;
	}
	run_end(b);
	command_free(&c);
	return b->status;
}

/* Whether any line is ours; the file is back at its beginning afterwards. */
static bool batch_concerns_us(struct batch *b)
{
	off_t start = ftello(b->in);
	struct command c = {0};
	bool ours = false;

	while (!ours && command_read(b, &c))
		ours = command_is_ours(b, &c);
	command_free(&c);
	fseeko(b->in, start, SEEK_SET);
	lseek(fileno(b->in), start, SEEK_SET);
	b->line = 0;
	return ours;
}

int ip_batch(const struct ip_call *call)
{
	struct batch b = {.call = call, .name = call->cli.batch, .run_err = -1};
	bool is_stdin = !strcmp(b.name, "-");
	struct stat st;
	int status;

	b.in = is_stdin ? stdin : fopen(b.name, "re");
	if (!b.in)
		return ip_real_exec(call->argv);
	/* what cannot be read twice is run line by line as it comes */
	if (fstat(fileno(b.in), &st) == 0 && S_ISREG(st.st_mode) && !batch_concerns_us(&b)) {
		if (!is_stdin)
			fclose(b.in);
		return ip_real_exec(call->argv);
	}
	status = batch_lines(&b);
	if (!is_stdin)
		fclose(b.in);
	return status;
}
