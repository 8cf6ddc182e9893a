/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_capture.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lab/lab_ns.h"

enum { CAPTURE_WAIT_MS = 1000 };

/* A capture in the namespace that the thread stands in; NULL with e filled. */
static pcap_t *capture_here(const char *dev, const char *filter, struct err *e)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	struct bpf_program prog;
	pcap_t *p = pcap_create(dev, why);
	int r;

	if (!p) {
		err_set(e, EIO, "cannot capture on %s: %s", dev, why);
		return NULL;
	}
	pcap_set_snaplen(p, LAB_SNAPLEN);
	pcap_set_immediate_mode(p, 1);
	pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
	r = pcap_activate(p);
	if (r >= 0 && pcap_compile(p, &prog, filter, 1, PCAP_NETMASK_UNKNOWN) == 0) {
		r = pcap_setfilter(p, &prog);
		pcap_freecode(&prog);
		if (r == 0 && pcap_setnonblock(p, 1, why) == 0)
			return p;
	}
	err_set(e, EIO, "cannot capture on %s: %s", dev, pcap_geterr(p));
	pcap_close(p);
	return NULL;
}

int lab_capture_open(struct lab_capture *c, const char *ns, const char *dev, const char *filter,
		     struct err *e)
{
	int back;

	memset(c, 0, sizeof(*c));
	if (lab_ns_enter(ns, &back, e) < 0)
		return -e->code;
	c->pcap = capture_here(dev, filter, e);
	lab_ns_leave(back);
	return c->pcap ? 0 : -e->code;
}

static void keep(u_char *ctx, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct lab_capture *c = (struct lab_capture *)ctx;
	u32 n = min_of(h->caplen, (u32)LAB_SNAPLEN);

	if (c->n == LAB_FRAMES)
		return;
	memcpy(c->data[c->n], bytes, n);
	c->frame[c->n] = (struct frame){
		.data = c->data[c->n],
		.caplen = n,
		.len = h->len,
		.linktype = (u32)pcap_datalink(c->pcap),
		.number = c->n + 1,
		/* tv_usec: nanoseconds, as was asked for */
		.ns = (u64)h->ts.tv_sec * 1000000000u + (u64)h->ts.tv_usec,
		.has_time = true,
	};
	c->n++;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void lab_capture_read(struct lab_capture *c, u32 want)
{
	struct pollfd p = {.fd = pcap_get_selectable_fd(c->pcap), .events = POLLIN};
	long left, end = now_ms() + CAPTURE_WAIT_MS;

	while (pcap_dispatch(c->pcap, -1, keep, (u_char *)c) > 0)
		;
	while (c->n < want && (left = end - now_ms()) > 0) {
		if (poll(&p, 1, (int)left) > 0 && pcap_dispatch(c->pcap, -1, keep, (u_char *)c) < 0)
			return;
	}
}

static int write_frames(struct lab_capture *c, FILE *f)
{
	pcap_dumper_t *d = pcap_dump_fopen(c->pcap, f);
	int r;

	if (!d) {
		fclose(f);
		return -EIO;
	}
	for (u32 i = 0; i < c->n; i++) {
		const struct frame *fr = &c->frame[i];
		struct pcap_pkthdr h = {.caplen = fr->caplen, .len = fr->len};

		h.ts.tv_sec = (time_t)(fr->ns / 1000000000u);
		h.ts.tv_usec = (suseconds_t)(fr->ns % 1000000000u);
		pcap_dump((u_char *)d, &h, fr->data);
	}
	r = pcap_dump_flush(d) == 0 ? 0 : -errno;
	pcap_dump_close(d);
	return r;
}

int lab_capture_save(struct lab_capture *c, const char *path, bool replace, struct err *e)
{
	/* the default path is in a folder that others write to: never through what lies there */
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (replace ? O_TRUNC : O_EXCL | O_NOFOLLOW);
	int fd = open(path, flags, 0644);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	int r = f ? write_frames(c, f) : -errno;

	if (r == 0)
		return 0;
	if (!f && fd >= 0)
		close(fd);
	return err_set(e, -r, "cannot save the capture to %s: %s", path, strerror(-r));
}

void lab_capture_close(struct lab_capture *c)
{
	if (c->pcap)
		pcap_close(c->pcap);
	c->pcap = NULL;
}
