/* SPDX-License-Identifier: BSD-2-Clause */
/* The labs that come with tunl: embedded one behind the other by labs.S. */
#include <errno.h>
#include <string.h>

#include "lab/lab_file.h"
#include "lib/types.h"

extern const char lab_blob[], lab_blob_end[];

/* The one that begins at p; where the next begins. */
static const char *take(const char *p, struct lab_builtin *b)
{
	const char *name = p + 1, *text = memchr(name, '\n', (size_t)(lab_blob_end - name)) + 1;
	const char *next = memchr(text, '\f', (size_t)(lab_blob_end - text));
	size_t n = min_of((size_t)(text - 1 - name), (size_t)LAB_NAME_MAX);

	memcpy(b->name, name, n);
	b->name[n] = '\0';
	b->text = text;
	b->len = (size_t)((next ? next : lab_blob_end) - text);
	return next ? next : lab_blob_end;
}

bool lab_builtin_get(size_t i, struct lab_builtin *b)
{
	const char *p = lab_blob;

	for (size_t k = 0; p < lab_blob_end; k++) {
		p = take(p, b);
		if (k == i)
			return true;
	}
	return false;
}

bool lab_builtin_find(const char *name, struct lab_builtin *b)
{
	for (size_t i = 0; lab_builtin_get(i, b); i++)
		if (!strcmp(b->name, name))
			return true;
	return false;
}

struct lab_topo *lab_load(const char *word, struct err *e)
{
	size_t n = strlen(word);
	struct lab_builtin b;

	if (strchr(word, '/') || (n > 4 && !strcmp(word + n - 4, ".lab")))
		return lab_file_read(word, e);
	if (lab_builtin_find(word, &b))
		return lab_file_parse(b.name, b.text, b.len, e);
	err_set(e, ENOENT, "`tunl lab list` has no lab \"%.60s\"", word);
	return NULL;
}
