# SPDX-License-Identifier: BSD-2-Clause
"""Instructions by function and by part of the path, from what insns.c wrote."""

import bisect
import collections
import re

from report import Table

# The first that fits names the part.
PARTS = [(name, re.compile(pattern)) for name, pattern in (
    ("tunl's programs", r"^bpf_prog_.*tunl"),
    ("their maps", r"htab|jhash|lookup_nulls|memcmp|array_map|percpu_array|^bpf_map"),
    ("their helpers", r"^_*bpf_|skb_do_redirect|skb_ensure_writable|^____bpf"),
    ("tc around them", r"cls_bpf|tcf_|tc_run|sch_handle|migrate_"),
    ("the driver", r"^ip_tunnel|^iptunnel|ipip|^gre|^sit|^tunnel4|^tunnel64|tnl_|gro_cell|^ipgre|__iptunnel"),
    ("packet sockets", r"packet_rcv|ip_check_defrag|packet_recvmsg|tpacket|run_filter|bpf_prog_run_clear_cb"),
    ("TUN", r"^tun_|^__tun"),
    ("raw sockets", r"^raw_"),
    ("routes", r"^fib|ip_route|rt_|dst_|ipv4_mtu|inet_addr|ip6_route|rt6_|ip6_pol|ip6_dst|__ip_rt|find_exception"),
    ("neighbours", r"neigh"),
    ("netfilter", r"^nf_|nft"),
    ("IP", r"^ip_|^ip6|^__ip|ipv6_|^inet|icmp|^raw6|^__inet"),
    ("UDP and TCP", r"udp|tcp|^__udp"),
    ("checksums", r"csum|checksum"),
    ("GRO and GSO", r"gro_|gso_|skb_segment|_gro|napi_gro"),
    ("veth", r"veth"),
    ("devices, queues, softirq", r"netif|netdev|dev_|napi|net_rx|softirq|backlog|validate_xmit|qdisc|sch_|pfifo|eth_|tasklet"),
    ("memory, skbs", r"skb|kmem|kmalloc|kfree|slab|alloc|page_|memset|memcpy|memmove|memcg|ksize|refill|cache|consume"),
    ("copying, calls, files", r"copy_|iov|entry_|syscall|do_sys|sock|fget|__sys|vfs|ksys|__x64|security|apparmor|poll|epoll|exit_to|seccomp|check_|fd"),
    ("processes", r"sched|switch|enqueue|dequeue|pick_next|update_|psi|wake|timer|clock|load_avg|ttwu|select_task|rq_|reweight|prepare_task|finish_task|cpu"),
    ("locks", r"spin|rcu|lock|bh_|preempt|mutex"),
    ("processes' own code", r"^\(user\)$"),
)]


class Symbols:
    def __init__(self, kallsyms):
        rows = (line.split() for line in kallsyms.read_text().splitlines())
        self.at = sorted((int(r[0], 16), r[2]) for r in rows if r[1] in "tTwW")
        self.starts = [a for a, _ in self.at]

    def name(self, addr):
        if addr < 1 << 63:
            return "(user)"
        i = bisect.bisect_right(self.starts, addr) - 1
        return self.at[i][1] if i >= 0 else "?"


def by_function(window, symbols, packets):
    """{function: instructions a packet} of one window's file."""
    sums = collections.Counter()
    for line in window.read_text().splitlines():
        addr, insns, runs = line.split()
        sums[symbols.name(int(addr, 16))] += int(insns) * int(runs)
    return {name: n / packets for name, n in sums.most_common()}


def part_of(function):
    return next((name for name, pattern in PARTS if pattern.search(function)), "the rest")


def table(name, title, split, less):
    """The parts of what split has beyond less."""
    sums = collections.Counter()
    for sign, one in ((1, split), (-1, less)):
        for function, n in one.items():
            sums[part_of(function)] += sign * n
    out = Table(name, title, ("a packet",))
    for part, n in sorted(sums.items(), key=lambda item: -item[1]):
        if abs(n) >= 1:
            out.add(part, n)
    out.add("together", sum(sums.values()))
    return out
