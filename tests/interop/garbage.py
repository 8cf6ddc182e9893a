# SPDX-License-Identifier: BSD-2-Clause
"""A peer of each mode that sends garbage, floods, reorders, duplicates and truncates, for a minute.
Afterwards every packet that came is counted once - as delivered, by the reason it was dropped
for, or as no tunnel's - the daemon's processes are those of before, no larger, and its log is short.

The peers are addresses of the router's, whose frames are made here and put on the link to t."""

import fcntl
import itertools
import json
import os
import pathlib
import random
import re
import socket
import struct
import time

import wire
from host import expect, wait_until
from variants import T
from world import RT
from wire import Front

SECONDS, BURST, FLOOD = 60, 128, 400
ISATAP = "10.10.20.3"  # another address of t: a wildcard of sit's beside that of isatap
SIOCGIFHWADDR = 0x8927
LOG_LINES, GROWN_KB = 200, 4096
# name: words of the tunnel in t; the peer's last byte; outer destination; is its inner packet IPv6?
TUNNELS = {
    "ipip": (("mode", "ipip"), 11, T, False),
    "gre": (("mode", "gre"), 12, T, False),
    "grekey": (("mode", "gre", "key", "7"), 13, T, True),
    "grecsum": (("mode", "gre", "csum"), 14, T, False),
    "greseq": (("mode", "gre", "seq"), 15, T, False),
    "greall": (("mode", "gre", "csum", "key", "7", "seq"), 16, T, True),
    "sit": (("mode", "sit"), 17, T, True),
    "sixtofour": (("mode", "sit"), 18, T, True),
    "isatap": (("mode", "isatap"), 19, ISATAP, True),
}
PROTOCOLS = {"ipip": 4, "gre": 47, "sit": 41, "isatap": 41}


