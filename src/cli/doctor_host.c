/* SPDX-License-Identifier: BSD-2-Clause */
/* Of the machine and the network namespace. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/conf_cmd.h"
#include "cli/doctor.h"
#include "model/modes.h"

long doctor_sysctl(const char *fmt, ...)
{
	char path[128];
	long value = -1;
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f, "%ld", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

/* The word of `values` below the word `name` of `names`. */
static unsigned long long below(char *names, char *values, const char *name)
{
	char *a, *b, *n = strtok_r(names, " \n", &a), *v = strtok_r(values, " \n", &b);

	while (n && v && strcmp(n, name)) {
		n = strtok_r(NULL, " \n", &a);
		v = strtok_r(NULL, " \n", &b);
	}
	return n && v ? strtoull(v, NULL, 10) : 0;
}

unsigned long long doctor_counter(const char *file, const char *line, const char *name)
{
	FILE *f = fopen(file, "re");
	char *names = NULL, *values = NULL;
	size_t room[2] = {0};
	unsigned long long found = 0;

	while (f && getline(&names, &room[0], f) > 0 && getline(&values, &room[1], f) > 0) {
		if (strncmp(names, line, strlen(line)))
			continue;
		found = below(names, values, name);
		break;
	}
	free(names);
	free(values);
	if (f)
		fclose(f);
	return found;
}

void check_tun(struct doctor *d)
{
	struct diagnosis g = {0};
	unsigned features;
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), err = fd < 0 ? errno : 0;

	if (!err && ioctl(fd, TUNGETFEATURES, &features))
		err = errno;
	if (fd >= 0)
		close(fd);
	if (!err)
		return;
	say_finding(&g, "/dev/net/tun cannot be used: no tunnel can be made");
	say_evidence(&g, "open and TUNGETFEATURES: %s", strerror(err));
	say_remedy(&g,
		   err == ENOENT || err == ENODEV
			   ? "`modprobe tun`; a container needs the device: --device /dev/net/tun"
			   : "a container has to allow character device 10:200 to be used");
	doctor_tell(d, true, &g);
}

void check_bpf(struct doctor *d)
{
	struct diagnosis g = {0};
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr;
	long fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (u64)(unsigned long)code;
	attr.insn_cnt = countof(code);
	attr.license = (u64)(unsigned long)"BSD";
	fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd >= 0) {
		close((int)fd);
		return;
	}
	say_finding(
		&g,
		"BPF programs cannot be loaded: tunnels are carried by the slower user datapath");
	say_evidence(&g, "bpf(BPF_PROG_LOAD) of an empty program: %s", strerror(errno));
	say_remedy(&g, errno == ENOSYS
			       ? "a kernel with CONFIG_BPF_SYSCALL"
			       : "run tunld with CAP_BPF and CAP_NET_ADMIN; a container has "
				 "to allow bpf()");
	doctor_tell(d, false, &g);
}

void check_raw(struct doctor *d)
{
	static const u8 protos[] = {PROTO_IPIP, PROTO_IPV6, PROTO_GRE, PROTO_ESP};
	struct diagnosis g = {0};

	for (size_t i = 0; i < countof(protos); i++) {
		int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, protos[i]);

		if (fd >= 0) {
			close(fd);
			continue;
		}
		say_finding(&g, "raw sockets cannot be had: the user datapath cannot send");
		say_evidence(&g, "socket(AF_INET, SOCK_RAW, %u): %s", protos[i], strerror(errno));
		say_remedy(&g, "CAP_NET_RAW in this network namespace");
		doctor_tell(d, true, &g);
		return;
	}
}

/* All tunnels of the namespace, whichever the doctor was asked about. */
struct owners {
	struct doctor *d;
	struct tunnel_row *row;
	size_t n;
};

static bool is_ours(const struct owners *o, u32 ifindex)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->row[i].ifindex == ifindex)
			return true;
	return false;
}

/* The driver that a device's kind is of; NULL: it is no tunnel of the kinds that tunl has. */
static const struct mode_info *driver_of(const char *kind)
{
	for (int id = MODE_NONE + 1; id < MODE__MAX; id++)
		if (!strcmp(mode_info((enum mode_id)id)->kind, kind))
			return mode_info((enum mode_id)id);
	return NULL;
}

static void look_at_owner(const struct rtnl_link *l, void *arg)
{
	const struct mode_info *m = driver_of(l->kind);
	struct owners *o = arg;
	struct diagnosis g = {0};

	if (is_ours(o, l->ifindex))
		return;
	if (m) {
		say_finding(&g, "the kernel's own driver has the device %s", l->name);
		say_evidence(
			&g,
			"its kind is \"%s\": packets of protocol %u reach both, and the driver "
			"answers `port unreachable` to those it does not know",
			l->kind, m->proto);
		say_remedy(&g, "unload the driver (`modprobe -r`), or drop its answer: see "
			       "doc/compat.md \"Where the drivers are loaded too\"");
		doctor_tell(o->d, false, &g);
	} else if (mode_is_fallback_name(l->name)) {
		say_finding(&g, "%s is somebody else's", l->name);
		say_evidence(&g, "its kind is \"%s\", and tunld does not have it", l->kind);
		say_remedy(&g,
			   "find out whose it is (`ip -d link show %s`); who wants that name for a "
			   "tunnel, as Calico does, cannot have it: `ip link del %s`",
			   l->name, l->name);
		doctor_tell(o->d, false, &g);
	}
}

void check_owner(struct doctor *d)
{
	struct owners o = {.d = d};
	struct err e = {0};
	int rc = row_list(&o.row, &o.n, &e);

	if (!rc || rc == -ENOTCONN)
		rtnl_link_each(&d->rtnl, look_at_owner, &o);
	free(o.row);
}

void check_forwarding(struct doctor *d)
{
	unsigned long long n = doctor_counter("/proc/net/snmp", "Ip:", "InAddrErrors");
	struct diagnosis g = {0};

	if (!n || doctor_sysctl("/proc/sys/net/ipv4/ip_forward") != 0)
		return;
	say_finding(&g, "packets for others come in, and are not forwarded");
	say_evidence(&g,
		     "net.ipv4.ip_forward is 0, and %llu packets were not for this host "
		     "(IpInAddrErrors)",
		     n);
	say_remedy(&g, "`sysctl net.ipv4.ip_forward=1`, if this host is to be a router");
	doctor_tell(d, false, &g);
}

void check_configuration(struct doctor *d)
{
	json_t *rows = conf_missing(""), *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *name = json_string_value(json_object_get(row, "ifname"));
		const char *why = json_string_value(json_object_get(row, "why"));
		const char *line = json_string_value(json_object_get(row, "config"));
		struct diagnosis g = {0};

		say_finding(&g, "%s is in the configuration, and is not as it says",
			    name ? name : "?");
		say_evidence(&g, "%s: %s", line ? line : "", why ? why : "not tried yet");
		say_remedy(&g,
			   "mend that; it is tried again by itself, or at once by `tunl reload`");
		doctor_tell(d, true, &g);
	}
	json_decref(rows);
}
