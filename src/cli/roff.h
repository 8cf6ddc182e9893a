/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of words in the manual's language (mdoc), on standard output. */
#ifndef TUNL_CLI_ROFF_H
#define TUNL_CLI_ROFF_H

void roff_words(void);	 /* the options of a tunnel */
void roff_options(void); /* tunl's own */
void roff_verbs(void);
void roff_reasons(void);

#endif
