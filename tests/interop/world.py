# SPDX-License-Identifier: BSD-2-Clause
"""Two ends with a router between them, in the machine: k, whose tunnel is the kernel
driver's, and t, whose tunnel is made by who is under test. What passes the router is
kept and written as a pcap where a check fails."""

import collections
import contextlib
import itertools
import os
import pathlib
import select
import socket
import struct
import subprocess
import tempfile
import time

import sides

ETH_P_ALL, SO_RCVBUFFORCE = 3, 33
K, T, RK, RT = "10.10.10.2", "10.10.20.2", "10.10.10.1", "10.10.20.1"  # outer
IK, IT = "10.10.100.1", "10.10.200.1"  # inner
# k, t: what each end's tunnel is made with, besides mode and addresses; bpf: that datapath carries it
Variant = collections.namedtuple("Variant", "mode k t bpf", defaults=((), (), True))
VARIANTS = {
    "ipip": Variant("ipip"),
    "gre": Variant("gre"),
    "gre+key": Variant("gre", ("key", "7"), ("key", "7")),
    "gre+ikey": Variant("gre", ("ikey", "5", "okey", "6"), ("ikey", "6", "okey", "5"), False),
    "gre+csum": Variant("gre", ("csum",), ("csum",), False),
    "gre+seq": Variant("gre", ("seq",), ("seq",), False),
    "gre+all": Variant("gre", ("csum", "key", "7", "seq"), ("csum", "key", "7", "seq"), False),
}
PROTOCOLS = {"ipip": 4, "gre": 47}
# The drivers' receive handler is in the machine's one kernel, so it answers in t as well,
# where it has no tunnel, to what tunl's engine receives. Where tunl is for, there is none.
NO_DRIVERS_ANSWER = """table ip interop {
	chain out {
		type filter hook output priority 0
		icmp type destination-unreachable icmp code port-unreachable @th,136,8 { 4, 41, 47 } drop
	}
}
"""


class Failed(Exception):
    pass


