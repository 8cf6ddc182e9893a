/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `tunl doctor`: looks for what keeps tunnels from carrying, by trying. The checks
 * are the rows of doctor.def; each tells what it found, by what it saw that, and what
 * helps. While it probes it listens as `tunl trace` does.
 *
 *	doctor.c	the command
 *	doctor_tell.c	findings, as text and JSON
 *	doctor_host.c	checks of the machine
 *	doctor_path.c	checks of the way to the other end
 *	doctor_nft.c	checks of filters
 *	doctor_peer.c	checks of the other end
 *	probe.c		echo requests
 */
#ifndef TUNL_CLI_DOCTOR_H
#define TUNL_CLI_DOCTOR_H

#include <jansson.h>

#include "cli/probe.h"
#include "cli/trace.h"
#include "lib/rtnl.h"

int doctor_main(const struct cli *cli, int argc, char **argv);

enum { DOCTOR_FINE, DOCTOR_FOUND, DOCTOR_NOT_RUN }; /* exit statuses */

/* The tunnel under examination, and what was found out of it. */
struct patient {
	const struct tunnel_row *row;
	struct route rt;       /* to the remote; valid with routed */
	bool routed;	       /* there is a way, and the device is up */
	struct echo plain;     /* of an echo request to the remote, outside the tunnel */
	struct trace_why word; /* of a packet of the remote's that no tunnel takes; text "": none */
	bool heard;	       /* a packet of the remote's came out of the tunnel */
};

struct doctor {
	bool json, details, progress;
	struct trace_source trace; /* fd -1: cannot listen */
	const struct tunnel_row *rows;
	size_t n;
	struct rtnl rtnl;
	struct probe probe;
	json_t *nft; /* the ruleset; NULL: there is none to be had */
	json_t *findings, *passed;
	struct patient *patient; /* NULL: a check of the machine */
	const char *check;	 /* under way */
	size_t found;
};

/* What is to be told: three texts. */
struct diagnosis {
	char finding[256], evidence[512], remedy[768];
};

void say_finding(struct diagnosis *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void say_evidence(struct diagnosis *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void say_remedy(struct diagnosis *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* problem: packets are lost by it; else it is a warning. */
void doctor_tell(struct doctor *d, bool problem, const struct diagnosis *g);

/* What the trace has heard till now, for the patient. */
void doctor_listen(struct doctor *d);

/* A file of /proc, its first number: of net/DEV settings. -1: there is none. */
long doctor_sysctl(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A counter of /proc/net/snmp or netstat: "Ip:", "InAddrErrors"; 0: there is none. */
unsigned long long doctor_counter(const char *file, const char *line, const char *name);

/* The ruleset of this namespace; NULL: no nft, or nothing in it. */
json_t *nft_ruleset(void);

#define CHECK(name, what, fn) void fn(struct doctor *d);
#include "cli/doctor.def"
#undef CHECK

#endif
