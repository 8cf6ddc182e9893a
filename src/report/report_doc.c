/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the document: members, layers, their colours. */
#include <string.h>

#include "report/report_impl.h"

const char *doc_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

s64 doc_int(const json_t *o, const char *key)
{
	return (s64)json_integer_value(json_object_get(o, key));
}

bool doc_bool(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

void doc_layers(const json_t *packet, char *buf, size_t len)
{
	size_t i, n = 0;
	json_t *l;

	*buf = '\0';
	json_array_foreach(json_object_get(packet, "layers"), i, l)
	{
		if (!strcmp(doc_text(l, "kind"), "link") || n >= len)
			continue;
		n += (size_t)snprintf(buf + n, len - n, "%s%s%s", n ? " / " : "",
				      doc_bool(l, "quoted") ? "quoted " : "", doc_text(l, "name"));
	}
}

const char *layer_class(const json_t *layers, size_t i)
{
	static const char *const ip[] = {"ip0", "ip1", "ip2"};
	const char *kind = doc_text(json_array_get(layers, i), "kind");
	size_t nth = 0;

	if (!strcmp(kind, "link") || !strcmp(kind, "wrap") || !strcmp(kind, "data"))
		return kind[0] == 'l' ? "link" : kind[0] == 'w' ? "wrap" : "data";
	if (strcmp(kind, "ip") != 0 && strcmp(kind, "ext") != 0)
		return "upper";
	for (size_t k = 0; k < i; k++)
		nth += !strcmp(doc_text(json_array_get(layers, k), "kind"), "ip");
	if (kind[0] == 'e' && nth)
		nth--;
	return ip[min_of(nth, countof(ip) - 1)];
}
