/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * States and policies as text: one grammar, `ip xfrm`'s, for the command line,
 * the control protocol and the file that keeps them. What was written reads back
 * as the same value.
 */
#ifndef TUNL_IPSEC_TEXT_H
#define TUNL_IPSEC_TEXT_H

#include "ipsec/words.h"

enum { XFRM_LINE = 2000 }; /* longest text, with its NUL */

/* `ip xfrm state add`'s words. -errno with w->e filled. */
int sa_read(struct words *w, struct sa_cfg *cfg);

/* hide: keys are left out (`hidden` stands for them), and it does not read back. */
void sa_print(const struct sa_cfg *cfg, bool hide, struct text *t);

/* `ip xfrm policy add`'s words. */
int policy_read(struct words *w, struct policy_cfg *cfg);
void policy_print(const struct policy_cfg *cfg, struct text *t);

/* A line of them: split in place. */
int sa_line(char *line, struct sa_cfg *cfg, struct err *e);
int policy_line(char *line, struct policy_cfg *cfg, struct err *e);

extern const struct word_value sa_flags[], sa_extra_flags[], policy_flags[];

#endif
