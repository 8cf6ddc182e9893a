/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page of whatever a capture or a lab may say: a packet of these bytes, and these
 * bytes as every text there is. What comes out has no markup but ours: the number of
 * "<" depends on nothing that the bytes say.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lab/explain.h"
#include "report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Names as the kernel takes them for devices, and as JSON must be. */
static json_t *text(const uint8_t *data, size_t size)
{
	json_t *t = json_stringn((const char *)data, size);

	return t ? t : json_string("'\"><script>alert(1)</script>&");
}

static json_t *document(const uint8_t *data, size_t size)
{
	static struct dissection d;
	static const unsigned links[] = {LINKTYPE_ETHERNET, LINKTYPE_RAW, LINKTYPE_SLL2};
	struct frame f = {.data = data, .caplen = (u32)size, .len = (u32)size, .number = 1};
	json_t *t = text(data, size), *packets = json_array(), *doc;

	for (size_t i = 0; i < 3; i++) {
		f.linktype = links[i];
		dissect_frame(&d, &f, NULL);
		json_array_append_new(packets, explain_json_data(&f, &d));
	}
	doc = json_pack("{s:O, s:O, s:o, s:{s:[{s:O, s:b}], s:[{s:i, s:O, s:i, s:O, s:[O]}]},"
			" s:[{s:O, s:O, s:i, s:O}], s:O}",
			"title", t, "about", t, "packets", packets, "topology", "nets", "name", t,
			"forwards", 1, "devices", "net", 0, "name", t, "peer", 0, "tunnel", t,
			"addresses", t, "steps", "heading", t, "command", t, "status", 1, "output",
			t, "source", t);
	json_decref(t);
	if (!doc)
		abort();
	return doc;
}

static void check(const char *page)
{
	const char *scripts = page;
	int n = 0;

	while ((scripts = strstr(scripts, "<script"))) {
		n++;
		scripts++;
	}
	if (n != 1 || !strstr(page, "</html>"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *doc = size > 1500 ? NULL : document(data, size);
	char *page = NULL;
	size_t len = 0;
	FILE *out;

	if (!doc)
		return 0;
	out = open_memstream(&page, &len);
	report_print(out, doc);
	fclose(out);
	check(page);
	free(page);
	json_decref(doc);
	return 0;
}
