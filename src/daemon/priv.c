/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/sockets.h"
#include "lib/log.h"

/* The network namespace to come back to; -1 until priv_isolate(). */
static int home_net = -1;

static void raise_limit(int resource, rlim_t want)
{
	struct rlimit lim;

	if (getrlimit(resource, &lim))
		return;
	if (lim.rlim_max < want) {
		struct rlimit more = {want, want};

		if (setrlimit(resource, &more) == 0)
			return;
	}
	lim.rlim_cur = lim.rlim_max;
	setrlimit(resource, &lim);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * `ip netns exec` gives its program a mount namespace of its own, with a sysfs
 * that belongs to the network namespace and keeps it alive as long as we do.
 * Where we may not join the mounts of process 1, a copy of ours gets another
 * one, of the namespace we stand in by then (libbpf counts processors in it).
 */
static void change_sysfs(void)
{
	/* nothing that we do to our copy may reach the original */
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL))
		return;
	if (umount2("/sys", MNT_DETACH))
		return;
	if (mount("sysfs", "/sys", "sysfs", MS_RDONLY, NULL))
		log_info("cannot mount /sys: %s", strerror(errno));
}

static bool join_mounts_of_init(const char *dir)
{
	bool joined = false;
	int init = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	int self = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	struct stat a, b, before, after;

	if (init < 0 || self < 0 || fstat(init, &a) || fstat(self, &b))
		goto out;
	joined = same_file(&a, &b);
	if (joined || stat(dir, &before) || setns(init, CLONE_NEWNS))
		goto out;
	joined = stat(dir, &after) == 0 && same_file(&before, &after);
	if (!joined)
		setns(self, CLONE_NEWNS);
	if (chdir("/"))
		log_info("cannot change to /: %s", strerror(errno));
out:
	if (init >= 0)
		close(init);
	if (self >= 0)
		close(self);
	return joined;
}

/*
 * What netlink tells is acted on before the packets that come next, on a busy
 * machine too; we run for a moment at a time. The engine starts without it.
 */
static void run_promptly(void)
{
	struct {
		u32 size, policy;
		u64 flags;
		s32 nice;
		u32 priority;
		u64 runtime, deadline, period;
	} attr = {.size = sizeof(attr), .flags = 1 /* SCHED_FLAG_RESET_ON_FORK */, .nice = -10};

	syscall(SYS_sched_setattr, 0, &attr, 0);
}

void priv_isolate(const char *dir)
{
	bool joined;

	run_promptly();
	raise_limit(RLIMIT_NOFILE, 524288);
	raise_limit(RLIMIT_MEMLOCK, RLIM_INFINITY); /* BPF maps, before 5.11 */
	/* those of a service follow the host's (packaging/tunld.service), and hide most of it */
	joined = getenv("TUNL_KEEP_MOUNTS") || join_mounts_of_init(dir);
	if (unshare(CLONE_NEWNET))
		log_info("stays in the network namespace it was started in: %s", strerror(errno));
	home_net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (!joined)
		change_sysfs();
}

/*
 * Not CAP_SYS_NICE: once, before the others are given up. Not CAP_DAC_*: what is
 * root's own is enough.
 */
static const u8 kept[] = {
	CAP_NET_ADMIN,		     /* devices, routes, tc */
	CAP_NET_RAW,		     /* the engine's sockets */
	CAP_SYS_ADMIN,		     /* setns */
	CAP_BPF,		     /* programs and maps */
	CAP_PERFMON,		     /* the verifier's leave for pointer arithmetic */
	CAP_SYS_PTRACE,		     /* whose namespaces are whose: /proc/PID/ns */
	CAP_SYS_CHROOT,		     /* mount namespace, after a restart */
	CAP_SETUID,		     /* the engine becomes nobody */
	CAP_SETGID,	CAP_SETPCAP, /* the engine drops its bounding set */
	CAP_KILL,		     /* and must still be ended */
	CAP_CHOWN,		     /* the socket's group */
};

int priv_drop(void)
{
	struct __user_cap_header_struct hdr = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct now[2] = {0}, keep[2] = {0};

	if (syscall(SYS_capget, &hdr, now))
		return -errno;
	for (size_t i = 0; i < countof(kept); i++)
		keep[kept[i] / 32].permitted |= 1U << (kept[i] % 32);
	for (int i = 0; i < 2; i++) {
		keep[i].permitted &= now[i].permitted;
		keep[i].effective = keep[i].permitted;
	}
	if (syscall(SYS_capset, &hdr, keep) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return 0;
}

int priv_enter(int nsfd)
{
	return setns(nsfd, CLONE_NEWNET) ? -errno : 0;
}

void priv_leave(void)
{
	/* to go on in a stranger's namespace would be worse than to end */
	if (setns(home_net, CLONE_NEWNET))
		abort();
}

static int tun_error(int code, struct err *e)
{
	switch (code) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return err_set(e, ENODEV,
			       "no /dev/net/tun: load the tun module, or let this container have "
			       "the device");
	case EPERM:
	case EACCES:
		return err_set(e, EPERM,
			       "/dev/net/tun may not be used here: CAP_NET_ADMIN in the network "
			       "namespace and leave to open the device are needed");
	default:
		return err_set(e, code, "TUN device: %s", strerror(code));
	}
}

static int tun_attach(int fd, const struct priv_tun *want)
{
	struct ifreq ifr = {.ifr_flags = ENGINE_TUN_FLAGS};
	int link_type = want->link_type;

	if (want->create)
		ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_TUN_EXCL);
	memcpy(ifr.ifr_name, want->name, sizeof(ifr.ifr_name));
	if (ioctl(fd, TUNSETIFF, &ifr))
		return want->create && (errno == EBUSY || errno == EINVAL) ? -EEXIST : -errno;
	/* a name that went in between has made a new device, which goes with this descriptor */
	if (!want->create && (ioctl(fd, TUNGETIFF, &ifr) || !(ifr.ifr_flags & IFF_PERSIST)))
		return -ENODEV;
	/* while it is down: what `ip link` shows as link/ipip */
	if (want->create && ioctl(fd, TUNSETLINK, (long)link_type))
		return -errno;
	return engine_setup_tun(fd);
}

int priv_tun_open(const struct priv_tun *want, struct err *e)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	int err;

	if (fd < 0)
		return tun_error(errno, e);
	err = tun_attach(fd, want);
	if (!err)
		return fd;
	close(fd);
	return err == -EEXIST ? err_set(e, EEXIST, "%s", "") : tun_error(-err, e);
}

int priv_tun_persist(int queue, u32 group)
{
	/*
	 * Without an owner anybody who may open /dev/net/tun could attach to the device
	 * while no engine does. In a user namespace there may be no such ids: then the
	 * device has neither, as it cannot be attached to from outside.
	 */
	ioctl(queue, TUNSETOWNER, 0UL);
	ioctl(queue, TUNSETGROUP, (unsigned long)group);
	return ioctl(queue, TUNSETPERSIST, 1UL) ? -errno : 0;
}

int priv_tun_name(int queue, char name[static 16])
{
	struct ifreq ifr = {0};

	if (ioctl(queue, TUNGETIFF, &ifr))
		return -errno;
	memcpy(name, ifr.ifr_name, 16);
	return 0;
}

#ifndef TUNGETDEVNETNS
#define TUNGETDEVNETNS _IO('T', 227)
#endif

int priv_tun_ns(int queue)
{
	int fd = ioctl(queue, TUNGETDEVNETNS);

	return fd < 0 ? -errno : fd;
}