def run(*words, check=True, **more):
    done = subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, **more)
    if check and done.returncode:
        raise Failed(f"{' '.join(map(str, words))}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def checksum(data):
    """RFC 1071, over bytes."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Front:
    """What one end puts between outer and inner IP header (RFC 2784, 2890)."""

    def __init__(self, mode, words):
        self.mode, self.csum, self.seq = mode, "csum" in words, "seq" in words
        self.key = next((int(words[words.index(w) + 1]) for w in ("key", "okey") if w in words), None)
        # Behind those of the tunnel itself, which are few.
        self.numbers = itertools.count(1 << 20)

    def bytes(self, inner):
        if self.mode == "ipip":
            return b""
        flags = 0x8000 * self.csum | 0x2000 * (self.key is not None) | 0x1000 * self.seq
        tail = b"" if self.key is None else struct.pack("!I", self.key)
        tail += struct.pack("!I", next(self.numbers)) if self.seq else b""
        head = struct.pack("!HH", flags, 0x0800)
        if not self.csum:
            return head + tail
        return head + struct.pack("!HH", checksum(head + b"\0" * 4 + tail + inner), 0) + tail


class Host:
    """A namespace to run programs and open sockets in."""

    def __init__(self, name, fallbacks=False):
        self.name, self.space = name, sides.Space(name, fallbacks)
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)

    @contextlib.contextmanager
    def inside(self):
        sides.checked(sides.libc.setns(self.space.fd, sides.CLONE_NEWNET), "setns")
        try:
            yield
        finally:
            sides.checked(sides.libc.setns(self.home, sides.CLONE_NEWNET), "setns")

    def run(self, *words, **more):
        with self.inside():
            return run(*words, **more)

    def _by_file(self, text, *words):
        with tempfile.NamedTemporaryFile("w") as batch:
            batch.write(text)
            batch.flush()
            self.run(*words, batch.name)

    def ip(self, *lines):
        self._by_file("".join(f"{line}\n" for line in lines), sides.REAL_IP, "-batch")

    def nft(self, rules):
        self._by_file(rules, "nft", "-f")

    def socket(self, *args):
        with self.inside():
            return socket.socket(*args)

    def ping(self, address, *options, check=True):
        return self.run("ping", "-n", "-c", "1", "-W", "3", *options, address, check=check)


class Tap:
    """What passes one device of the router: [(time, frame)]."""

    def __init__(self, host, dev):
        self.sock = host.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        self.sock.bind((dev, ETH_P_ALL))
        self.frames = []

    def drain(self):
        while select.select([self.sock], [], [], 0)[0]:
            self.frames.append((time.time(), self.sock.recv(70000)))
        return [frame for _, frame in self.frames]

    def clear(self):
        self.drain()
        self.frames = []

    def outer(self, source, wanted=lambda ip: True):
        """IPv4 packets from an outer source, without their Ethernet header."""
        return [f[14:] for f in self.drain() if f[12:14] == b"\x08\x00"
                and f[26:30] == socket.inet_aton(source) and wanted(f[14:])]

    def wait(self, source, wanted, what):
        return wait_until(lambda: self.outer(source, wanted), 5, what)[0]

    def save(self, path):
        self.drain()
        with open(path, "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
            for when, frame in self.frames:
                out.write(struct.pack("<IIII", int(when), int(when % 1 * 1e6), len(frame), len(frame)) + frame)


class World:
    """who: `kernel`, `user` or `bpf` at the end t."""

    def __init__(self, who, build):
        self.who, self.build = who, build
        self.k, self.t, self.r = Host(f"k-{who}", True), Host(f"t-{who}", who == "kernel"), Host(f"r-{who}")
        self.join(self.k, "v1", K, RK)
        self.join(self.t, "v2", T, RT)
        self.forward()
        self.tap = Tap(self.r, "v1_p")
        self.rundir = tempfile.mkdtemp(prefix="interop-world-")
        self.env = {**os.environ, "TUNL_RUNDIR": self.rundir, "TUNL_TUNLD": str(build / "tunld")}
        if who != "kernel":
            self.t.nft(NO_DRIVERS_ANSWER)

    def join(self, end, dev, address, gateway):
        self.r.ip(f"link add {dev}_p type veth peer name {dev} netns {end.name}",
                  f"addr add {gateway}/24 dev {dev}_p", f"link set {dev}_p up")
        end.ip("link set lo up", f"addr add {address}/24 dev {dev}", f"link set {dev} up",
               f"route add default via {gateway}")

    def forward(self):
        with self.r.inside():
            pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n")

    def tunnel(self, end, *words):
        """`ip tunnel WORDS` by who is under test at that end."""
        if end is self.k or self.who == "kernel":
            return end.run(sides.REAL_IP, "tunnel", *words)
        return end.run(self.build / "tunl", *words, env=self.env)

    def make(self, name):
        """The tunnel of a VARIANT, at both ends."""
        mode, of_k, of_t, _ = VARIANTS[name]
        self.protocol = PROTOCOLS[mode]
        self.fronts = {self.k: Front(mode, of_k), self.t: Front(mode, of_t)}
        self.front = len(self.fronts[self.k].bytes(b""))  # bytes between the headers
        self.mtu = 1480 - self.front
        carried = [] if self.who == "kernel" else ["datapath", self.who]
        self.tunnel(self.k, "add", "tun1", "mode", mode, "remote", T, "local", K, *of_k)
        self.tunnel(self.t, "add", "tun1", "mode", mode, "remote", K, "local", T, *of_t, *carried)
        self.k.ip("link set tun1 up", f"addr add {IK} peer {IT} dev tun1")
        self.t.ip("link set tun1 up", f"addr add {IT} peer {IK} dev tun1")

    def ends(self):
        """(sender, receiver, sender's outer and inner address, receiver's) both ways."""
        return ((self.k, self.t, K, IK, T, IT), (self.t, self.k, T, IT, K, IK))

    def log(self):
        try:
            return (pathlib.Path(self.rundir) / "log").read_text(errors="replace")
        except OSError:
            return ""

    def close(self):
        self.tap.sock.close()
        if self.who != "kernel":
            run(self.build / "tunl", "daemon", "stop", env=self.env, check=False)
        for host in (self.k, self.t, self.r):
            host.space.delete()
