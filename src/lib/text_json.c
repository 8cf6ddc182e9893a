/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/text_json.h"

json_t *text_json(const char *s)
{
	json_t *j = json_string(s);
	char safe[2048];
	size_t i;

	if (j)
		return j;
	for (i = 0; i < sizeof(safe) - 1 && s[i]; i++)
		safe[i] = (unsigned char)s[i] < 0x80 ? s[i] : '?';
	safe[i] = '\0';
	return json_string(safe);
}
