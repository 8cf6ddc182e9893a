/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of the story: lab_story.c has its course, lab_show.c the steps
 * that ping, capture, explain and expect, lab_path.c what each device on the way
 * saw, lab_doc.c all of it as one JSON document, which the report is made of.
 */
#ifndef TUNL_LAB_LAB_STORY_IMPL_H
#define TUNL_LAB_LAB_STORY_IMPL_H

#include <limits.h>

#include "lab/lab_build.h"
#include "lab/lab_capture.h"
#include "lab/lab_story.h"
#include "lab/lab_wire.h"

enum { STORY_PINGS = 24, STORY_RTTS = 64 };

/* A ping that was sent. */
struct story_ping {
	const struct lab_step *step;
	bool series;	  /* one of many for the plot, not part of the story */
	bool answered;	  /* its exit status was 0 */
	u32 first, end;	  /* its frames in the capture: from first, before end */
	u64 begin, until; /* ns since 1970 */
	int n_rtts;
	double rtt[STORY_RTTS]; /* ms */
};

/* What the devices of all namespaces saw; NULL devices: not captured. */
struct story_path {
	struct lab_capture *at[LAB_DEVS];
};

/* The lab with all that is learned from it. */
struct story {
	const struct lab_opts *o;
	struct lab l;
	struct lab_capture *capture; /* open once its pcap is there */
	struct story_path path;	     /* of a report */
	struct lab_wire wire;
	int n_pings, n_explained;
	struct story_ping pings[STORY_PINGS];
	json_t *ends;	     /* {"a": {"datapath": ..., "why": ...}} */
	json_t *routes;	     /* of a report: [{net, text}] */
	char pcap[PATH_MAX]; /* where the capture is to be saved */
	bool saved;
	char datapath[16]; /* in use at the first end */
};

/* A step of any kind. -errno with e filled. */
int story_step(struct story *s, const struct lab_step *step, struct err *e);

/* 20 pings without and with the tunnel, for the plot. */
int story_series(struct story *s, struct err *e);

/* Capture on all devices; what cannot be captured on is left out. */
void story_path_open(struct story *s);
void story_path_read(struct story *s);
void story_path_close(struct story *s);

/* The way of the first packet of each ping: an array of sightings in order of time. */
json_t *story_path_json(const struct story *s);

/* The whole document; e is of interest where err is not 0. */
json_t *story_json(const struct story *s, int err, const struct err *e);

#endif
