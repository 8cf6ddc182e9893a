/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sequence numbers of all tunnels, by slot, in the one map that the programs
 * of every namespace and the engine count in (bpf/maps.h). It is there from the
 * first namespace that the bpf datapath is loaded in. It lives as long as a
 * program has it, and a new daemon finds it by that; the counters file has what
 * the engine did, for tunnels that no program carries.
 */
#ifndef TUNL_DAEMON_NUMBERS_H
#define TUNL_DAEMON_NUMBERS_H

#include "daemon/daemon.h"

/* At adoption: take the map that the program on t's device has, if none is known yet. */
void numbers_find(struct tunnel *t);

/*
 * After the last numbers_find(): what the file says counts where it is further. So
 * no number is used twice, whatever became of map or file.
 */
void numbers_settle(struct daemon *d);

/*
 * Make the map if there is none, with what the file says, and have the engine use
 * it. Where that fails the tunnels with numbers are the engine's.
 */
void numbers_need(struct daemon *d);

/* The map, for the programs; -1: there is none. Owned by d. */
int numbers_fd(const struct daemon *d);

/* Tell a new engine. */
void numbers_tell(struct daemon *d);

/* A slot has a new tunnel: its numbers begin at 0. */
void numbers_begin(struct daemon *d, u32 slot);

/* No program carries t any more: write down where it is. */
void numbers_keep(const struct tunnel *t);

/* Whether t numbers what it sends, or looks at the numbers of what it receives. */
bool numbers_has(const struct tunnel *t);

void numbers_close(struct daemon *d);

#endif
