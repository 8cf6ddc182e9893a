# SPDX-License-Identifier: BSD-2-Clause
"""Two ends with a router between them, in the machine: k, whose tunnel is the kernel
driver's, and t, whose tunnel is made by who is under test (`kernel`: the driver there, too)."""

import collections
import itertools
import os
import pathlib
import shutil
import tempfile

import sides
from host import Host, Tap, run
from variants import FOUR, K, PROTOCOLS, T, VARIANTS, Four, Six
from wire import Front

RK, RT = "10.10.10.1", "10.10.20.1"  # the router's
serial = itertools.count()
# One direction: who sends, who receives, the outer and inner address of each
Way = collections.namedtuple("Way", "sender receiver outer source outer_target target")
# The drivers' receive handler is in the machine's one kernel, so it answers in t as well,
# where it has no tunnel, to what tunl's engine receives. Where tunl is for, there is none.
NO_DRIVERS_ANSWER = """table ip interop {
	chain out {
		type filter hook output priority 0
		icmp type destination-unreachable icmp code port-unreachable @th,136,8 { 4, 41, 47 } drop
	}
}
"""


class World:
    """who: `kernel`, `user` or `bpf` at the end t. Whatever else a scenario needs it makes
    by host() and tap(), which close() takes down."""

    def __init__(self, who, build):
        self.who, self.build = who, build
        self.hosts, self.taps, self.ip = [], {}, Four
        self.rundir = tempfile.mkdtemp(prefix="interop-world-")
        self.env = {**os.environ, "TUNL_RUNDIR": self.rundir, "TUNL_TUNLD": str(build / "tunld")}
        self.k, self.t, self.r = self.host("k", True), self.host("t", who == "kernel"), self.host("r")
        self.join(self.k, "v1", K, RK)
        self.join(self.t, "v2", T, RT)
        self.r.sysctl(ipv4__ip_forward=1)
        self.tap("v1_p")
        if who != "kernel":
            self.t.nft(NO_DRIVERS_ANSWER)

    def host(self, name, fallbacks=False):
        made = Host(f"{name}{next(serial)}-{self.who}", fallbacks)
        made.of_tunl = name.startswith("t") and self.who != "kernel"
        made.sysctl(ipv6__conf__lo__disable_ipv6=0)  # whereby a host's own errors reach its senders
        self.hosts.append(made)
        return made

    def tap(self, dev, host=None, name=None):
        self.taps[name or dev] = Tap(host or self.r, dev)
        return self.taps[name or dev]

    def join(self, end, dev, address, gateway, router=None):
        """A link between an end and a router, and the end's default route over it."""
        router = router or self.r
        router.ip(f"link add {dev}_p type veth peer name {dev} netns {end.name}",
                  f"addr add {gateway}/24 dev {dev}_p", f"link set {dev}_p up")
        end.ip("link set lo up", f"addr add {address}/24 dev {dev}", f"link set {dev} up",
               f"route replace default via {gateway}")

    def tunnel(self, end, *words, check=True):
        """`ip tunnel WORDS` by who is under test at that end."""
        if not end.of_tunl:
            return end.run(sides.REAL_IP, "tunnel", *words, check=check)
        carried = ("datapath", self.who) if words[0] == "add" and "datapath" not in words else ()
        return end.run(self.build / "tunl", *words, *carried, env=self.env, check=check)

    def link_add(self, end, name, *words):
        """`ip link add NAME WORDS`, for what `ip tunnel` has no word for."""
        if not end.of_tunl:
            end.run(sides.REAL_IP, "link", "add", name, *words)
            return
        end.run(self.build / "bin/ip", "link", "add", name, *words, env=self.env)
        self.tunnel(end, "change", name, "datapath", self.who)

    def add(self, end, name, *words):
        """A tunnel that is up and knows IPv6."""
        self.tunnel(end, "add", name, *words)
        self.with_ip6(end, name)
        end.ip(f"link set {name} up")

    @staticmethod
    def with_ip6(end, dev):
        end.sysctl(**{f"ipv6__conf__{dev}__{key}": value for key, value in
                      (("router_solicitations", 0), ("accept_dad", 0), ("disable_ipv6", 0))})

    def make(self, name):
        """The tunnel of a VARIANT, at both ends."""
        v = VARIANTS[name]
        self.variant, self.name = v, name
        self.ip = Four if v.inner is FOUR else Six
        self.protocol = PROTOCOLS[v.mode]
        self.fronts = {self.k: Front(v.mode, v.k), self.t: Front(v.mode, v.t)}
        self.front = len(self.fronts[self.k].bytes(b""))  # bytes between the headers
        self.mtu = 1480 - self.front
        self.inner = dict(zip((self.k, self.t), (address.split("/")[0] for address in v.inner)))
        for end, own, far, words in ((self.k, K, T, v.k), (self.t, T, K, v.t)):
            remote = ("remote", far) if v.remote else ()
            self.tunnel(end, "add", "tun1", "mode", v.mode, *remote, "local", own, *words)
            for more in v.more:
                self.tunnel(end, *more)
        self.up()
        return self

    def up(self):
        """Also after `link set down`, which takes IPv6 addresses away."""
        for end, own, far in zip((self.k, self.t), self.variant.inner, reversed(self.variant.inner)):
            if self.ip is Six:
                self.with_ip6(end, "tun1")
            end.ip("link set tun1 up", f"addr replace {own} " + ("nodad" if self.ip is Six else f"peer {far}") + " dev tun1")

    @property
    def ways(self):
        """From k to t, and back."""
        at = self.inner
        return (Way(self.k, self.t, K, at[self.k], T, at[self.t]), Way(self.t, self.k, T, at[self.t], K, at[self.k]))

    def clear(self):
        for tap in self.taps.values():
            tap.clear()

    def log(self):
        try:
            return (pathlib.Path(self.rundir) / "log").read_text(errors="replace")
        except OSError:
            return ""

    def state(self):
        """For the one who looks into a failure."""
        parts = []
        for end in self.hosts:
            parts.append(f"== {end.name}\n")
            for words in (("-s", "addr"), ("rule",), ("route", "show", "table", "all"), ("-6", "route")):
                parts.append(end.run(sides.REAL_IP, *words, check=False).stdout)
            if end.of_tunl:
                parts.append(self.tunnel(end, "-s", "-d", "show", check=False).stdout)
        return "".join(parts) + self.log()

    def save(self, stem):
        """Leaves packets, and what state the ends are in, as STEM-TAP.pcap and STEM.log."""
        for name, tap in self.taps.items():
            tap.save(f"{stem}-{name}.pcap")
        return self.state()

    def close(self):
        for tap in self.taps.values():
            tap.close()
        if self.who != "kernel":
            run(self.build / "tunl", "daemon", "stop", env=self.env, check=False)
        for host in self.hosts:
            host.close()
        shutil.rmtree(self.rundir, ignore_errors=True)

