# SPDX-License-Identifier: BSD-2-Clause
"""vti with tunl's own ESP on one side, the kernel's vti and ESP on the other, over a veth pair.

The kernel's end is also the oracle: what a changed or repeated packet does to its Xfrm
counters is what the same one must do to tunl's."""

import hashlib
import itertools
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from net import Netns, wait_until  # noqa: E402
from xfrm import GCM, NETS, SUITES  # noqa: E402

MODULES = ("ip_vti", "esp4", "xfrm_user", "authenc", "echainiv", "seqiv", "gcm", "chacha20poly1305", "sha512_generic")
KERNEL, TUNL = 0, 1
OUTER, KEYS, INNER = ("192.0.2.1", "192.0.2.2"), (5, 7), ("10.0.0.1", "10.0.0.2")
UDP_ENCAP, UDP_ENCAP_ESPINUDP, NAT_PORT = 100, 2, 4500


class Failed(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Failed(text)


class Pair:
    """Both ends, with vti1, policies and one pair of associations each way. table: whose are
    the associations and policies of tunl's end, its `own` or the `kernel`'s."""

    def __init__(self, build, suite=GCM, more="replay-window 64", table="own"):
        self.build, self.table, self.spi = build, table, itertools.count(0x1001)
        self.rundir = tempfile.mkdtemp(prefix="tunl-vti-")
        self.env = {**os.environ, "TUNL_RUNDIR": self.rundir, "TUNL_TUNLD": str(build / "tunld"), "TUNL_XFRM": table}
        if table == "kernel":
            del self.env["TUNL_XFRM"]  # tunl finds out by itself
        self.ns = (Netns("vtik"), Netns("vtit"))
        try:
            self.set_up(suite, more)
        except BaseException:
            self.close()
            raise

    def set_up(self, suite, more):
        self.ns[0].ip("link add e0 type veth peer name e0 netns vtit")
        self.ip(KERNEL, "tunnel add vti1 mode vti remote 192.0.2.2 local 192.0.2.1 key 5")
        for end in (KERNEL, TUNL):
            self.ns[end].ip(f"addr add {OUTER[end]}/24 dev e0", "link set e0 up")
        self.ip(TUNL, "add vti1 mode vti remote 192.0.2.1 local 192.0.2.2 key 7 datapath user")
        for end in (KERNEL, TUNL):
            self.ns[end].ip("link set vti1 up", f"addr add {INNER[end]}/24 dev vti1",
                            f"addr add 2001:db8::{end + 1}/64 dev vti1 nodad")
            self.policies(end)
        self.live = self.states(suite, more)

    def ip(self, end, words, check=True):
        """`ip WORDS` at the kernel's end, `tunl WORDS` at the other."""
        real = end == KERNEL or (self.table == "kernel" and words.startswith("xfrm"))
        front = ["ip"] if real else [str(self.build / "tunl")]
        done = self.ns[end].run(*front, *words.split(), check=False, env=self.env)
        expect(not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}")
        return done

    def policies(self, end):
        own, far = OUTER[end], OUTER[1 - end]
        for net in NETS:
            for way, src, dst in (("out", own, far), ("in", far, own)):
                self.ip(end, f"xfrm policy add src {net} dst {net} dir {way} mark {KEYS[end]} "
                        f"tmpl src {src} dst {dst} proto esp reqid 1 mode tunnel")

    def states(self, suite=GCM, more="replay-window 64"):
        made = []
        for src, dst in ((0, 1), (1, 0)):
            spi = next(self.spi)
            for end in (dst, src):
                self.ip(end, f"xfrm state add src {OUTER[src]} dst {OUTER[dst]} proto esp spi {spi} reqid 1 "
                        f"mode tunnel mark {KEYS[end]} flag af-unspec {more} {suite}")
            made.append((src, dst, spi))
        return made

    def drop(self, made, end):
        for src, dst, spi in made:
            self.ip(end, f"xfrm state delete src {OUTER[src]} dst {OUTER[dst]} proto esp spi {spi} mark {KEYS[end]}")

    def ping(self, end, address, *options):
        done = self.ns[end].ping(address, "-W", "8", *options, check=False)
        expect(done.returncode == 0, f"ping {address} {' '.join(options)}: {done.stdout}{done.stderr}")
        return done

    def counters(self, end):
        if end == KERNEL:
            text = self.ns[end].run("cat", "/proc/net/xfrm_stat").stdout
        else:
            text = self.ip(end, "-s xfrm").stdout
        return {name: int(n) for name, n in map(str.split, text.splitlines()) if int(n)}

    def close(self):
        subprocess.run([self.build / "tunl", "daemon", "stop"], env=self.env, capture_output=True)
        for ns in self.ns:
            ns.delete()
        shutil.rmtree(self.rundir, ignore_errors=True)


def carries(pair):
    """IPv4 and IPv6 inside, both ways; whole, in fragments; nothing is counted against it."""
    for end in (KERNEL, TUNL):
        pair.ping(end, INNER[1 - end])
        pair.ping(end, f"2001:db8::{2 - end}")
        pair.ping(end, INNER[1 - end], "-s", "1350", "-M", "do")
        pair.ping(end, INNER[1 - end], "-s", "1452", "-M", "dont")
        # the first may be one that is too large, of which the sender hears
        pair.ping(end, f"2001:db8::{2 - end}", "-s", "3000", "-c", "3", "-i", "0.2")
    expect(pair.counters(TUNL) == {}, f"tunl counted {pair.counters(TUNL)}")
    expect(pair.counters(KERNEL) == {}, f"the kernel counted {pair.counters(KERNEL)}")


def mtu(pair):
    """The largest packet that may not be fragmented, and what the next larger one is told: the same at both ends."""
    for end in (KERNEL, TUNL):
        done = pair.ns[end].ping(INNER[1 - end], "-s", str(1447 - 28), "-M", "do", check=False)
        expect("mtu = 1446" in done.stdout or "mtu=1446" in done.stdout + done.stderr, f"end {end}: {done.stdout}{done.stderr}")
        pair.ping(end, INNER[1 - end], "-s", str(1446 - 28), "-M", "do")


def rekey(pair):
    """Three new pairs of associations under pings at both ends, none of which is lost."""
    with_load = [pair.ns[end].popen("ping", "-n", "-q", "-i", "0.02", "-c", "400", "-W", "20", INNER[1 - end])
                 for end in (KERNEL, TUNL)]
    old = pair.live
    for _ in range(3):
        new = pair.states()
        for end in (KERNEL, TUNL):
            pair.ping(end, INNER[1 - end])
        # what still uses the old one: the kernel keeps the route that it found with it
        for end in (KERNEL, TUNL):
            pair.drop([sa for sa in old if sa[0] == end], end)
        time.sleep(0.3)  # more than a round trip of the slow machine: what is under way arrives
        for end in (KERNEL, TUNL):
            pair.drop([sa for sa in old if sa[1] == end], end)
        old = new
    for ping in with_load:
        text, _ = ping.communicate(timeout=120)
        expect(" 0% packet loss" in text, text)
    pair.live = old


def tcp(pair, size=24 << 20):
    """Data through one connection, compared."""
    data = os.urandom(1 << 20) * (size >> 20)
    for end in (KERNEL, TUNL):
        listener = pair.ns[end].socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind((INNER[end], 0))
        listener.listen()
        caller = pair.ns[1 - end].socket(socket.AF_INET, socket.SOCK_STREAM)
        caller.settimeout(300)
        caller.connect(listener.getsockname())
        peer, _ = listener.accept()
        peer.settimeout(300)
        sender = threading.Thread(target=lambda: (caller.sendall(data), caller.close()))
        sender.start()
        digest = hashlib.sha256()
        while part := peer.recv(1 << 18):
            digest.update(part)
        sender.join()
        peer.close()
        listener.close()
        expect(digest.digest() == hashlib.sha256(data).digest(), f"to end {end}: other data")


class Wire:
    """Frames that come to one end, and a way to send it more."""

    def __init__(self, pair, end):
        self.tap = pair.ns[end].socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self.tap.bind(("e0", 0x0800))
        self.out = pair.ns[1 - end].socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.out.bind(("e0", 0))

    def esp(self, cause):
        """The ESP frame to this end that cause() brings."""
        while True:
            try:
                self.tap.recv(4096, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
        cause()
        self.tap.settimeout(10)
        while True:
            frame, address = self.tap.recvfrom(4096)
            if address[2] == socket.PACKET_HOST and frame[23] == 50:
                return frame

    def close(self):
        self.tap.close()
        self.out.close()


def gained(pair, end, act):
    """What act() adds to the counters of an end; it is to be one more in all."""
    before = pair.counters(end)
    act()

    def more():
        now = pair.counters(end)
        return {name: n - before.get(name, 0) for name, n in now.items() if n != before.get(name, 0)}

    wait_until(more, 10, "no Xfrm counter moved")
    return more()


def bad_packets(pair):
    """Each field of an ESP packet changed, repeated and cut: the same counters move at both ends."""
    results = []
    for end in (KERNEL, TUNL):
        wire, got = Wire(pair, end), {}
        frame = wire.esp(lambda: pair.ping(1 - end, INNER[end]))
        got["repeated"] = gained(pair, end, lambda: wire.out.send(frame))
        for what, at in (("spi", 34), ("spi-low", 37), ("seq-high", 38), ("iv", 42), ("iv-last", 49), ("text", 50),
                         ("text-last", len(frame) - 17), ("icv", len(frame) - 16), ("icv-last", len(frame) - 1)):
            bad = bytearray(frame)
            bad[at] ^= 0x10
            # a number that is new, so that the window is not what refuses it
            if what not in ("spi", "spi-low", "seq-high"):
                bad[40] ^= 0x20
            got[what] = gained(pair, end, lambda bad=bad: wire.out.send(bytes(bad)))
        wire.close()
        pair.ping(1 - end, INNER[end])  # the window did not move for any of them
        results.append(got)
    expect(results[KERNEL] == results[TUNL], f"kernel {json.dumps(results[KERNEL])}\ntunl   {json.dumps(results[TUNL])}")


def policy_and_state_missing(pair):
    """V21, V22, V07, V08 at both ends: the same counters."""
    results = []
    for end in (KERNEL, TUNL):
        other = 1 - end
        send = lambda: pair.ns[other].ping(INNER[end], "-W", "1", check=False)  # noqa: E731
        got = {}
        pair.ip(end, f"xfrm policy delete src 0.0.0.0/0 dst 0.0.0.0/0 dir in mark {KEYS[end]}")
        got["no policy in"] = gained(pair, end, send)
        pair.ip(end, f"xfrm policy add src 0.0.0.0/0 dst 0.0.0.0/0 dir in mark {KEYS[end]} "
                f"tmpl src {OUTER[other]} dst {OUTER[end]} proto esp reqid 99 mode tunnel")
        got["other reqid"] = gained(pair, end, send)
        pair.ip(end, f"xfrm policy update src 0.0.0.0/0 dst 0.0.0.0/0 dir in mark {KEYS[end]} action block")
        got["blocked"] = gained(pair, end, send)
        pair.ip(end, f"xfrm policy update src 0.0.0.0/0 dst 0.0.0.0/0 dir in mark {KEYS[end]} "
                f"tmpl src {OUTER[other]} dst {OUTER[end]} proto esp reqid 1 mode tunnel")
        inward = [sa for sa in pair.live if sa[1] == end]
        outward = [sa for sa in pair.live if sa[0] == end]
        pair.drop(inward, end)
        got["no state in"] = gained(pair, end, send)
        pair.drop(outward, end)
        got["no state out"] = gained(pair, end, lambda: pair.ns[end].ping(INNER[other], "-W", "1", check=False))
        results.append(got)
        pair.drop(pair.live, other)
        pair.live = pair.states()
    expect(results[KERNEL] == results[TUNL], f"kernel {json.dumps(results[KERNEL])}\ntunl   {json.dumps(results[TUNL])}")


def nat(pair):
    """ESP in UDP; at the kernel's end a socket stands for the IKE daemon's."""
    pair.drop(pair.live, KERNEL)
    pair.drop(pair.live, TUNL)
    ike = pair.ns[KERNEL].socket(socket.AF_INET, socket.SOCK_DGRAM)
    ike.bind(("0.0.0.0", NAT_PORT))
    ike.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP)
    pair.live = pair.states(GCM, "replay-window 64 encap espinudp 4500 4500 0.0.0.0")
    carries(pair)
    ike.close()


def follows(pair):
    """What `ip xfrm` put into the kernel is vti's: carried, counted there, limited, replaced."""
    for end in (KERNEL, TUNL):
        pair.ping(end, INNER[1 - end], "-c", "3", "-i", "0.1")
        pair.ping(end, f"2001:db8::{2 - end}")
    used = lambda: pair.ip(TUNL, "-s xfrm state list").stdout  # noqa: E731
    wait_until(lambda: used().count(" 0(packets)") == 0, 20, "the kernel does not know of the packets")
    wait_until(lambda: re.search("oseq 0x[1-9a-f]", used()), 20, f"the kernel does not know of the numbers: {used()}")
    rekey(pair)
    made = pair.states(GCM, "replay-window 64 limit packet-hard 3")
    pair.drop(pair.live, TUNL)
    pair.drop(pair.live, KERNEL)
    pair.ns[TUNL].ping(INNER[KERNEL], "-c", "6", "-i", "0.2", "-W", "1", check=False)
    wait_until(lambda: f"spi 0x{made[1][2]:08x}" not in used(), 20, "a hard limit did not end it in the kernel")


def suite_check(suite):
    return lambda build: one(build, carries, SUITES[suite])


def one(build, check, suite=GCM, more="replay-window 64", table="own"):
    pair = Pair(build, suite, more, table)
    try:
        check(pair)
    finally:
        pair.close()


CHECKS = {name: suite_check(name) for name in SUITES}
CHECKS.update({
    "esn": lambda build: one(build, carries, GCM, "replay-window 128 flag esn"),
    "esn-wraps": lambda build: one(
        build, carries, GCM, "replay-window 64 flag esn replay-oseq 0xfffffffa replay-seq 0xfffffffa"),
    "window-4096": lambda build: one(build, carries, GCM, "replay-window 4096"),
    "mtu": lambda build: one(build, mtu),
    "tcp": lambda build: one(build, tcp),
    "rekey": lambda build: one(build, rekey),
    "bad": lambda build: one(build, bad_packets),
    "bad-cbc": lambda build: one(build, bad_packets, SUITES["cbc-sha256"]),
    "missing": lambda build: one(build, policy_and_state_missing),
    "nat": lambda build: one(build, nat),
    "follows": lambda build: one(build, follows, table="kernel"),
})


def run(say, name, checks, build):
    """For scenarios.py: each check by itself."""
    subprocess.run(["modprobe", "-a", *MODULES], check=True)
    for check in checks or CHECKS:
        started, text = time.monotonic(), None
        try:
            CHECKS[check](build)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
        say(name, check, started, text)
