/* SPDX-License-Identifier: BSD-2-Clause */
/* What the engine gives up before it reads a stranger's byte. */
#ifndef TUNL_ENGINE_SANDBOX_H
#define TUNL_ENGINE_SANDBOX_H

/*
 * Become nobody in an empty root, without capabilities, unable to gain any, to
 * start a process, to open a file or a socket: only what the loop does with
 * descriptors that are there, or come over a socket, is permitted; anything else
 * ends the process. 0 or -errno, with *what naming the step that failed.
 */
int sandbox_enter(const char **what);

#endif
