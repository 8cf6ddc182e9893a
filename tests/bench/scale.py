# SPDX-License-Identifier: BSD-2-Clause
"""many tunnels: making, listing and taking over again, memory, and the cost of a packet

One namespace, tunnels to distinct peers, made by `tunl -batch` with the daemon up."""

import os
import pathlib
import secrets
import time

from net import Netns
from report import Table
from tunnels import BUILD, Tunl

COUNTS = (1, 100, 1000, 10000)


def peer(i):
    return f"10.{100 + (i >> 16)}.{i >> 8 & 255}.{i & 255}"


def memory(pids):
    """Bytes that processes have to themselves, in kilobytes."""
    sum_kb = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(("Private_Clean", "Private_Dirty")):
                sum_kb += int(line.split()[1])
    return sum_kb


class Host:
    """A namespace with an underlay device and its own daemon."""

    def __init__(self, datapath):
        self.tunl, self.ns, self.datapath = Tunl(), Netns(f"b{os.getpid()}{secrets.token_hex(2)}"), datapath
        self.ns.ip("link add v type veth peer name w", "addr add 10.10.10.2/24 dev v", "link set v up", "link set w up",
                   "neigh add 10.10.10.1 lladdr 02:00:00:00:00:01 dev v", "route add default via 10.10.10.1")
        self.tunl(self.ns, "show")

    def make(self, first, n):
        """Seconds that n tunnels take."""
        lines = "".join(f"add t{i} mode ipip local 10.10.10.2 remote {peer(i)} datapath {self.datapath}\n"
                        for i in range(first, first + n))
        begun = time.monotonic()
        self.tunl(self.ns, "-batch", "-", input=lines, timeout=3600)
        return time.monotonic() - begun

    def show(self):
        begun = time.monotonic()
        lines = self.tunl(self.ns, "show", timeout=600).stdout.count("\n")
        return time.monotonic() - begun, lines

    def take_over(self):
        """Seconds until a new daemon answers and has taken all."""
        begun = time.monotonic()
        self.tunl(None, "daemon", "restart", timeout=600)
        self.tunl(self.ns, "show", "t0", timeout=600)
        return time.monotonic() - begun

    def close(self):
        self.ns.delete()
        self.tunl.close()


def measure(say, rounds):
    del rounds
    made = Table("making", "Tunnels made by tunl -batch, listed, and taken over by a new daemon",
                 ("a second", "seconds to list", "seconds to take over", "KB a tunnel"), plot="a second", mark=1000)
    most = int(os.environ.get("TUNNELS", max(COUNTS)))
    for datapath in ("bpf", "user"):
        host = Host(datapath)
        try:
            have, base = 0, None
            for count in (c for c in COUNTS if c <= most):
                say(f"{datapath}: {count} tunnels")
                seconds = host.make(have, count - have)
                rate, have = (count - have) / seconds, count
                listed, lines = host.show()
                assert lines == count, f"{lines} of {count} are listed"
                kb = memory(host.tunl.pids())
                base = base or kb
                over = host.take_over()
                made.add(f"{datapath} {count}", rate, listed, over, (kb - base) / max(count - 1, 1))
        finally:
            host.close()
    return [made], {}
