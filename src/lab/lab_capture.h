/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What went over a device of a namespace, caught with libpcap. The socket is
 * opened within the namespace and read from without. Once lab_capture_open() has
 * returned, every packet is caught: there is nothing to wait for. The kernel
 * keeps them until lab_capture_read() takes them over.
 */
#ifndef TUNL_LAB_LAB_CAPTURE_H
#define TUNL_LAB_LAB_CAPTURE_H

#include "lab/dissect.h"
#include "lib/err.h"
#include "lib/types.h"

/* A lab's pings are few and small; what is beyond is in no story. */
enum { LAB_FRAMES = 64, LAB_SNAPLEN = 2048 };

struct lab_capture {
	void *pcap; /* pcap_t */
	u32 n;
	struct frame frame[LAB_FRAMES]; /* their data: in this struct */
	u8 data[LAB_FRAMES][LAB_SNAPLEN];
};

/* Begin to catch what passes the filter (pcap-filter(7)) on dev of namespace ns. -errno with e
 * filled. */
int lab_capture_open(struct lab_capture *c, const char *ns, const char *dev, const char *filter,
		     struct err *e);

/* Take over what came, waiting up to 1 s until there are `want` frames in all. */
void lab_capture_read(struct lab_capture *c, u32 want);

/* Write all frames to a new file of that path, or with replace over an old one. */
int lab_capture_save(struct lab_capture *c, const char *path, bool replace, struct err *e);

/* Fine with what lab_capture_open() never filled, if it is zero. */
void lab_capture_close(struct lab_capture *c);

#endif
