/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The programs once more, for the time that somebody traces (bpf/trace.h). */
#define BPF_TRACED
#include "bpf/tunl.bpf.c"
