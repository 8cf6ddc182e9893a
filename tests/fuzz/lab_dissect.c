/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dissector and its printers. The first byte chooses the link type, the
 * second how much of the frame the capture kept; the rest is the frame.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/dissect.h"
#include "lab/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct dissection *d, u32 len)
{
	for (u16 i = 0; i < d->n_layers; i++) {
		const struct layer *l = &d->layers[i];

		if (l->offset > len || l->size > len - l->offset || l->hlen > l->size)
			abort();
	}
}

static void print(const struct frame *f, const struct dissection *d)
{
	static FILE *null;

	if (!null)
		null = fopen("/dev/null", "w");
	explain_text(null, f, d, true);
	json_decref(explain_json(f, d));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const u32 links[] = {LINKTYPE_ETHERNET, LINKTYPE_RAW,  LINKTYPE_SLL,
				    LINKTYPE_SLL2,     LINKTYPE_IPV4, LINKTYPE_IPV6};
	static const struct dissect_ports ports = {
		.gue = {6080}, .n_gue = 1, .fou = {{5555, 4}, {5556, 47}, {5557, 0}}, .n_fou = 3};
	static struct dissection d;
	struct frame f = {0};

	if (size < 2 || size > 70000)
		return 0;
	f.linktype = links[data[0] % countof(links)];
	f.data = data + 2;
	f.caplen = (u32)size - 2;
	f.len = f.caplen + data[1];
	dissect_frame(&d, &f, &ports);
	check(&d, f.len);
	print(&f, &d);
	return 0;
}
