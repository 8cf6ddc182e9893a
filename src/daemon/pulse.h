/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a tunnel's peer was last heard, and what it drops of late: found by looking at
 * the counters now and then, so that no packet pays for it. Counters are looked at while
 * somebody monitors, and by whoever asks for the metrics.
 */
#ifndef TUNL_DAEMON_PULSE_H
#define TUNL_DAEMON_PULSE_H

#include "daemon/daemon.h"

enum {
	PULSE_MS = 1000,	 /* between looks */
	PULSE_SILENT_MS = 30000, /* sent, nothing received: the peer is silent */
	PULSE_AGAIN_MS = 60000,	 /* drops after such a pause are of a new kind */
};

/* As of the last look; uv_now() of the loop, which is CLOCK_MONOTONIC. Owned by its tunnel. */
struct pulse {
	bool looked;
	u64 rx, tx;
	u64 heard_ms; /* 0: never, since the daemon looks */
	u64 asked_ms; /* the first packet sent since then; 0: none was */
	bool silent;
	u64 reason[R__MAX];
	u64 reason_ms[R__MAX]; /* last time it moved; 0: never */
};

/* Look at all of them while somebody monitors; to be called when that changes. */
void pulse_follow(struct daemon *d);
void pulse_end(struct daemon *d);

/* Look at t, whose counters are s. */
void pulse_look(struct tunnel *t, const struct tunnel_stats *s);

/* Something of the peer came that no counter counts. */
void pulse_heard(struct tunnel *t);

/* Milliseconds since the peer was heard; -1: not as long as the daemon has looked. */
s64 pulse_age_ms(const struct tunnel *t);

#endif
