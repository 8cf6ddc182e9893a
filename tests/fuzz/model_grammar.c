/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one grammar, as tunld reads it from its socket and its state file, and as
 * the command reads it: nothing but a value or a message comes of any line, and
 * what is printed of a value reads back as that value.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "model/grammar.h"

static void reads_back(const struct tunnel_cfg *cfg)
{
	char line[GRAMMAR_LINE];
	struct tunnel_cfg again;
	struct err e = {0};
	size_t n = grammar_print(cfg, line, sizeof(line));

	if (n >= sizeof(line) || strlen(line) != n)
		abort();
	if (grammar_line(line, &again, &e) < 0)
		abort();
	again.link = cfg->link;
	if (!cfg_equal(cfg, &again))
		abort();
}

/* The words of a line as a command has them; nothing is resolved. */
static void as_command(char *line, enum tunnel_verb verb)
{
	struct grammar g = {.dialect = DIALECT_TUNL, .verb = verb};
	char *argv[GRAMMAR_WORDS + 1];
	struct tunnel_cfg cfg;
	struct err e = {0};
	int argc = 0;

	for (char *word = strtok(line, " "); word && argc < GRAMMAR_WORDS; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	if (grammar_read(&g, argc, argv, &cfg, &e) == 0)
		return;
	if (e.status != 1 && e.status != 255)
		abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct tunnel_cfg cfg;
	struct err e = {0};
	char *line;

	if (size < 1 || size > 4096)
		return 0;
	line = strndup((const char *)data + 1, size - 1);
	if (!line)
		abort();
	if (grammar_line(line, &cfg, &e) == 0)
		reads_back(&cfg);
	else if (!e.text[0])
		abort();
	as_command(line, data[0] % 4);
	free(line);
	return 0;
}
