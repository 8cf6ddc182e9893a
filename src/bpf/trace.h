/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs tell `tunl trace`. All of it is in the second build of the
 * programs alone (traced.bpf.c), which stands on the devices while somebody traces:
 * in the first one every call here is nothing, so that tracing costs nothing when
 * it is off.
 *
 * A packet is told of by who settles its fate. What is handed over is the engine's
 * to tell. The event is built in a map's entry, one for each CPU: programs of one
 * kind do not interrupt each other on a CPU.
 */
#ifndef TUNL_BPF_TRACE_H
#define TUNL_BPF_TRACE_H

#include "model/reasons.h"
#include "model/trace.h"

#ifdef BPF_TRACED

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, TRACE_RING); /* replaced by the loader's own */
} tunl_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct trace_event);
} tunl_note SEC(".maps");

TUNL_INLINE struct trace_event *trace_note(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&tunl_note, &zero);
}

/* The packet is for the tunnel with that device. */
TUNL_INLINE void trace_tunnel(u32 ifindex)
{
	struct trace_event *ev = trace_note();

	if (ev)
		ev->ifindex = ifindex;
}

/* It is dropped. */
TUNL_INLINE void trace_reason(enum reason r)
{
	struct trace_event *ev = trace_note();

	if (ev)
		ev->reason = (u16)r;
}

/* Keep the packet's bytes from off on. A global function: verified once, by itself. */
__attribute__((noinline)) int trace_capture(struct __sk_buff *skb, u32 off)
{
	struct trace_event *ev = trace_note();
	u32 n = TRACE_BYTES;

	if (!ev || off >= skb->len)
		return 0;
	ev->len = skb->len - off;
	if (ev->len < n)
		n = ev->len;
	asm volatile("" : "+r"(n)); /* the bound is to be looked at where it is used */
	if (n < 1 || n > TRACE_BYTES)
		return 0;
	ev->caplen = (u16)n;
	return (int)bpf_skb_load_bytes(skb, off, ev->data, n);
}

/* Before a program looks at a packet that begins at off. */
__attribute__((noinline)) int trace_begin(struct __sk_buff *skb, u32 off, u32 dir)
{
	struct trace_event *ev = trace_note();

	if (!ev)
		return 0;
	ev->ifindex = ev->reason = ev->caplen = 0;
	ev->dir = (u8)dir;
	ev->bpf = 1;
	ev->link = dir == TRACE_RX ? skb->ifindex : 0;
	ev->form = dir == TRACE_RX ? TRACE_OUTER : TRACE_INNER;
	ev->ethertype = dir == TRACE_RX ? 0 : be16_host((be16){(u16)skb->protocol});
	return trace_capture(skb, off);
}

/* Behind it, with what it decided, which is the result. */
__attribute__((noinline)) int trace_end(struct __sk_buff *skb, int verdict)
{
	struct trace_event *ev = trace_note();

	if (!ev || verdict == TC_ACT_UNSPEC)
		return verdict;
	if (ev->dir == TRACE_TX && verdict == TC_ACT_REDIRECT) {
		ev->form = TRACE_OUTER;
		ev->ethertype = 0;
		trace_capture(skb, ETH_HLEN);
	}
	ev->time_ns = bpf_ktime_get_boot_ns();
	if (bpf_ringbuf_output(&tunl_ring, ev, sizeof(*ev), 0))
		ev->lost++;
	else
		ev->lost = 0;
	return verdict;
}

#define TRACED(skb, off, dir, run) (trace_begin(skb, off, dir), trace_end(skb, run))

#else

TUNL_INLINE void trace_tunnel(u32 ifindex)
{
	(void)ifindex;
}

TUNL_INLINE void trace_reason(enum reason r)
{
	(void)r;
}

#define TRACED(skb, off, dir, run) (run)

#endif

#endif
