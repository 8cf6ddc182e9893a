/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading captures: pcap and pcapng, of either byte order. */
#ifndef TUNL_LAB_PCAPFILE_H
#define TUNL_LAB_PCAPFILE_H

#include <stdio.h>

#include "lab/dissect.h"
#include "lib/err.h"

struct pcapfile;

/*
 * Begin to read a capture from in, which is borrowed and need not be seekable.
 * NULL with *e saying what is wrong and at which offset.
 */
struct pcapfile *pcapfile_open(FILE *in, struct err *e);

/*
 * The next packet. 1 with *f filled (its data is valid until the next call), 0
 * at the end, -EBADMSG, -EIO or -ENOMEM with *e saying what and where.
 */
int pcapfile_next(struct pcapfile *pf, struct frame *f, struct err *e);

/* Frees pf, which may be NULL; the stream stays open. */
void pcapfile_free(struct pcapfile *pf);

#endif
