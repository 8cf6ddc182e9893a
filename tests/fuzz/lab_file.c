/* SPDX-License-Identifier: BSD-2-Clause */
/* Lab files: whatever the text, a lab or an error with its place; and its texts can be filled in.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lab/lab_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct lab_topo *t)
{
	const struct lab_vars v = {.id = "abcdefgh", .datapath = "user", .topo = t};
	static char buf[LAB_TEXT];
	struct lab_words w;

	for (int i = 0; i < t->n_steps; i++) {
		const struct lab_step *s = &t->steps[i];

		if (s->text)
			lab_text_fill(buf, sizeof(buf), s->text, &v);
		if (s->act == LAB_DO || s->act == LAB_RUN || s->act == LAB_PING)
			lab_words_make(&w, s->text, &v);
		if (s->net >= t->n_nets)
			abort();
	}
	if (t->n_build > t->n_steps)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};
	struct lab_topo *t = lab_file_parse("fuzz.lab", (const char *)data, size, &e);

	if (t)
		use(t);
	else if (strncmp(e.text, "fuzz.lab:", 9) != 0)
		abort();
	lab_topo_free(t);
	return 0;
}
