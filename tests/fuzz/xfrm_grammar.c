/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `ip xfrm`'s grammar under any words: what is read is written as what reads back
 * as the same. Input: a byte, state or policy, and the line.
 */
#include <stdlib.h>
#include <string.h>

#include "ipsec/algo.h"
#include "ipsec/text.h"

static void state(char *line)
{
	char text[XFRM_LINE], again[XFRM_LINE];
	struct sa_cfg a, b;
	struct text t;

	if (sa_line(line, &a, NULL))
		return;
	algo_name(&a);
	algo_check(&a);
	if (!word_of_value(xfrm_protos, a.proto))
		abort();
	text_init(&t, text, sizeof(text));
	sa_print(&a, false, &t);
	if (t.cut || strpbrk(a.aead.name, " \t") || a.proto != 50)
		return;
	strcpy(again, text);
	if (sa_line(again, &b, NULL) || memcmp(&a, &b, sizeof(a)))
		abort();
}

static void policy(char *line)
{
	char text[XFRM_LINE], again[XFRM_LINE];
	struct policy_cfg a, b;
	struct text t;

	if (policy_line(line, &a, NULL))
		return;
	text_init(&t, text, sizeof(text));
	policy_print(&a, &t);
	if (t.cut)
		return;
	strcpy(again, text);
	if (policy_line(again, &b, NULL))
		abort();
	text_init(&t, again, sizeof(again));
	policy_print(&b, &t);
	if (strcmp(text, again))
		abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char line[XFRM_LINE];

	if (size < 1 || size > sizeof(line) || memchr(data + 1, 0, size - 1))
		return 0;
	memcpy(line, data + 1, size - 1);
	line[size - 1] = '\0';
	if (data[0] & 1)
		policy(line);
	else
		state(line);
	return 0;
}
