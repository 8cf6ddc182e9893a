/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/sysctl.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SYSCTL_PATH = 96, SYSCTL_TEXT = 32, ICMP_UNREACH_BIT = 1 << 3 };

/* A number, or otherwise where there is none. */
static u32 sysctl_number(const char *name, u32 otherwise)
{
	char path[SYSCTL_PATH], text[SYSCTL_TEXT], *end;
	unsigned long value;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return otherwise;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got <= 0)
		return otherwise;
	text[got] = 0;
	value = strtoul(text, &end, 10);
	return end == text || value > 0x7fffffff ? otherwise : (u32)value;
}

struct icmp_rates sysctl_icmp_rates(void)
{
	struct icmp_rates r = icmp_rates_usual();

	r.dest_ms = sysctl_number("ipv4/icmp_ratelimit", r.dest_ms);
	r.dest6_ms = sysctl_number("ipv6/icmp/ratelimit", r.dest6_ms);
	r.all_per_sec = sysctl_number("ipv4/icmp_msgs_per_sec", r.all_per_sec);
	r.burst = sysctl_number("ipv4/icmp_msgs_burst", r.burst);
	/* which types are limited at all: of ours that are not exempt there is one */
	if (!(sysctl_number("ipv4/icmp_ratemask", ICMP_UNREACH_BIT) & ICMP_UNREACH_BIT))
		r.dest_ms = 0;
	return r;
}
