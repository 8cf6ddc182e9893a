/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of words for the scripts that complete them (packaging/completion). */
#ifndef TUNL_CLI_COMPLETE_H
#define TUNL_CLI_COMPLETE_H

/*
 * Functions for bash and zsh alike, on standard output. Each takes a word and leaves its
 * answer in REPLY, empty where there is none:
 *
 *	_tunl_full WORD		the verb that a beginning means
 *	_tunl_next VERB		what may follow (struct verb)
 *	_tunl_values WORD	what may stand behind a word
 *	_tunl_takes OPTION	the argument of an option that stands before the verb
 *	_tunl_about WORD	a phrase that tells what a verb or a tunnel's option is
 *	_tunl_list WHAT		all: verbs, options (of a tunnel), globals, modes
 */
void complete_tables(void);

#endif
