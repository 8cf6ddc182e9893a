/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "cli/doctor.h"
#include "lib/text_json.h"

void say_finding(struct diagnosis *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(g->finding, sizeof(g->finding), fmt, ap);
	va_end(ap);
}

void say_evidence(struct diagnosis *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(g->evidence, sizeof(g->evidence), fmt, ap);
	va_end(ap);
}

void say_remedy(struct diagnosis *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(g->remedy, sizeof(g->remedy), fmt, ap);
	va_end(ap);
}

static json_t *finding_json(const struct doctor *d, bool problem, const struct diagnosis *g)
{
	return json_pack("{s:s, s:o*, s:s, s:o, s:o, s:o}", "check", d->check, "device",
			 d->patient ? text_json(d->patient->row->ifname) : NULL, "severity",
			 problem ? "problem" : "warning", "finding", text_json(g->finding),
			 "evidence", text_json(g->evidence), "remedy", text_json(g->remedy));
}

void doctor_tell(struct doctor *d, bool problem, const struct diagnosis *g)
{
	d->found++;
	if (d->json) {
		json_array_append_new(d->findings, finding_json(d, problem, g));
		return;
	}
	if (d->progress)
		fputs("\r\033[K", stderr);
	if (d->patient)
		printf("%s: ", d->patient->row->ifname);
	printf("%s: %s\n    seen by: %s\n    remedy:  %s\n", problem ? "problem" : "warning",
	       g->finding, g->evidence, g->remedy);
	fflush(stdout);
}