class Peer:
    """One tunnel's far end."""

    def __init__(self, name, rng):
        words, last, self.target, self.six = TUNNELS[name]
        self.name, self.rng, self.source = name, rng, f"10.10.10.{last}"
        self.proto = PROTOCOLS[words[1]]
        self.front = Front(words[1], words[2:])
        self.ids = itertools.count(1)

    def inner(self, size=None):
        """A packet to somewhere beyond, which t does not forward."""
        data = os.urandom(self.rng.randrange(0, 600) if size is None else size)
        tos, ttl = self.rng.randrange(256), self.rng.randrange(1, 256)
        if not self.six:
            return wire.ipv4("198.51.100.1", "198.51.100.2", wire.UDP, wire.udp4("", "", data, 9), tos, ttl)
        source = "2001:db8:7::5efe:a0a:a13" if self.name == "isatap" else "2001:db8:99::1"
        return wire.ipv6(source, "2001:db8:98::2", wire.UDP, struct.pack("!HHHH", 1, 9, 8 + len(data), 1) + data, tos, ttl)

    def payload(self, inner=None):
        inner = self.inner() if inner is None else inner
        return self.front.bytes(inner) + inner

    def outer(self, payload, options=b"", fragment=0, number=0, tos=None):
        length = 20 + len(options) + len(payload)
        tos = self.rng.randrange(256) if tos is None else tos
        head = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, tos, length, number, fragment, 64, self.proto, 0,
                           socket.inet_aton(self.source), socket.inet_aton(self.target)) + options
        return head[:10] + struct.pack("!H", wire.checksum(head)) + head[12:] + payload

    # Each kind: outer packets, and how many whole ones they make.

    def good(self):
        return [self.outer(self.payload())], 1

    def truncated(self):
        payload = self.payload()
        return [self.outer(payload[:self.rng.randrange(len(payload))])], 1

    def noise(self):
        return [self.outer(os.urandom(self.rng.randrange(120)))], 1

    def flipped(self):
        payload = bytearray(self.payload())
        for _ in range(self.rng.randrange(1, 9)):
            payload[self.rng.randrange(min(len(payload), 64))] = self.rng.randrange(256)
        return [self.outer(bytes(payload))], 1

    def twice(self):
        packet = self.outer(self.payload())
        return [packet, packet], 2

    def swapped(self):
        first, second = self.outer(self.payload()), self.outer(self.payload())
        return [second, first], 2

    def options(self):
        return [self.outer(self.payload(), b"\1" * 4 * self.rng.randrange(1, 11))], 1

    def cut(self, payload, number):
        """Fragments of an outer packet, marked alike: IP does not put them together else (RFC 3168 5.3)."""
        step, tos = 8 * self.rng.randrange(24, 180), self.rng.randrange(256)
        return [self.outer(payload[at:at + step], b"", at // 8 | 0x2000 * (at + step < len(payload)), number, tos)
                for at in range(0, len(payload), step)]

    def fragments(self):
        parts = self.cut(self.payload(self.inner(self.rng.randrange(1500, 9000))), next(self.ids) % 0x8000)
        self.rng.shuffle(parts)
        return parts, 1

    def partial(self):
        parts = self.cut(self.payload(self.inner(3000)), 0x8000 | next(self.ids) % 0x8000)
        return parts[1:], 0

    def bad_header(self):
        packet = bytearray(self.outer(self.payload()))
        packet[self.rng.choice((0, 10, 11))] ^= self.rng.randrange(1, 256)
        return [bytes(packet)], 0

    def pick(self):
        kinds = (self.good, self.good, self.truncated, self.noise, self.flipped, self.twice, self.swapped, self.options,
                 self.fragments, self.bad_header)
        if self.rng.random() < 0.002:
            return self.partial()
        return self.rng.choice(kinds)()


def link_address(host, dev):
    with host.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return fcntl.ioctl(sock, SIOCGIFHWADDR, struct.pack("256s", dev.encode()))[18:24]


class Injector:
    """Frames on the link to t."""

    def __init__(self, w):
        self.w, self.sock = w, w.r.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sock.bind(("v2_p", 0x0800))
        self.head = link_address(w.t, "v2") + link_address(w.r, "v2_p") + b"\x08\x00"

    def send(self, packet):
        # A short frame is filled up, as a real Ethernet does it.
        self.sock.send((self.head + packet).ljust(60, b"\0"))

    def settle(self):
        """Until no packet socket in t has anything left to read."""
        def empty():
            rows = self.w.t.run("cat", "/proc/net/packet").stdout.splitlines()[1:]
            return all(row.split()[6] == "0" for row in rows)
        wait_until(empty, 20, "the queues of t are empty")


def build(w):
    w.t.ip(f"addr add {ISATAP}/24 dev v2", f"route replace default via {RT}")
    w.r.ip(*(f"addr add 10.10.10.{last}/32 dev lo" for _, last, _, _ in TUNNELS.values()))
    w.r.nft("table ip quiet { chain in { type filter hook input priority 0; ip saddr 10.10.20.0/24 drop; }; }")
    for name, (words, last, target, _) in TUNNELS.items():
        remote = () if name in ("sixtofour", "isatap") else ("remote", f"10.10.10.{last}")
        w.add(w.t, name, *words, *remote, "local", target, *(("datapath", "auto") if "csum" in words else ()))
    w.t.ip("addr add 2001:db8:7::5efe:a0a:1403/64 dev isatap nodad")


def counted(w):
    """{tunnel: packets delivered and dropped, by word}, and what no tunnel was for."""
    rows = json.loads(w.tunnel(w.t, "-j", "show").stdout)
    by = {row["ifname"]: {"delivered": row["stats"]["rx_packets"],
                          **{r["reason"]: r["packets"] for r in row["reasons"] if r["reason"].startswith("rx")}} for row in rows}
    status = json.loads(w.tunnel(w.t, "-j", "daemon", "status").stdout)
    return {**by, "unmatched": status["unmatched"]}, (status["pid"], status["engine_pid"])


def total(counts):
    return sum(sum(c.values()) for c in counts.values())


def memory(pid):
    """Resident kilobytes, and descriptors."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)), len(os.listdir(f"/proc/{pid}/fd"))


def storm(w):
    """All modes at once: three quarters of the time in bursts that t keeps up with, then as fast as it goes."""
    rng = random.Random(11)
    peers, inject = [Peer(name, rng) for name in TUNNELS], Injector(w)
    for peer in peers * 40:  # what is allocated once, is
        for packet in peer.pick()[0]:
            inject.send(packet)
    inject.settle()
    before, pids = counted(w)
    size = {pid: memory(pid) for pid in pids}
    sent = {peer.name: 0 for peer in peers}
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        calm = time.monotonic() < end - SECONDS / 4
        for _ in range(BURST if calm else FLOOD):
            peer = rng.choice(peers)
            packets, whole = peer.pick()
            for packet in packets:
                inject.send(packet)
            sent[peer.name] += whole
        if calm:
            inject.settle()
    inject.settle()
    wait_until(lambda: total(counted(w)[0]) - total(before) >= sum(sent.values()), 10,
               lambda: f"{sum(sent.values())} sent, counted {total(counted(w)[0]) - total(before)}:\n{difference(before, w)}\n{sent}")
    after, now = counted(w)
    expect(total(after) - total(before) == sum(sent.values()),
           f"{sum(sent.values())} sent, counted {total(after) - total(before)}:\n{difference(before, w)}\n{sent}")
    expect(now == pids, f"processes {pids} are {now} now")
    for pid in pids:
        expect(memory(pid)[0] < size[pid][0] + GROWN_KB and memory(pid)[1] == size[pid][1],
               f"process {pid}: {size[pid]} kB and descriptors before, {memory(pid)} after")
    expect(len(w.log().splitlines()) < LOG_LINES, f"{len(w.log().splitlines())} lines of log")


def difference(before, w):
    now = counted(w)[0]
    return "\n".join(f"  {name}: " + ", ".join(f"{word} {count - before.get(name, {}).get(word, 0)}" for word, count in c.items())
                     for name, c in now.items())


def works_afterwards(w):
    """The tunnels carry packets as before."""
    w.k.ip("addr add 10.10.10.11/24 dev v1")
    w.r.ip("addr del 10.10.10.11/32 dev lo")
    w.r.nft("flush ruleset")
    w.add(w.k, "back", "mode", "ipip", "remote", T, "local", "10.10.10.11")
    w.k.ip("addr add 10.57.0.1 peer 10.57.0.2 dev back")
    w.t.ip("addr add 10.57.0.2 peer 10.57.0.1 dev ipip")
    w.k.answers("10.57.0.2")


CHECKS = {"storm": storm, "works-afterwards": works_afterwards}
