/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "cli/import.h"

/* What stands for something else, or joins commands. */
static bool needs_shell(char c)
{
	return strchr("$`;&|<>()*?[]{}~!", c) != NULL;
}

/* One word from p on, unquoted to `to`. Where it ends; NULL: only a shell can tell. */
static char *cut(char *p, char *to)
{
	for (; *p && *p != ' ' && *p != '\t'; p++) {
		if (*p == '\'' || *p == '"') {
			char quote = *p++;

			for (; *p && *p != quote; p++) {
				if (quote == '"' && strchr("$`\\", *p))
					return NULL;
				*to++ = *p;
			}
			if (!*p)
				return NULL;
			continue;
		}
		if (*p == '\\') {
			if (!*++p)
				return NULL;
		} else if (needs_shell(*p)) {
			return NULL;
		}
		*to++ = *p;
	}
	if (*p)
		p++;
	*to = '\0';
	return p;
}

int import_words(char *line, char **words, int max)
{
	int n = 0;

	for (;;) {
		line += strspn(line, " \t");
		if (!*line || *line == '#')
			return n;
		if (n == max)
			return -1;
		words[n++] = line;
		line = cut(line, line);
		if (!line)
			return -1;
	}
}
