/* SPDX-License-Identifier: BSD-2-Clause */
/* How load.c tells insns.c where its measuring begins and ends. */
#ifndef TUNL_BENCH_MARKER_H
#define TUNL_BENCH_MARKER_H

/* A page with a single return instruction, which nothing else would call. */
#define MARKER_ADDRESS 0x13370000000ULL

#endif
