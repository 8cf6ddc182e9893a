/* SPDX-License-Identifier: BSD-2-Clause */
/* Drop reasons as an enum, for the host and the BPF programs alike. */
#ifndef TUNL_MODEL_REASONS_H
#define TUNL_MODEL_REASONS_H

#include "lib/types.h"

/* The driver's link counters (spec 12), as bits of a reason. */
enum {
	C_RX_ERRORS = 1 << 0,
	C_RX_CRC = 1 << 1,
	C_RX_FIFO = 1 << 2,
	C_RX_FRAME = 1 << 3,
	C_RX_LENGTH = 1 << 4,
	C_RX_DROPPED = 1 << 5,
	C_TX_ERRORS = 1 << 6,
	C_TX_CARRIER = 1 << 7,
	C_TX_COLLISIONS = 1 << 8,
	C_TX_FIFO = 1 << 9,
	C_TX_DROPPED = 1 << 10,
	C_TX_ABORTED = 1 << 11,
};

enum reason {
	R_NONE, /* carried */
#define REASON(id, word, counters, text, remedy) R_##id,
#include "model/reasons.def"
#undef REASON
	R__MAX,
};

/* A row of reasons.def. */
struct reason_info {
	const char *word; /* "rx-ecn" */
	u32 counters;	  /* C_* */
	const char *text; /* completes "dropped: ..." */
	const char *remedy;
};

/* Of a reason; of R_NONE and what is out of range: a row of empty texts. */
const struct reason_info *reason_info(enum reason r);

/* By its word; R_NONE: none has it. */
enum reason reason_by_word(const char *word);

#endif
