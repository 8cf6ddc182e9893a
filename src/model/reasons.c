/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/reasons.h"

#include <string.h>

static const struct reason_info reason_infos[R__MAX] = {
	[R_NONE] = {"", 0, "", ""},
#define REASON(id, word, counters, text, remedy) [R_##id] = {word, counters, text, remedy},
#include "model/reasons.def"
#undef REASON
};

const struct reason_info *reason_info(enum reason r)
{
	return &reason_infos[(u32)r < R__MAX ? r : R_NONE];
}

enum reason reason_by_word(const char *word)
{
	for (u32 r = R_NONE + 1; r < R__MAX; r++)
		if (!strcmp(reason_infos[r].word, word))
			return (enum reason)r;
	return R_NONE;
}
