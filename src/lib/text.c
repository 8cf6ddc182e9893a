/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_init(struct text *t, char *buf, size_t size)
{
	*t = (struct text){.buf = buf, .size = size};
	buf[0] = '\0';
}

void text_add(struct text *t, const char *fmt, ...)
{
	size_t room = t->size - t->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room) {
		t->cut = true;
		t->len += strlen(t->buf + t->len);
		return;
	}
	t->len += (size_t)n;
}

int text_split(char *line, char **words, int max)
{
	char *save = NULL;
	int n = 0;

	for (char *w = strtok_r(line, " \t\n", &save); w; w = strtok_r(NULL, " \t\n", &save)) {
		if (n == max)
			return -1;
		words[n++] = w;
	}
	return n;
}

bool text_is_prefix(const char *word, const char *full)
{
	size_t n = strlen(word);

	return n && strncmp(word, full, n) == 0;
}

void text_copy(char *buf, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(buf, from, n);
	buf[n] = '\0';
}
