# SPDX-License-Identifier: BSD-2-Clause
"""Namespaces, the underlay between them, and packets on it.

Nothing here touches the namespace the tests run in: devices are born inside
namespaces of ours, which have names nobody else uses. A socket keeps the namespace
it was made in, so a thread that enters one, opens the socket and ends is enough."""

import contextlib
import ctypes
import fcntl
import json
import select
import socket
import struct
import subprocess
import threading
import time

from scapy.compat import raw
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
SIOCGIFHWADDR = 0x8927
_libc = ctypes.CDLL(None, use_errno=True)


def wait_until(condition, seconds=15.0, what=""):
    """The first true value of condition(), asked for again and again until time is up."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what or condition}")
        time.sleep(0.02)


def run(*words, check=True, timeout=30, **more):
    """A program's end: its CompletedProcess, with text. A failure shows what it said."""
    if "input" not in more:
        more.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=timeout, **more)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(map(str, words))}: status {done.returncode}\n"
                             f"{done.stdout}{done.stderr}")
    return done


class Netns:
    """A named namespace of the test's own."""

    def __init__(self, name):
        self.name, self.path = name, f"/run/netns/{name}"
        run("ip", "netns", "add", name)
        self.ip("link set lo up")

    def __str__(self):
        return self.name

    def delete(self):
        run("ip", "netns", "del", self.name, check=False)

    def ip(self, *commands):
        """`ip` commands in this namespace, one a string."""
        run("ip", "-n", self.name, "-batch", "-", input="\n".join(commands) + "\n")

    def run(self, *words, **more):
        return run("ip", "netns", "exec", self.name, *words, **more)

    def popen(self, *words, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(["ip", "netns", "exec", self.name, *map(str, words)],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)

    def call(self, function, *args):
        """function(*args) by a thread that stands in this namespace."""
        box = {}

        def inside():
            with open(self.path) as handle:
                if _libc.setns(handle.fileno(), CLONE_NEWNET):
                    box["error"] = OSError(ctypes.get_errno(), f"setns {self.path}")
                    return
            try:
                box["value"] = function(*args)
            except BaseException as error:  # handed to the caller's thread
                box["error"] = error

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if "error" in box:
            raise box["error"]
        return box.get("value")

    def socket(self, *args):
        return self.call(socket.socket, *args)

    def sysctl(self, **values):
        """net.ipv4 settings: sysctl(ip_forward=1)."""
        self.run("sysctl", "-qw", *[f"net.ipv4.{k.replace('__', '.')}={v}" for k, v in values.items()])

    def ping(self, address, *options, check=True):
        return self.run("ping", "-n", "-c", "1", "-W", "5", *options, address, check=check)

    @contextlib.contextmanager
    def sniff(self, dev):
        sniffer = Sniffer(self, dev)
        try:
            yield sniffer
        finally:
            sniffer.close()

    def link(self, dev):
        """The device's `ip -j link` row, or None."""
        done = run("ip", "-n", self.name, "-j", "-d", "link", "show", "dev", dev, check=False)
        return json.loads(done.stdout)[0] if done.returncode == 0 else None

    def route_mtu(self, address):
        """Path MTU that the kernel has for a destination; None: the device's."""
        row = json.loads(run("ip", "-n", self.name, "-j", "route", "get", address).stdout)[0]
        for metric in row.get("metrics", []):
            if "mtu" in metric:
                return metric["mtu"]
        return None


class Sniffer:
    """What passes a device, from the moment of its making, as scapy packets."""

    def __init__(self, ns, dev):
        self.sock = ns.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.sock.bind((dev, ETH_P_ALL))
        self.seen, self.loopback = [], dev == "lo"

    def close(self):
        self.sock.close()

    def drain(self):
        while select.select([self.sock], [], [], 0)[0]:
            data, where = self.sock.recvfrom(70000)
            if self.loopback and where[2] == socket.PACKET_OUTGOING:
                continue  # seen again when it comes back
            if where[1] == 0x0800 or (data and data[0] >> 4 == 4):
                self.seen.append(IP(data))
        return self.seen

    def all(self, wanted=lambda p: True):
        return [p for p in self.drain() if wanted(p)]

    def wait(self, wanted, seconds=5.0, count=1):
        """The first packet (or list of count) for which wanted(packet) is true."""
        found = wait_until(lambda: len(self.all(wanted)) >= count and self.all(wanted), seconds,
                           f"{count} such packet(s) among {[p.summary() for p in self.seen[-20:]]}")
        return found[0] if count == 1 else found


class Wire:
    """Puts frames on a device towards one neighbour: packets no kernel would make."""

    def __init__(self, ns, dev, to_ns, to_dev):
        self.sock = ns.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.bind((dev, ETH_P_ALL))
        self.src, self.dst = mac_of(ns, dev), mac_of(to_ns, to_dev)

    def send(self, packet):
        """A scapy packet, or the bytes of an IPv4 packet as they are."""
        self.sock.send(raw(Ether(src=self.src, dst=self.dst, type=0x0800)) + raw(packet))

    def close(self):
        self.sock.close()


def mac_of(ns, dev):
    with ns.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        reply = fcntl.ioctl(sock, SIOCGIFHWADDR, struct.pack("256s", dev.encode()))
    return ":".join(f"{byte:02x}" for byte in reply[18:24])


class Underlay:
    """a (10.10.10.2) - router r - b (10.10.20.2), no tunnel yet.

    mtu: of every device; far_mtu: of the link between router and b only."""

    A, B, RA, RB = "10.10.10.2", "10.10.20.2", "10.10.10.1", "10.10.20.1"

    def __init__(self, prefix, mtu=1500, far_mtu=None):
        self.spaces = []
        try:
            self.a, self.b, self.r = (self._add(prefix + tail) for tail in "abr")
            self._join(self.a, "v1", self.A, self.RA, mtu)
            self._join(self.b, "v2", self.B, self.RB, far_mtu or mtu)
            self.r.sysctl(ip_forward=1)
        except BaseException:
            self.delete()
            raise

    def _add(self, name):
        self.spaces.append(Netns(name))
        return self.spaces[-1]

    def _join(self, end, dev, address, gateway, mtu):
        self.r.ip(f"link add {dev}_p mtu {mtu} type veth peer name {dev} netns {end} mtu {mtu}",
                  f"addr add {gateway}/24 dev {dev}_p", f"link set {dev}_p up")
        end.ip(f"addr add {address}/24 dev {dev}", f"link set {dev} up",
               f"route add default via {gateway}")

    def add(self, name):
        """One more namespace, taken down with the others."""
        return self._add(name)

    def wire_to_a(self):
        return Wire(self.r, "v1_p", self.a, "v1")

    def delete(self):
        for space in self.spaces:
            space.delete()
