/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of pcap and pcapng; every byte it hands out is read. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "lab/pcapfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct frame *f, u64 number)
{
	u32 sum = 0;

	for (u32 i = 0; i < f->caplen; i++)
		sum += f->data[i];
	if (f->len < f->caplen || f->number != number || sum > 255ull * f->caplen)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};
	struct frame f;
	u64 n = 0;
	FILE *in = size ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
	struct pcapfile *pf = in ? pcapfile_open(in, &e) : NULL;

	if (in && !pf && !e.text[0])
		abort();
	while (pf && pcapfile_next(pf, &f, &e) == 1)
		check(&f, ++n);
	pcapfile_free(pf);
	if (in)
		fclose(in);
	return 0;
}
