/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/batch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_WORDS = 100 };

/* End of the word that begins at p, behind its closing quote or at its blank. */
static char *word_end(char *p)
{
	char *end;

	if (*p != '\'' && *p != '"')
		return p + strcspn(p, " \t\r\n");
	end = strchr(p + 1, *p);
	return end ? end : p + strlen(p);
}

int batch_split(char *line, char **words, int max)
{
	int n = 0;

	for (char *p = line + strspn(line, " \t\r\n"); *p && *p != '#'; p += strspn(p, " \t\r\n")) {
		char *end = word_end(p);

		if (n == max)
			return -1;
		words[n++] = *p == '\'' || *p == '"' ? p + 1 : p;
		if (!*end)
			break;
		*end = '\0';
		p = end + 1;
	}
	return n;
}

static int batch_line(char *line, batch_command *run, void *ctx)
{
	char *words[BATCH_WORDS + 1];
	int n = batch_split(line, words, BATCH_WORDS);

	if (n < 0) {
		fprintf(stderr, "Too many arguments to command\n");
		return EXIT_REFUSED;
	}
	words[n] = NULL;
	return n ? run(ctx, n, words) : 0;
}

static int batch_lines(FILE *f, const char *file, bool force, batch_command *run, void *ctx)
{
	char *line = NULL;
	size_t size = 0;
	int status = 0;

	for (int number = 1; getline(&line, &size, f) >= 0; number++) {
		int rc = batch_line(line, run, ctx);

		if (!rc)
			continue;
		status = rc == EXIT_SYNTAX ? rc : EXIT_REFUSED;
		fflush(stdout);
		if (rc == EXIT_SYNTAX)
			break;
		fprintf(stderr, "Command failed %s:%d\n", file, number);
		if (!force)
			break;
	}
	free(line);
	return status;
}

int batch_run(const char *file, bool force, batch_command *run, void *ctx)
{
	bool stdin_is = !strcmp(file, "-");
	FILE *f = stdin_is ? stdin : fopen(file, "re");
	int status;

	if (!f) {
		fprintf(stderr, "Cannot open file \"%s\" for reading: %s\n", file, strerror(errno));
		return EXIT_REFUSED;
	}
	status = batch_lines(f, file, force, run, ctx);
	if (!stdin_is)
		fclose(f);
	return status;
}
